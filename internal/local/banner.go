package local

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"
)

// banner tells a person what runs and how to try it. Every curl line works as
// it stands, in the order printed.
func (s *stage) banner(r Ready) error {
	view := struct {
		Ready
		Token  *Client
		Routes []line
	}{Ready: r, Token: tokenClient(r)}
	for i, route := range s.callable() {
		view.Routes = append(view.Routes, line{Route: r.Routes[i], Reason: route.PublicReason, Curl: curl(r.API, r.Routes[i])})
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
	Curl   string
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

// curl is a command line that calls a route.
func curl(api string, r Route) string {
	words := []string{"curl"}
	if r.Method != "GET" && r.Method != "ANY" {
		words = append(words, "-X "+r.Method)
	}
	if strings.HasPrefix(r.Access, "scope ") {
		words = append(words, `-H "Authorization: Bearer $TOKEN"`)
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
A token for the client "{{.Name}}", good for this run only:

  TOKEN=$(curl -s -u {{.ID}}:{{.Secret}} -d grant_type=client_credentials {{$.Auth}}/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
{{end}}
Routes:
{{range .Routes}}
  {{.Method}} {{.Path}}   {{.Access}}{{with .Reason}}: {{.}}{{end}}
    {{.Curl}}
{{end}}
The AWS CLI:

  export AWS_ENDPOINT_URL={{.AWS}} AWS_REGION={{.Region}} AWS_ACCESS_KEY_ID={{.AWSCredentials.AccessKeyID}} AWS_SECRET_ACCESS_KEY={{.AWSCredentials.SecretAccessKey}}

`))
