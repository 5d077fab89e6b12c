package stagefile

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/gatewright/gatewright/internal/apispec"
	"github.com/gatewright/gatewright/internal/strictyaml"
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
	exampleLogout   = "https://shop.example.com/"
	exampleScheme   = "com.example.shop:/callback"
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

// reader reads one stage file.
type reader struct {
	*strictyaml.Reader
	stage  Stage
	places map[string]*token.Token // of values that other files are compared with, by key
}

func newReader(file string) *reader {
	return &reader{
		Reader: strictyaml.NewReader(file),
		stage:  Stage{File: file, TokenLifetime: DefaultTokenLifetime, Retain: true, LogRetentionDays: DefaultLogRetentionDays},
		places: map[string]*token.Token{},
	}
}

func (r *reader) read(data []byte) {
	seen := r.Document(data, "write at least name and region", "name: dev", "give each stage a file of its own", r.fields(), "name", "region")
	r.together(seen)
}

// fields are the keys of a stage file, in the order in which errors name them.
func (r *reader) fields() []strictyaml.Field {
	return []strictyaml.Field{
		{Key: "name", Read: r.name}, {Key: "region", Read: r.region}, {Key: "account", Read: r.account},
		{Key: "origins", Read: r.origins},
		{Key: "callbacks", Read: func(n ast.Node) { r.stage.Callbacks = r.redirects(n, "callbacks", exampleCallback, false) }},
		{Key: "logouts", Read: func(n ast.Node) { r.stage.Logouts = r.redirects(n, "logouts", exampleLogout, false) }},
		{Key: "mobileCallbacks", Read: func(n ast.Node) {
			r.stage.MobileCallbacks = r.redirects(n, "mobileCallbacks", exampleScheme, true)
		}},
		{Key: "selfSignUp", Read: func(n ast.Node) { r.flag(n, "selfSignUp", "true to let anyone make a user", &r.stage.SelfSignUp) }},
		{Key: "tokenLifetime", Read: func(n ast.Node) {
			r.stage.TokenLifetime = r.lifetime(n, "tokenLifetime", "15m", minTokenLifetime, maxTokenLifetime)
		}},
		{Key: "refreshTokenLifetime", Read: func(n ast.Node) {
			r.stage.RefreshTokenLifetime = r.lifetime(n, "refreshTokenLifetime", "12h", minRefreshTokenLifetime, maxRefreshTokenLifetime)
		}},
		{Key: "retain", Read: func(n ast.Node) {
			r.flag(n, "retain", "true to keep users and notes when the stage is deleted", &r.stage.Retain)
		}},
		{Key: "throttle", Read: r.throttle}, {Key: "logRetention", Read: r.logRetention}, {Key: "domain", Read: r.domain},
	}
}

// together checks what keys ask of each other, and sets what follows from
// another key.
func (r *reader) together(seen map[string]*token.Token) {
	s := &r.stage
	if s.RefreshTokenLifetime == 0 {
		s.RefreshTokenLifetime = max(DefaultRefreshTokenLifetime, s.TokenLifetime)
	}
	if s.RefreshTokenLifetime < s.TokenLifetime {
		r.Report(seen["refreshTokenLifetime"], "refreshTokenLifetime is shorter than the tokenLifetime, which Cognito refuses; write %dh or more", (s.TokenLifetime+time.Hour-1)/time.Hour)
	}
	if seen["logouts"] != nil && seen["callbacks"] == nil {
		r.Report(seen["logouts"], "logouts without callbacks, so nobody signs in to a website; write callbacks or remove the key")
	}
	if seen["domain"] != nil && seen["account"] == nil {
		r.Report(seen["domain"], "domain without an account; write the account whose zone it is, 12 digits")
	}
}

func (r *reader) name(value ast.Node) {
	name, ok := r.Text(value, "name", "dev")
	if !ok {
		return
	}
	stem := strings.TrimSuffix(path.Base(r.File), ".yaml")
	switch {
	case !namePattern.MatchString(name):
		r.At(value, "name %q is no stage name; write a letter, then up to 63 letters, digits and hyphens", name)
	case name != stem:
		r.At(value, "name %q differs from the file's name; write %q or rename the file to %s.yaml", name, stem, name)
	}
	r.stage.Name = name
}

func (r *reader) region(value ast.Node) {
	region, ok := r.Text(value, "region", "eu-west-1")
	if !ok {
		return
	}
	if !regionPattern.MatchString(region) {
		r.At(value, "region %q is no AWS Region; write one such as eu-west-1", region)
	}
	r.stage.Region = region
}

// account takes the digits quoted or not: unquoted ones are a number to YAML,
// whose source text is what counts.
func (r *reader) account(value ast.Node) {
	switch value.(type) {
	case *ast.StringNode, *ast.IntegerNode:
	default:
		r.Text(value, "account", `"123456789012"`)
		return
	}
	account := value.GetToken().Value
	if !accountPattern.MatchString(account) {
		r.At(value, "account %q is no AWS account; write its 12 digits, or remove the key to use the account of whoever deploys", account)
	}
	r.stage.Account = account
}

func (r *reader) origins(value ast.Node) {
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		r.At(value, "origins is not a list; write [%s]", exampleOrigin)
		return
	}
	for i, item := range list.Values {
		key := fmt.Sprintf("origins[%d]", i)
		origin, ok := r.Text(item, key, exampleOrigin)
		if !ok {
			continue
		}
		if err := apispec.CheckOrigin(origin); err != nil {
			r.At(item, "%s %v", key, err)
		}
		if slices.Contains(r.stage.Origins, origin) {
			r.At(item, "%s %q stands there twice; keep one", key, origin)
		}
		r.stage.Origins = append(r.stage.Origins, origin)
	}
}

// lifetime reads a token's lifetime. It returns 0 where that is unusable.
func (r *reader) lifetime(value ast.Node, key, example string, least, most time.Duration) time.Duration {
	text, ok := r.Text(value, key, example)
	if !ok {
		return 0
	}
	lifetime, err := time.ParseDuration(text)
	switch {
	case err != nil:
		r.At(value, "%s %q is no duration; write a number with its unit, such as %s", key, text, example)
	case lifetime < least || lifetime > most:
		r.At(value, "%s %s is outside what Cognito takes; write %gm to %gh", key, text, least.Minutes(), most.Hours())
	case lifetime%time.Minute != 0:
		r.At(value, "%s %s is not in whole minutes; write one such as %dm", key, text, lifetime/time.Minute)
	default:
		return lifetime
	}
	return 0
}
