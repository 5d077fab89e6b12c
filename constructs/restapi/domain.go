package restapi

import (
	"errors"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// reserve takes the API's base path on its domain.
func (p Props) reserve(this constructs.Construct) error {
	switch {
	case p.Domain != nil:
		return p.Domain.Reserve(p.BasePath, *this.Node().Path())
	case p.BasePath != "":
		return errors.New("BasePath without a Domain; the execute-api host has none, so remove it or set the Domain")
	}
	return nil
}

// executeAPIDisabled is true with a domain and nil, the default, without.
func (p Props) executeAPIDisabled() *bool {
	if p.Domain == nil {
		return nil
	}
	return jsii.Bool(true)
}

// mapDomain puts the deployed stage below the domain's base path.
func (a *RestAPI) mapDomain(this constructs.Construct, p Props) {
	a.url = *a.API.Url()
	if p.Domain == nil {
		return
	}
	a.url = p.Domain.URL(p.BasePath)
	var basePath *string
	if p.BasePath != "" {
		basePath = jsii.String(p.BasePath)
	}
	awsapigateway.NewBasePathMapping(this, jsii.String("BasePath"), &awsapigateway.BasePathMappingProps{
		BasePath:   basePath,
		DomainName: p.Domain.DomainName,
		RestApi:    a.API,
		Stage:      a.Stage,
	})
}

// URL is where the API answers, with a slash at its end: on its domain, or on
// the execute-api host where it has none.
func (a *RestAPI) URL() string { return a.url }
