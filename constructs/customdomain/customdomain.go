// Package customdomain gives REST APIs a host name of their own: an Amazon API
// Gateway custom domain with its certificate and its DNS records.
//
//	domain := customdomain.New(stack, "Domain", customdomain.Props{
//		Name:   "api.example.com",
//		Zone:   "example.com",
//		ZoneID: "Z0123456789ABCDEFGHIJ",
//	})
//	restapi.New(stack, "API", restapi.Props{Domain: domain, Routes: routes})
//
// The domain is Regional and takes TLS 1.2 or newer. An API that has one no
// longer answers on its execute-api host, where whatever hangs on the domain
// would be bypassed. Several APIs share a domain by different base paths.
package customdomain

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Props describes a domain.
type Props struct {
	// Name is the host name that callers use, "api.example.com": lower case,
	// in the zone or the zone itself, at most 64 characters, which is what a
	// certificate's first name takes ("RequestCertificate", AWS Certificate
	// Manager). A wildcard is an error. Required.
	Name string
	// Zone is the name of the public hosted zone that answers for Name:
	// "example.com", in lower case and without a dot at its end. Required. What
	// is no domain name, or does not hold Name, is an error.
	Zone string
	// ZoneID is the hosted zone's id: "Z0123456789ABCDEFGHIJ". Default: it is
	// looked up by the CDK CLI and kept in cdk.context.json, which needs
	// credentials once, and a stack whose account and Region are set; where
	// they are not, that is an error, and so is what cannot be such an id.
	ZoneID string
}

// Domain is a custom domain with its certificate and records.
type Domain struct {
	// Zone, Certificate, DomainName, A and AAAA are the CDK's objects.
	Zone        awsroute53.IHostedZone
	Certificate awscertificatemanager.Certificate
	DomainName  awsapigateway.DomainName
	A, AAAA     awsroute53.CfnRecordSet

	name  string
	taken map[string]string // construct path of the API, by base path
}

// New declares the domain. It panics with an error that names the construct
// and holds every problem where the props are unusable.
func New(scope constructs.Construct, id string, p Props) *Domain {
	this := constructs.NewConstruct(scope, jsii.String(id))
	if err := p.validate(awscdk.Stack_Of(this)); err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	d := &Domain{Zone: p.zone(this), name: p.Name, taken: map[string]string{}}
	d.Certificate = awscertificatemanager.NewCertificate(this, jsii.String("Certificate"), &awscertificatemanager.CertificateProps{
		DomainName: jsii.String(p.Name),
		Validation: awscertificatemanager.CertificateValidation_FromDns(d.Zone),
	})
	d.DomainName = awsapigateway.NewDomainName(this, jsii.String("Domain"), &awsapigateway.DomainNameProps{
		Certificate:    d.Certificate,
		DomainName:     jsii.String(p.Name),
		EndpointType:   awsapigateway.EndpointType_REGIONAL,
		SecurityPolicy: awsapigateway.SecurityPolicy_TLS_1_2,
	})
	d.A, d.AAAA = d.record(this, "A"), d.record(this, "AAAA")
	return d
}

func (p Props) zone(this constructs.Construct) awsroute53.IHostedZone {
	if p.ZoneID == "" {
		return awsroute53.HostedZone_FromLookup(this, jsii.String("Zone"), &awsroute53.HostedZoneProviderProps{
			DomainName: jsii.String(p.Zone),
		})
	}
	return awsroute53.HostedZone_FromHostedZoneAttributes(this, jsii.String("Zone"), &awsroute53.HostedZoneAttributes{
		HostedZoneId: jsii.String(p.ZoneID),
		ZoneName:     jsii.String(p.Zone),
	})
}

// record points the name at the domain. awsroute53targets would do the same
// and bring every service that Route 53 can point at.
func (d *Domain) record(this constructs.Construct, kind string) awsroute53.CfnRecordSet {
	return awsroute53.NewCfnRecordSet(this, jsii.String(kind), &awsroute53.CfnRecordSetProps{
		AliasTarget: &awsroute53.CfnRecordSet_AliasTargetProperty{
			DnsName:      d.DomainName.DomainNameAliasDomainName(),
			HostedZoneId: d.DomainName.DomainNameAliasHostedZoneId(),
		},
		HostedZoneId: d.Zone.HostedZoneId(),
		Name:         jsii.String(d.name + "."),
		Type:         jsii.String(kind),
	})
}

// URL is where an API on the domain answers, with a slash at its end:
// "https://api.example.com/" or, below a base path, "https://api.example.com/v1/".
func (d *Domain) URL(basePath string) string {
	if basePath != "" {
		basePath += "/"
	}
	return "https://" + d.name + "/" + basePath
}

// Reserve takes a base path of the domain for the API with a construct path.
// An empty base path is the whole domain and excludes all others: API Gateway
// takes no mapping beside it. It returns an error where the base path is
// malformed, or taken. restapi calls it; an app has no need to.
func (d *Domain) Reserve(basePath, api string) error {
	if err := checkBasePath(basePath); err != nil {
		return err
	}
	for taken, other := range d.taken {
		switch {
		case taken == basePath:
			return fmt.Errorf("BasePath %q of %s is taken by %s; write another", basePath, d.name, other)
		case taken == "":
			return fmt.Errorf("BasePath %q of %s is blocked by %s, which has the whole domain; give that a BasePath too", basePath, d.name, other)
		case basePath == "":
			return fmt.Errorf("no BasePath, and %s has %q of %s; write another, because an empty one takes the whole domain", other, taken, d.name)
		}
	}
	d.taken[basePath] = api
	return nil
}
