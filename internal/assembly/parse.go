package assembly

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxTemplate bounds a template's file. CloudFormation takes 1 MB ("AWS
// CloudFormation quotas"); CDK indents what it writes.
const maxTemplate = 8 << 20

// maxYAML bounds a template in YAML, which takes a hundred times its size to
// parse.
const maxYAML = 1 << 20

// readTemplate reads a template's file. It fails with an [InputError] that
// names file, line and column.
func readTemplate(file string) (template, error) {
	data, err := readFile(file, maxTemplate)
	if err != nil {
		return template{}, err
	}
	value, err := parse(data)
	if err == nil {
		var t template
		if t, err = newTemplate(value); err == nil {
			t.size = len(data)
			return t, nil
		}
	}
	var place *placeError
	if errors.As(err, &place) {
		return template{}, &InputError{fmt.Sprintf("%s:%v", file, place)}
	}
	return template{}, &InputError{fmt.Sprintf("%s: %v", file, err)}
}

func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &InputError{fmt.Sprintf("%s is longer than %d MB", name, limit>>20)}
	}
	return data, nil
}

// placeError is a mistake at a place in a file.
type placeError struct {
	line, column int
	text         string
}

func (e *placeError) Error() string { return fmt.Sprintf("%d:%d: %s", e.line, e.column, e.text) }

// parse reads JSON, which begins with a brace, or YAML. Numbers keep their
// text: 29000 must not come back as 2.9e+04.
func parse(data []byte) (any, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // the byte order mark some editors write
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return parseJSON(data)
	}
	return parseYAML(data)
}

func parseJSON(data []byte) (any, error) {
	p := jsonParser{data: data, decoder: json.NewDecoder(bytes.NewReader(data))}
	p.decoder.UseNumber()
	var whole json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&whole); err != nil {
		offset := int64(len(data))
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			offset = syntax.Offset
		}
		return nil, p.fail(offset, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	value, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, p.fail(p.decoder.InputOffset(), "more after the end of the template")
	}
	return value, nil
}

// jsonParser refuses what encoding/json lets pass: a name that stands twice in
// an object, and nesting without measure.
type jsonParser struct {
	data    []byte
	decoder *json.Decoder
}

func (p *jsonParser) fail(offset int64, format string, arguments ...any) error {
	before := p.data[:min(max(offset-1, 0), int64(len(p.data)))]
	line := bytes.Count(before, []byte("\n"))
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	return &placeError{line + 1, column + 1, fmt.Sprintf(format, arguments...)}
}

func (p *jsonParser) value(depth int) (any, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, p.fail(p.decoder.InputOffset(), "%v", err)
	}
	delimiter, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth == maxDepth {
		return nil, p.fail(p.decoder.InputOffset(), "nested more than %d deep", maxDepth)
	}
	if delimiter == '[' {
		list := []any{}
		for p.decoder.More() {
			member, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, member)
		}
		_, err := p.decoder.Token()
		return list, err
	}
	object := map[string]any{}
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return nil, p.fail(p.decoder.InputOffset(), "%v", err)
		}
		name, _ := token.(string)
		if _, twice := object[name]; twice {
			return nil, p.fail(p.decoder.InputOffset(), "%q stands twice in one object", name)
		}
		if object[name], err = p.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err = p.decoder.Token()
	return object, err
}
