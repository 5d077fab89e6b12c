package report

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// detailsOf are the lines about a route of what is not in the matrix, each with
// its label.
func detailsOf(r Route) [][2]string {
	var out [][2]string
	if reason := r.PublicReason; reason != "" {
		out = append(out, [2]string{"open for", reason})
	}
	out = append(out, [2]string{"asks for", asksFor(r)})
	if len(r.Limits) > 0 {
		out = append(out, [2]string{"limits", joined(r.Limits, Limit.String)})
	}
	if r.Validation != nil {
		out = append(out, [2]string{"checks", r.Validation.String()})
	}
	target := r.Target.Name
	if r.Target.Function == "" && r.Target.Type != target {
		target = r.Target.Type + " " + target
	}
	if r.Target.Problem != "" {
		target += "; not served locally: " + r.Target.Problem
	}
	return append(out, [2]string{"answered by", target})
}

// asksFor says in words what a route asks of a caller.
func asksFor(r Route) string {
	var text string
	switch r.Authorization {
	case "NONE":
		text = "nothing"
		if r.KeyRequired {
			return "an API key, which is no authorization"
		}
	case "COGNITO_USER_POOLS":
		text = "an ID token of any user"
		if with := r.withScopes(); with != "" {
			text = "an access token" + with
		}
	case "JWT":
		text = "a token" + r.withScopes()
	case "AWS_IAM":
		text = "a signature (AWS_IAM)"
	case "CUSTOM":
		text = "what its Lambda authorizer decides"
		if r.ruled {
			text = ruled(r)
		}
	default:
		return "something that is not understood"
	}
	if r.Authorizer != "" {
		text += ", authorizer " + r.Authorizer
	}
	if r.KeyRequired {
		text += ", and an API key"
	}
	return text
}

// ruled says what Gatewright's own Lambda authorizer asks for.
func ruled(r Route) string {
	var ways []string
	if len(r.Scopes) > 0 {
		token := "an access token with " + oneOf(r.Scopes)
		if len(r.Clients) > 0 {
			token += ", of the client " + strings.Join(r.Clients, " or ")
		}
		ways = append(ways, token)
	}
	if len(r.KeyScopes) > 0 {
		ways = append(ways, "a customer's key with "+oneOf(r.KeyScopes))
	}
	if len(ways) == 0 {
		return "what nobody has: its Lambda authorizer has no rule for it"
	}
	return strings.Join(ways, ", or ")
}

// withScopes says which scopes a token needs; it is empty where it needs none.
func (r Route) withScopes() string {
	switch {
	case r.ScopesUnknown && len(r.Scopes) == 0:
		return " with scopes that are not known"
	case r.ScopesUnknown:
		return " with " + oneOf(r.Scopes) + ", or another that is not known"
	case len(r.Scopes) > 0:
		return " with " + oneOf(r.Scopes)
	}
	return ""
}

func oneOf(scopes []string) string {
	if len(scopes) == 1 {
		return "scope " + scopes[0]
	}
	return "any scope of " + strings.Join(scopes, ", ")
}

// String writes a limit in words: "100/s, burst 200 (stage live)".
func (l Limit) String() string {
	var parts []string
	if l.Rate != nil {
		parts = append(parts, strconv.FormatFloat(*l.Rate, 'f', -1, 64)+"/s")
	}
	if l.Burst != nil {
		parts = append(parts, "burst "+strconv.Itoa(*l.Burst))
	}
	if l.Quota != nil {
		parts = append(parts, strconv.Itoa(*l.Quota)+" a "+strings.ToLower(l.Period))
	}
	return cmp.Or(strings.Join(parts, ", "), "none") + " (" + l.By + " " + l.Name + ")"
}

// String writes what is checked in words.
func (v Validation) String() string {
	var parts []string
	if len(v.Body) > 0 {
		parts = append(parts, "body of "+strings.Join(v.Body, ", "))
	}
	if len(v.Parameters) > 0 {
		parts = append(parts, "presence of "+strings.Join(v.Parameters, ", "))
	}
	return strings.Join(parts, "; ")
}

// explain says in words who a caller is.
func explain(c Caller) string {
	switch c.Kind {
	case KindAnyone:
		return "whoever reaches the API, without a credential"
	case KindKey:
		return "whoever has an API key of a usage plan of the stage"
	case KindClient:
		text := fmt.Sprintf("client of %s: %s; scopes %s", shortPath(c.Of), orNone(c.Flows), orNone(c.Scopes))
		if len(c.Unknown) > 0 {
			text += "; not known in full: " + strings.Join(c.Unknown, ", ")
		}
		return text
	case KindIssuer:
		if c.ID == KindIssuer {
			return "whoever has a token that a route takes: which one it takes is not known"
		}
		return "clients of an issuer that this stage does not declare: " + strings.TrimPrefix(c.ID, KindIssuer+":")
	case KindAuthorizer:
		return "whoever its function lets pass, which no template says"
	case KindRole:
		return "who signs as the role " + shortPath(c.Path)
	case KindSigned:
		return "principals of the account, or of those that the resource policy names, whose policies are not in this stage"
	case KindGuest:
		return "guests of the identity pool, who sign as the role " + shortPath(c.Of)
	}
	return c.Kind
}

// shortPath is a construct path without the part that the CDK adds for the
// resource within a construct.
func shortPath(path string) string { return strings.TrimSuffix(path, "/Resource") }

func orNone(list []string) string { return cmp.Or(strings.Join(list, ", "), "none") }

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func joined[T any](list []T, text func(T) string) string {
	var parts []string
	for _, one := range list {
		parts = append(parts, text(one))
	}
	return strings.Join(parts, "; ")
}
