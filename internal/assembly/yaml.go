package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML reads YAML 1.1 as CloudFormation does: without aliases and merges,
// with functions as tags, and with dates and numbers as they are written
// ("CloudFormation template format").
func parseYAML(data []byte) (any, error) {
	if len(data) > maxYAML {
		return nil, fmt.Errorf("longer than %d MB, the most that CloudFormation takes", maxYAML>>20)
	}
	tokens := mendTokens(lexer.Tokenize(string(data)))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if syntax := (*yaml.SyntaxError)(nil); errors.As(err, &syntax) {
		return nil, failAt(syntax.Token, "%s", syntax.Message)
	}
	if err != nil {
		return nil, err
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, failAt(doc.Body.GetToken(), "a second document; a template is one")
		}
		body = doc.Body
	}
	if body == nil {
		return nil, errors.New("empty; a template has at least Resources")
	}
	return yamlValue(body, column{})
}

func failAt(t *token.Token, format string, arguments ...any) error {
	if t == nil || t.Position == nil {
		return fmt.Errorf(format, arguments...)
	}
	return &placeError{t.Position.Line, t.Position.Column, fmt.Sprintf(format, arguments...)}
}

// mendTokens joins what the lexer takes apart: in {Value: !Ref AWS::Region} a
// colon that no space follows is part of the text ("YAML 1.1", 9.1.3).
func mendTokens(tokens token.Tokens) token.Tokens {
	var out token.Tokens
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		for i+2 < len(tokens) && isPlain(t) && tokens[i+1].Type == token.MappingValueType && isPlain(tokens[i+2]) {
			colon, rest := tokens[i+1], tokens[i+2]
			if rest.Position.Line != t.Position.Line || !strings.HasSuffix(t.Origin, t.Value) ||
				colon.Origin != ":" || !strings.HasPrefix(rest.Origin, rest.Value) {
				break
			}
			t.Type, t.Value, t.Origin = token.StringType, t.Value+":"+rest.Value, t.Origin+":"+rest.Origin
			if t.Next = rest.Next; rest.Next != nil {
				rest.Next.Prev = t
			}
			i += 2
		}
		out = append(out, t)
	}
	return out
}

func isPlain(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.BoolType, token.NullType, token.IntegerType, token.BinaryIntegerType, token.OctetIntegerType,
		token.HexIntegerType, token.FloatType, token.InfinityType, token.NanType:
		return true
	default:
		return false
	}
}

// checkTokens refuses what the parser would spend too much on, or what
// CloudFormation refuses.
func checkTokens(tokens token.Tokens) error {
	flow, tags := 0, 0
	for i, t := range tokens {
		tags++
		switch t.Type {
		case token.TagType:
			if tags > 4 {
				return failAt(t, "too many tags in a row")
			}
			continue
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return failAt(t, "anchors, aliases and merges are not understood; CloudFormation takes none")
		case token.MappingKeyType:
			return failAt(t, "a key that is no text is not understood")
		case token.SequenceEntryType:
			if t.Position.Column > 2*maxDepth {
				return failAt(t, "nested more than %d deep", maxDepth)
			}
		case token.MappingValueType:
			if flow == 0 && i > 0 && tokens[i-1].Position.Column > 4*maxDepth {
				return failAt(t, "nested more than %d deep", maxDepth)
			}
		}
		tags = 0
		if flow > maxDepth {
			return failAt(t, "nested more than %d deep", maxDepth)
		}
	}
	return nil
}

// column is the leftmost one where a block may begin. A list may stand right
// below the key that it belongs to.
type column struct{ object, list int }

// yamlValue turns a node into what JSON would give. What stands in a block is
// further right than the block around it: the parser takes the lines after a
// tag without a value for that value.
func yamlValue(node ast.Node, from column) (any, error) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return yamlObject(n, from)
	case *ast.SequenceNode:
		return yamlList(n, from)
	case *ast.TagNode:
		return yamlFunction(n, from)
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.NullNode, nil:
		return nil, nil
	case *ast.StringNode:
		if n.Token.Type == token.StringType {
			return plain(n.Value), nil
		}
		return n.Value, nil
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return plain(node.GetToken().Value), nil
	default:
		return nil, failAt(node.GetToken(), "%s is not understood", strings.ToLower(node.Type().String()))
	}
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// plain reads a scalar without quotes: YAML 1.1 has more words for true and
// false than JSON. A number that JSON would not take stays a text.
func plain(text string) any {
	switch text {
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON":
		return true
	case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
		return false
	}
	if jsonNumber.MatchString(text) {
		return json.Number(text)
	}
	return text
}

func yamlObject(n *ast.MappingNode, from column) (any, error) {
	out := map[string]any{}
	for _, entry := range n.Values {
		key := entry.Key.GetToken()
		if _, scalar := entry.Key.(ast.ScalarNode); !scalar {
			return nil, failAt(key, "a key that is no text is not understood")
		}
		inner := from
		if at := key.Position.Column; !n.IsFlowStyle {
			if inner = (column{at + 1, at}); at < from.object {
				return nil, failAt(key, "stands no further right than what it belongs to; a function without a value takes ''")
			}
		}
		if _, twice := out[key.Value]; twice {
			return nil, failAt(key, "%q stands twice in one object", key.Value)
		}
		value, err := yamlValue(entry.Value, inner)
		if err != nil {
			return nil, err
		}
		out[key.Value] = value
	}
	return out, nil
}

func yamlList(n *ast.SequenceNode, from column) (any, error) {
	inner := from
	if at := n.Start.Position.Column; !n.IsFlowStyle {
		if inner = (column{at + 1, at + 1}); at < from.list {
			return nil, failAt(n.Start, "stands no further right than what it belongs to; a function without a value takes ''")
		}
	}
	out := []any{}
	for _, member := range n.Values {
		value, err := yamlValue(member, inner)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

// functionTags are the functions that have a short form beside Ref and
// Condition ("Intrinsic function reference", AWS CloudFormation).
var functionTags = []string{
	"And", "Base64", "Cidr", "Equals", "FindInMap", "GetAtt", "GetAZs", "GetStackOutput", "If", "ImportValue", "Join",
	"Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform",
}

// yamlFunction turns a short form into the long one: !Sub x is {"Fn::Sub": x}.
func yamlFunction(n *ast.TagNode, from column) (any, error) {
	name := strings.TrimPrefix(n.Start.Value, "!")
	value, err := yamlValue(n.Value, from)
	if err != nil {
		return nil, err
	}
	switch {
	case name == "!str":
		return text(value), nil
	case name == "Ref" || name == "Condition":
		return map[string]any{name: value}, nil
	case slices.Contains(functionTags, name):
		return map[string]any{"Fn::" + name: value}, nil
	default:
		return nil, failAt(n.Start, "the tag %s is not understood", n.Start.Value)
	}
}
