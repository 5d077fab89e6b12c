package stagefile

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/gatewright/gatewright/internal/apispec"
)

// The limits of a user-pool client's AccessTokenValidity and
// RefreshTokenValidity ("AWS CloudFormation Template Reference:
// AWS::Cognito::UserPoolClient TokenValidityUnits").
const (
	minTokenLifetime        = 5 * time.Minute
	maxTokenLifetime        = 24 * time.Hour
	minRefreshTokenLifetime = time.Hour
	maxRefreshTokenLifetime = 10 * 365 * 24 * time.Hour
)

const (
	exampleOrigin   = "https://shop.example.com"
	exampleCallback = "https://shop.example.com/callback"
)

var (
	// A CDK stage id is a letter and then letters, digits, ".", "_" and "-".
	// The name is also part of names on AWS, which take only the hyphen.
	namePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)

	// Regions carry no list, so that a new one needs no release:
	// "eu-west-1", "us-gov-west-1", "eusc-de-east-1".
	regionPattern = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+){1,2}-[1-9][0-9]?$`)

	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
)

// reader walks one file's syntax tree, because decoding into a struct would
// stop at the first problem and lose the place of each value.
type reader struct {
	file     string // as errors show it, with slashes
	stage    Stage
	places   map[string]*token.Token // of values that other files are compared with, by key
	problems []error
}

func newReader(file string) *reader {
	return &reader{
		file:   filepath.ToSlash(file),
		stage:  Stage{File: file, TokenLifetime: DefaultTokenLifetime, Retain: true, LogRetentionDays: DefaultLogRetentionDays},
		places: map[string]*token.Token{},
	}
}

func (r *reader) read(data []byte) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // the byte order mark some editors write
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		r.report(nil, "the file is empty; write at least name and region")
		return
	}
	body, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		r.at(file.Docs[0].Body, "not a mapping; write keys and values such as name: dev")
		return
	}
	seen := r.mapping("", body.Values, r.fields(), "name", "region")
	r.together(seen)
	if len(file.Docs) > 1 {
		second := file.Docs[1].Start
		if second == nil && file.Docs[1].Body != nil {
			second = file.Docs[1].Body.GetToken()
		}
		r.report(second, "a second document; give each stage a file of its own")
	}
}

// field is a key and what reads its value.
type field struct {
	key  string
	read func(ast.Node)
}

// fields are the keys of a stage file, in the order in which errors name them.
func (r *reader) fields() []field {
	return []field{
		{"name", r.name}, {"region", r.region}, {"account", r.account},
		{"origins", r.origins}, {"callbacks", r.callbacks},
		{"tokenLifetime", func(n ast.Node) {
			r.stage.TokenLifetime = r.lifetime(n, "tokenLifetime", "15m", minTokenLifetime, maxTokenLifetime)
		}},
		{"refreshTokenLifetime", func(n ast.Node) {
			r.stage.RefreshTokenLifetime = r.lifetime(n, "refreshTokenLifetime", "12h", minRefreshTokenLifetime, maxRefreshTokenLifetime)
		}},
		{"retain", r.retain}, {"throttle", r.throttle}, {"logRetention", r.logRetention}, {"domain", r.domain},
	}
}

// mapping reads the keys of a mapping that stands at a key of its own, or of
// the document where that is empty. It returns the place of each key.
func (r *reader) mapping(at string, values []*ast.MappingValueNode, fields []field, required ...string) map[string]*token.Token {
	var known []string
	for _, f := range fields {
		known = append(known, f.key)
	}
	seen := map[string]*token.Token{}
	for _, entry := range values {
		key := entry.Key.GetToken().Value
		name := join(at, key)
		i := slices.Index(known, key)
		if i < 0 {
			r.at(entry.Key, "unknown key %q; the keys are %s", name, strings.Join(known, ", "))
			continue
		}
		if first, twice := seen[key]; twice {
			r.at(entry.Key, "%s is set twice, first in line %d; keep one", name, first.Position.Line)
			continue
		}
		seen[key] = entry.Key.GetToken()
		if _, null := entry.Value.(*ast.NullNode); null {
			r.at(entry.Key, "%s has no value; write one or remove the key", name)
			continue
		}
		fields[i].read(entry.Value)
	}
	for _, key := range required {
		if seen[key] == nil {
			var place *token.Token
			if at != "" && len(values) > 0 {
				place = values[0].Key.GetToken()
			}
			r.report(place, "no %s; it is required", join(at, key))
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

// together checks what keys ask of each other, and sets what follows from
// another key.
func (r *reader) together(seen map[string]*token.Token) {
	s := &r.stage
	if s.RefreshTokenLifetime == 0 {
		s.RefreshTokenLifetime = max(DefaultRefreshTokenLifetime, s.TokenLifetime)
	}
	if s.RefreshTokenLifetime < s.TokenLifetime {
		r.report(seen["refreshTokenLifetime"], "refreshTokenLifetime is shorter than the tokenLifetime, which Cognito refuses; write %dh or more", (s.TokenLifetime+time.Hour-1)/time.Hour)
	}
	if seen["domain"] != nil && seen["account"] == nil {
		r.report(seen["domain"], "domain without an account; write the account whose zone it is, 12 digits")
	}
}

func (r *reader) name(value ast.Node) {
	name, ok := r.text(value, "name", "dev")
	if !ok {
		return
	}
	stem := strings.TrimSuffix(path.Base(r.file), ".yaml")
	switch {
	case !namePattern.MatchString(name):
		r.at(value, "name %q is no stage name; write a letter, then up to 63 letters, digits and hyphens", name)
	case name != stem:
		r.at(value, "name %q differs from the file's name; write %q or rename the file to %s.yaml", name, stem, name)
	}
	r.stage.Name = name
}

func (r *reader) region(value ast.Node) {
	region, ok := r.text(value, "region", "eu-west-1")
	if !ok {
		return
	}
	if !regionPattern.MatchString(region) {
		r.at(value, "region %q is no AWS Region; write one such as eu-west-1", region)
	}
	r.stage.Region = region
}

// account takes the digits quoted or not: unquoted ones are a number to YAML,
// whose source text is what counts.
func (r *reader) account(value ast.Node) {
	switch value.(type) {
	case *ast.StringNode, *ast.IntegerNode:
	default:
		r.text(value, "account", `"123456789012"`)
		return
	}
	account := value.GetToken().Value
	if !accountPattern.MatchString(account) {
		r.at(value, "account %q is no AWS account; write its 12 digits, or remove the key to use the account of whoever deploys", account)
	}
	r.stage.Account = account
}

func (r *reader) origins(value ast.Node) {
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		r.at(value, "origins is not a list; write [%s]", exampleOrigin)
		return
	}
	for i, item := range list.Values {
		key := fmt.Sprintf("origins[%d]", i)
		origin, ok := r.text(item, key, exampleOrigin)
		if !ok {
			continue
		}
		if err := apispec.CheckOrigin(origin); err != nil {
			r.at(item, "%s %v", key, err)
		}
		if slices.Contains(r.stage.Origins, origin) {
			r.at(item, "%s %q stands there twice; keep one", key, origin)
		}
		r.stage.Origins = append(r.stage.Origins, origin)
	}
}

// lifetime reads a token's lifetime. It returns 0 where that is unusable.
func (r *reader) lifetime(value ast.Node, key, example string, least, most time.Duration) time.Duration {
	text, ok := r.text(value, key, example)
	if !ok {
		return 0
	}
	lifetime, err := time.ParseDuration(text)
	switch {
	case err != nil:
		r.at(value, "%s %q is no duration; write a number with its unit, such as %s", key, text, example)
	case lifetime < least || lifetime > most:
		r.at(value, "%s %s is outside what Cognito takes; write %gm to %gh", key, text, least.Minutes(), most.Hours())
	case lifetime%time.Minute != 0:
		r.at(value, "%s %s is not in whole minutes; write one such as %dm", key, text, lifetime/time.Minute)
	default:
		return lifetime
	}
	return 0
}

// text returns the value of a plain or quoted string. Everything else, also an
// alias and a tag, is a problem: a stage file is read by people first.
func (r *reader) text(value ast.Node, key, example string) (string, bool) {
	if text, ok := value.(*ast.StringNode); ok {
		return text.Value, true
	}
	r.at(value, "%s takes text such as %s, not a value of type %s", key, example, strings.ToLower(value.Type().String()))
	return "", false
}

// syntax reports what the YAML parser refused.
func (r *reader) syntax(err error) {
	var placed yaml.Error
	if errors.As(err, &placed) {
		r.report(placed.GetToken(), "not YAML: %s", placed.GetMessage())
		return
	}
	r.report(nil, "not YAML: %v", err)
}

func (r *reader) at(node ast.Node, format string, args ...any) {
	r.report(node.GetToken(), format, args...)
}

// report adds a problem at a token, or at the start of the file without one.
func (r *reader) report(at *token.Token, format string, args ...any) {
	r.problems = append(r.problems, r.problem(at, format, args...))
}

func (r *reader) problem(at *token.Token, format string, args ...any) error {
	line, column := 1, 1
	if at != nil && at.Position != nil {
		line, column = at.Position.Line, at.Position.Column
	}
	return fmt.Errorf("%s:%d:%d: %s", r.file, line, column, fmt.Sprintf(format, args...))
}
