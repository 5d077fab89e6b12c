package local

import (
	"fmt"
	"io"
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
		Token  *Client
		Routes []line
	}{Ready: r, Token: tokenClient(r)}
	for i, route := range s.callable() {
		view.Routes = append(view.Routes, line{Route: r.Routes[i], Reason: route.PublicReason, Try: try(r.API, route)})
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

// try is a command line that calls a route, or a comment that says why there
// is none.
func try(api string, r assembly.Route) string {
	words := []string{"curl"}
	if r.Method != "GET" && r.Method != "ANY" {
		words = append(words, "-X "+r.Method)
	}
	switch {
	case r.Integration.Unsupported != "":
		return "# answers 500: " + r.Integration.Unsupported
	case r.Authorization.Type == assembly.AuthorizationNone:
	case r.Authorization.Type == assembly.AuthorizationCognito && len(r.Authorization.Scopes) > 0:
		words = append(words, `-H "Authorization: Bearer $TOKEN"`)
	default:
		return "# " + describe(r.Authorization) + ": not served to anyone yet"
	}
	path := strings.NewReplacer("{", "", "+}", "", "}", "").Replace(r.Path)
	return strings.Join(append(words, fmt.Sprintf("%s%s", api, path)), " ")
}

var bannerTemplate = template.Must(template.New("banner").Parse(`
Gatewright serves stage {{.Stage}} ({{.Region}}) from its own template. Ctrl-C stops it.

  API    {{.API}}
  auth   {{.Auth}}{{range .UserPools}}   user pool {{.ID}}{{end}}
  AWS    {{.AWS}}   for SDKs and the AWS CLI
{{with .Token}}
A token for the client "{{.Name}}", good for {{.Lifetime}}; its id and secret are good for this run only:

  TOKEN=$(curl -s -u {{.ID}}:{{.Secret}} -d grant_type=client_credentials {{$.Auth}}/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
{{end}}
Routes:
{{range .Routes}}
  {{.Method}} {{.Path}}   {{.Access}}{{with .Reason}}: {{.}}{{end}}
    {{.Try}}
{{end}}
The AWS CLI:

  export AWS_ENDPOINT_URL={{.AWS}} AWS_REGION={{.Region}} AWS_ACCESS_KEY_ID={{.AWSCredentials.AccessKeyID}} AWS_SECRET_ACCESS_KEY={{.AWSCredentials.SecretAccessKey}}

`))
