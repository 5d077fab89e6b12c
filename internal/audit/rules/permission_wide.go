package rules

import (
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

var permissionWide = audit.Rule{
	ID:       "permission-wide",
	Severity: audit.Error,
	Title:    "A function that every API may call",
	Why: "A permission for apigateway.amazonaws.com without a SourceArn lets any API call the function, past the authorizer of " +
		"yours, and without a SourceAccount any API of any account; one whose SourceArn leaves the API open lets every API of " +
		"the account. So does one for the principal *, and then not APIs alone. The function believes what the event says of " +
		"its caller.",
	Fix: "Set SourceArn to the API's: arn:aws:execute-api:region:account:api-id/stage/GET/path.",
	Source: audit.Source{
		Title: "Using resource-based policies for Lambda, AWS Lambda",
		URL:   "https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
	},
	Check: func(m *assembly.Model, r *audit.Report) {
		for _, p := range m.Permissions {
			conditions := strings.Split(p.Condition, ", ")
			anyone := p.Principal == "*" && p.Condition == "" // not by a function URL, which AuthType guards
			if p.Principal != "apigateway.amazonaws.com" && !anyone || slices.Contains(conditions, "SourceArn") {
				continue
			}
			switch {
			case p.SourceARN == "":
				r.Find(p.Place, "no SourceArn says which API may call the function")
			case everyAPI(p.SourceARN):
				r.Find(p.Place, "every API of the account may call the function")
			}
		}
	},
}
