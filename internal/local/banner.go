package local

import (
	"cmp"
	"io"
	"path"
	"slices"
	"strings"
	"text/template"

	"github.com/gatewright/gatewright/internal/assembly"
)

// banner tells a person what runs and how to try it. Its lines work as they
// stand, in the order printed.
func (s *stage) banner(r Ready) error {
	view := struct {
		Ready
		Stages  []string // URLs of those that the API's own does not serve
		Token   *Client
		Routes  []line
		KeyWays []string // command lines that send a customer's key, one for each way
	}{
		Ready: r, Stages: s.otherStages(), Token: tokenClient(r), Routes: curls(r.API, s.callable(), credentialsOf(r)),
		KeyWays: s.keyWays(r),
	}
	var out strings.Builder
	if err := bannerTemplate.Execute(&out, view); err != nil {
		return err
	}
	_, err := io.WriteString(s.config.Stdout, out.String())
	return err
}

// line is one route of the banner.
type line struct {
	Route
	Reason string
	Try    string // a command line, or why there is none
}

// tokenClient is the first client that gets tokens without a person.
func tokenClient(r Ready) *Client {
	for _, pool := range r.UserPools {
		for _, client := range pool.Clients {
			if client.Secret != "" && slices.Contains(client.Flows, "client_credentials") {
				return &client
			}
		}
	}
	return nil
}

// credentials are what the lines of the banner can send, as shell variables.
type credentials struct {
	token    *Client // whose $TOKEN there is; nil for none
	customer bool    // there is a customer's $CUSTOMER_KEY
	apiKey   bool    // there is one of API Gateway's, $KEY
}

func credentialsOf(r Ready) credentials {
	return credentials{token: tokenClient(r), customer: len(r.Customers) > 0, apiKey: len(r.APIKeys) > 0}
}

// curls are the lines for routes in an order in which each works: what is
// created is read and changed before it is deleted.
func curls(api string, routes []assembly.Route, has credentials) []line {
	routes = slices.Clone(routes)
	slices.SortStableFunc(routes, func(a, b assembly.Route) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(strings.Count(a.Method, "DELETE"), strings.Count(b.Method, "DELETE")))
	})
	created := map[string]string{} // path of a collection's members → shell variable with one's id
	for _, r := range routes {
		if member := memberOf(r.Path); member != "" && slices.ContainsFunc(routes, func(other assembly.Route) bool {
			return other.Method == "POST" && other.Path == path.Dir(r.Path)
		}) {
			created[r.Path] = strings.ToUpper(member)
		}
	}
	var lines []line
	for _, r := range routes {
		l := line{Route: Route{Method: r.Method, Path: r.Path, Access: describe(r)}, Reason: r.PublicReason}
		url := api + filled(r.Path, created)
		for member, variable := range created {
			if r.Method == "POST" && path.Dir(member) == r.Path {
				l.Try = variable + "=$(" + curl(r, "curl -s -D - -o /dev/null", url, has) + ` | sed -n 's|^[Ll]ocation: .*/||p' | tr -d '\r')`
			}
		}
		if plain := curl(r, "curl", url, has); l.Try == "" || strings.HasPrefix(plain, "#") {
			l.Try = plain
		}
		lines = append(lines, l)
	}
	return lines
}

// memberOf returns the variable that a path ends with, "" where it ends with none.
func memberOf(p string) string {
	name, isVariable := strings.CutPrefix(path.Base(p), "{")
	if !isVariable || strings.HasSuffix(name, "+}") {
		return ""
	}
	return strings.TrimSuffix(name, "}")
}

// filled writes a path with something in the place of each variable: what was
// created, or the variable's name.
func filled(p string, created map[string]string) string {
	if variable, ok := created[p]; ok {
		p = path.Dir(p) + "/$" + variable
	}
	return strings.NewReplacer("{", "", "+}", "", "}", "").Replace(p)
}

// curl is a command line that calls a route, or a comment that says why there
// is none.
func curl(r assembly.Route, command, url string, has credentials) string {
	words := []string{command}
	if r.Method != "GET" && r.Method != "ANY" {
		words = append(words, "-X "+r.Method)
	}
	switch {
	case r.Integration.Unsupported != "":
		return "# answers 500: " + r.Integration.Unsupported
	case r.APIKeyRequired && !has.apiKey:
		return "# nobody can call it: no enabled API key is on a usage plan of the stage"
	case r.Authorization.Type == assembly.AuthorizationNone:
	case r.Authorization.Type == assembly.AuthorizationCognito && len(r.Authorization.Scopes) > 0 && has.token == nil:
		return "# an access token of a user: gatewright token --client NAME prints one"
	case r.Authorization.Type == assembly.AuthorizationCognito && len(r.Authorization.Scopes) > 0:
		words = append(words, `-H "`+cmp.Or(r.Authorization.Authorizer.Header, "Authorization")+`: Bearer $TOKEN"`)
	case r.Authorization.Type == assembly.AuthorizationCognito:
		return "# an ID token of a user: gatewright token --client NAME --json prints one"
	case r.Authorization.Type == assembly.AuthorizationCustom && r.Authorization.Rules != nil:
		variable, none := has.forRules(r.Authorization.Rules)
		if none != "" {
			return "# " + none
		}
		words = append(words, `-H "Authorization: Bearer `+variable+`"`)
	case r.Authorization.Type == assembly.AuthorizationCustom && slices.Equal(r.Authorization.Authorizer.IdentitySources, []string{"method.request.header.Authorization"}):
		words = append(words, `-H "Authorization: Bearer $TOKEN"`)
	case r.Authorization.Type == assembly.AuthorizationCustom:
		return "# its Lambda authorizer, " + r.Authorization.Authorizer.Name + ", says what it takes"
	default:
		return "# answers 403: signatures are not evaluated yet"
	}
	if r.APIKeyRequired {
		words = append(words, `-H "x-api-key: $KEY"`)
	}
	if body := sample(r.Models); body != "" {
		words = append(words, `-H "Content-Type: application/json"`, "-d '"+strings.ReplaceAll(body, "'", `'\''`)+"'")
	}
	return strings.Join(append(words, required(r, url)...), " ")
}

