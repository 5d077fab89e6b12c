// Package strictyaml reads small YAML files that people write: every key is
// known, every value plain, and one reading reports all mistakes, each with
// file, line and column. It walks the syntax tree, because decoding into a
// struct would stop at the first mistake and lose the place of each value.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Reader reads one file and gathers what is wrong with it.
type Reader struct {
	File     string  // as errors show it
	Problems []error // "file:line:column: problem; mend"
}

// NewReader returns a reader for the file of that name.
func NewReader(file string) *Reader { return &Reader{File: filepath.ToSlash(file)} }

// Field is a key and what reads its value.
type Field struct {
	Key  string
	Read func(ast.Node)
}

// Document reads the only document of a file, a mapping. The texts say what to
// do where the file is empty, what to write in place of anything but a mapping,
// and what to do with a second document. It returns the place of each key, and
// nil where there is no mapping.
func (r *Reader) Document(data []byte, empty, example, second string, fields []Field, required ...string) map[string]*token.Token {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // the byte order mark some editors write
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		r.Report(nil, "the file is empty; %s", empty)
		return nil
	}
	body, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		r.At(file.Docs[0].Body, "not a mapping; write keys and values such as %s", example)
		return nil
	}
	seen := r.Mapping("", body.Values, fields, required...)
	if len(file.Docs) > 1 {
		start := file.Docs[1].Start
		if start == nil && file.Docs[1].Body != nil {
			start = file.Docs[1].Body.GetToken()
		}
		r.Report(start, "a second document; %s", second)
	}
	return seen
}

// Mapping reads the keys of a mapping that stands at a key of its own, or of
// the document where that is empty. It returns the place of each key.
func (r *Reader) Mapping(at string, values []*ast.MappingValueNode, fields []Field, required ...string) map[string]*token.Token {
	var known []string
	for _, f := range fields {
		known = append(known, f.Key)
	}
	seen := map[string]*token.Token{}
	for _, entry := range values {
		key := entry.Key.GetToken().Value
		name := join(at, key)
		i := slices.Index(known, key)
		if i < 0 {
			r.At(entry.Key, "unknown key %q; the keys are %s", name, strings.Join(known, ", "))
			continue
		}
		if first, twice := seen[key]; twice {
			r.At(entry.Key, "%s is set twice, first in line %d; keep one", name, first.Position.Line)
			continue
		}
		seen[key] = entry.Key.GetToken()
		if _, null := entry.Value.(*ast.NullNode); null {
			r.At(entry.Key, "%s has no value; write one or remove the key", name)
			continue
		}
		fields[i].Read(entry.Value)
	}
	for _, key := range required {
		if seen[key] == nil {
			var place *token.Token
			if at != "" && len(values) > 0 {
				place = values[0].Key.GetToken()
			}
			r.Report(place, "no %s; it is required", join(at, key))
		}
	}
	return seen
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// Object reads a key that holds keys of its own.
func (r *Reader) Object(value ast.Node, key, example string, fields []Field, required ...string) bool {
	mapping, ok := value.(*ast.MappingNode)
	if !ok {
		r.At(value, "%s is not a mapping; write %s", key, example)
		return false
	}
	if len(mapping.Values) == 0 {
		r.At(value, "%s is empty; write %s or remove the key", key, example)
		return false
	}
	r.Mapping(key, mapping.Values, fields, required...)
	return true
}

// Text returns the value of a plain or quoted string. Everything else, also an
// alias and a tag, is a problem: such a file is read by people first.
func (r *Reader) Text(value ast.Node, key, example string) (string, bool) {
	if text, ok := value.(*ast.StringNode); ok {
		return text.Value, true
	}
	r.At(value, "%s takes text such as %s, not a value of type %s", key, example, strings.ToLower(value.Type().String()))
	return "", false
}

// syntax reports what the YAML parser refused.
func (r *Reader) syntax(err error) {
	var placed yaml.Error
	if errors.As(err, &placed) {
		r.Report(placed.GetToken(), "not YAML: %s", placed.GetMessage())
		return
	}
	r.Report(nil, "not YAML: %v", err)
}

// At adds a problem at a node.
func (r *Reader) At(node ast.Node, format string, args ...any) {
	r.Report(node.GetToken(), format, args...)
}

// Report adds a problem at a token, or at the start of the file without one.
func (r *Reader) Report(at *token.Token, format string, args ...any) {
	r.Problems = append(r.Problems, r.Problem(at, format, args...))
}

// Problem is an error with its place.
func (r *Reader) Problem(at *token.Token, format string, args ...any) error {
	return fmt.Errorf("%s:%s: %s", r.File, Place(at), fmt.Sprintf(format, args...))
}

// Place is "line:column" of a token, the start of the file without one.
func Place(at *token.Token) string {
	if at == nil || at.Position == nil {
		return "1:1"
	}
	return fmt.Sprintf("%d:%d", at.Position.Line, at.Position.Column)
}
