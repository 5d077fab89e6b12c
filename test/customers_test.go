package test

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/gatewright/gatewright/access"
	"github.com/gatewright/gatewright/constructs/customers"
	"github.com/gatewright/gatewright/constructs/gofunction"
	"github.com/gatewright/gatewright/constructs/restapi"
)

const report = "GET /report"

// withKeys gives the shop customers and a route with the rule.
func withKeys(rule access.Rule) func(*shop) {
	return func(s *shop) {
		s.props.Customers = customers.New(awscdk.Stack_Of(s.users.Pool), "Customers", customers.Props{})
		s.props.Routes[report] = restapi.Route{Access: rule, Target: s.orders}
	}
}

// keyed declares an API without users, whose one route takes a key with any scope
// of the customers' own.
func keyed(stack awscdk.Stack, shop *customers.Customers, p restapi.Props) *restapi.RestAPI {
	p.Customers = shop
	p.Routes = restapi.Routes{report: {
		Access: access.Key(shop.Scopes()...),
		Target: gofunction.New(stack, "Orders", gofunction.Props{Package: statusPackage}),
	}}
	return restapi.New(stack, "API", p)
}