// forRules is the variable that holds a credential which rules take, or what to do
// for one.
func (has credentials) forRules(rules *assembly.CallerRules) (variable, none string) {
	var clients []string
	for _, rule := range rules.Tokens {
		if has.token != nil && (len(rule.Issuers) > 0 || slices.Contains(rule.ClientIDs, has.token.ID)) &&
			slices.ContainsFunc(rule.Scopes, func(scope string) bool { return slices.Contains(has.token.Scopes, scope) }) {
			return "$TOKEN", ""
		}
		clients = append(clients, rule.Clients...)
	}
	switch {
	case len(rules.Key) > 0 && has.customer:
		return "$CUSTOMER_KEY", ""
	case len(rules.Key) > 0:
		return "", "with a customer's key: gatewright customers create --name NAME --scope " + rules.Key[0] + ", then gatewright keys create ID"
	case len(clients) > 0:
		return "", "for users of " + strings.Join(clients, " or ") + " only; sign in: gatewright token --client NAME"
	default:
		return "", "no client of the stage gets a token for it without a user; sign in: gatewright token --client NAME"
	}
}

// keyWays are command lines that call the first route that takes a key and wants
// nothing else, as a customer's tool would: one for each way that the API takes.
func (s *stage) keyWays(r Ready) []string {
	if len(r.Customers) == 0 {
		return nil
	}
	for _, route := range s.callable() {
		if route.Method != "GET" || strings.Contains(route.Path, "{") || route.Authorization.Rules == nil || len(route.Authorization.Rules.Key) == 0 {
			continue
		}
		ways := []string{`-H "Authorization: Bearer $CUSTOMER_KEY"`, `-u "${CUSTOMER_KEY%_*}:${CUSTOMER_KEY##*_}"`}
		if s.api.Customers.KeyHeader {
			ways = append(ways, `-H "x-api-key: $CUSTOMER_KEY"`)
		}
		for i := range ways {
			ways[i] = strings.Join(append([]string{"curl", ways[i]}, required(route, r.API+route.Path)...), " ")
		}
		return ways
	}
	return nil
}

// required are the headers and the URL with the query that a route's validator
// asks for; what is in the path stands there.
func required(r assembly.Route, url string) []string {
	var words, query []string
	if r.Validator == nil || !r.Validator.Parameters {
		return []string{url}
	}
	for _, p := range r.RequiredParameters {
		switch p.In {
		case "header":
			words = append(words, `-H "`+p.Name+": "+p.Name+`"`)
		case "query":
			query = append(query, p.Name+"="+p.Name)
		}
	}
	if len(query) > 0 {
		url = `"` + url + "?" + strings.Join(query, "&") + `"`
	}
	return append(words, url)
}

var bannerTemplate = template.Must(template.New("banner").Parse(`
Gatewright serves stage {{.Stage}} ({{.Region}}) from its own template. Ctrl-C stops it.

  API    {{.API}}{{if .Stages}}   stage {{.APIStage}}{{end}}{{range .Stages}}
         {{.}}{{end}}
  auth   {{.Auth}}{{range .UserPools}}   user pool {{.ID}}{{end}}
  AWS    {{.AWS}}   for SDKs and the AWS CLI
{{- with .Site}}
  site   {{.}}{{end}}
{{- range .Users}}
  user   {{.Username}}   password {{.Password}}{{end}}
{{with .Token}}
A token for the client "{{.Name}}", good for {{.Lifetime.Minutes}} minutes; its id and secret are good for this run only:

  TOKEN=$(curl -s -u {{.ID}}:{{.Secret}} -d grant_type=client_credentials {{$.Auth}}/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
{{end}}{{with .Customers}}{{with index . 0}}
The customer "Demo", {{.ID}}, with a key that is good for this run only{{if $.KeyWays}}, and each way to send it{{end}}.
gatewright customers and gatewright keys make more:

  CUSTOMER_KEY={{.Key}}
{{end}}{{range $.KeyWays}}  {{.}}
{{end}}{{end}}{{range $i, $key := .APIKeys}}
{{if $i}}# {{end}}The API key "{{.Name}}" of {{range $j, $plan := .Plans}}{{if $j}}, {{end}}{{$plan}}{{end}}:

  {{if $i}}# {{end}}KEY={{.Value}}
{{end}}
Routes:
{{range .Routes}}
  {{.Method}} {{.Path}}   {{.Access}}{{with .Reason}}: {{.}}{{end}}
    {{.Try}}
{{end}}
The AWS CLI:

  export AWS_ENDPOINT_URL={{.AWS}} AWS_REGION={{.Region}} AWS_ACCESS_KEY_ID={{.AWSCredentials.AccessKeyID}} AWS_SECRET_ACCESS_KEY={{.AWSCredentials.SecretAccessKey}}

`))
