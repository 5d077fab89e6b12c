package assembly_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/gatewright/gatewright/internal/assembly"
)

// yamlScalars are texts as YAML may have them without quotes, and what they
// mean. A comma or a bracket would end some of them within brackets.
var yamlScalars = map[string]any{
	"AWS::Region": "AWS::Region", "arn:aws:s3:::shop/*": "arn:aws:s3:::shop/*", "http://x:80/y?a=b&c": "http://x:80/y?a=b&c",
	"$context.requestId": "$context.requestId", "two words": "two words", "a#b": "a#b", "-x": "-x", "x-": "x-", "2012-10-17": "2012-10-17",
	"7": json.Number("7"), "-1.50": json.Number("-1.50"), "0o7": "0o7", "08": "08", "1_0": "1_0", "12:30": "12:30", "yes": true, "OFF": false,
	`"a: b # c"`: "a: b # c", `'it''s: {x}'`: "it's: {x}", `"tab\t\"q\""`: "tab\t\"q\"", "''": "", "A.Outputs.B": "A.Outputs.B", "/{proxy+}": "/{proxy+}",
	"gatewayresponse.header.X": "gatewayresponse.header.X", "é": "é", "a=b:c": "a=b:c",
}

// yamlWriter writes a random value in a random style, and says what it means.
type yamlWriter struct{ t *rapid.T }

func (w yamlWriter) scalar(flow bool) (string, any) {
	var usable []string
	for text := range yamlScalars {
		quoted := strings.ContainsAny(text[:1], `"'`)
		if !flow || quoted || !strings.ContainsAny(text, "{}[],") {
			usable = append(usable, text)
		}
	}
	slices.Sort(usable)
	text := rapid.SampledFrom(usable).Draw(w.t, "scalar")
	return text, yamlScalars[text]
}

// value returns what follows a key or a dash: a text in the same line, or lines
// that begin with a line feed.
func (w yamlWriter) value(depth, indent int, flow bool) (string, any) {
	kind := rapid.IntRange(0, 6).Draw(w.t, "kind")
	if depth == 0 {
		kind = min(kind, 1)
	}
	switch {
	case kind == 0:
		tag := rapid.SampledFrom([]string{"Ref", "Fn::Sub", "Fn::GetAtt", "Fn::ImportValue"}).Draw(w.t, "function")
		text, value := w.scalar(flow)
		return "!" + strings.TrimPrefix(tag, "Fn::") + " " + text, map[string]any{tag: value}
	case kind < 3:
		return w.scalar(flow)
	case kind == 3:
		text, value := w.collection(depth, indent, flow)
		return "!If " + text, map[string]any{"Fn::If": value}
	default:
		return w.collection(depth, indent, flow)
	}
}

func (w yamlWriter) collection(depth, indent int, flow bool) (string, any) {
	flow = flow || rapid.Bool().Draw(w.t, "flow")
	isList := rapid.Bool().Draw(w.t, "list")
	deeper := indent + rapid.IntRange(1, 4).Draw(w.t, "indent")
	n := rapid.IntRange(1, 3).Draw(w.t, "members")
	list, object := []any{}, map[string]any{}
	var parts []string
	for i := range n {
		text, value := w.value(depth-1, deeper, flow)
		list = append(list, value)
		key := fmt.Sprintf("K%d", i)
		object[key] = value
		if isList {
			key = ""
		} else {
			key += ": "
		}
		switch comment := rapid.Bool().Draw(w.t, "comment"); {
		case flow:
			parts = append(parts, key+text)
			continue
		case comment && !strings.Contains(text, "\n"):
			text += " # " + "a: comment"
		}
		if isList {
			key = "- "
		}
		parts = append(parts, "\n"+strings.Repeat(" ", deeper)+key+text)
	}
	switch {
	case flow && isList:
		return "[" + strings.Join(parts, ", ") + "]", list
	case flow:
		return "{" + strings.Join(parts, ", ") + "}", object
	case isList:
		return strings.Join(parts, ""), list
	default:
		return strings.Join(parts, ""), object
	}
}

// Whatever the style, YAML means the same.
func TestYAMLStyles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text, want := yamlWriter{rt}.value(4, 6, false)
		source := "Resources:\n  A:\n    Type: T\n    Metadata:\n      V: " + text + "\n  B: {Type: T}\n"
		a, err := lone(t, "t.yaml", source)
		if err != nil {
			rt.Fatalf("%v\n%s", err, source)
		}
		m, err := a.Model("", assembly.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if got := m.Resources[0].Metadata["V"]; !reflect.DeepEqual(got, want) || len(m.Resources) != 2 {
			rt.Fatalf("got  %#v\nwant %#v\n%s", got, want, source)
		}
	})
}
