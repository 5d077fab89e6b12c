package assembly_test

import (
	"reflect"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

func TestDomainNames(t *testing.T) {
	t.Parallel()
	const mutual = `"MutualTlsAuthentication": {"TruststoreUri": "s3://b/t"}`
	tests := map[string]struct {
		resources string
		want      assembly.DomainName
		listed    string // what is not understood; empty for nothing
		decides   bool
	}{
		"regional": {`"D": {"Type": "AWS::ApiGateway::DomainName", "Properties": {"DomainName": "api.example.com", "SecurityPolicy": "TLS_1_0", "EndpointConfiguration": {"Types": ["REGIONAL"]}}}`,
			assembly.DomainName{SecurityPolicy: "TLS_1_0", EndpointTypes: []string{"REGIONAL"}}, "", false},
		"by default": {`"D": {"Type": "AWS::ApiGateway::DomainName", "Properties": {"DomainName": "api.example.com"}}`,
			assembly.DomainName{EndpointTypes: []string{"EDGE"}}, "", false},
		"mutual TLS": {`"D": {"Type": "AWS::ApiGateway::DomainName", "Properties": {"DomainName": "api.example.com", ` + mutual + `}}`,
			assembly.DomainName{EndpointTypes: []string{"EDGE"}, MutualTLS: true}, "mutual TLS is not served", true},
		"of HTTP APIs": {`"D": {"Type": "AWS::ApiGatewayV2::DomainName", "Properties": {"DomainName": "api.example.com", "DomainNameConfigurations": [{"SecurityPolicy": "TLS_1_2"}], ` + mutual + `}}`,
			assembly.DomainName{SecurityPolicy: "TLS_1_2", EndpointTypes: []string{"REGIONAL"}, MutualTLS: true}, "mutual TLS is not served", false},
		"of HTTP APIs, to a REST API": {`"D": {"Type": "AWS::ApiGatewayV2::DomainName", "Properties": {"DomainName": "api.example.com", ` + mutual + `}},
			"M": {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": {"ApiId": {"Ref": "API"}, "ApiMappingKey": "v1", "DomainName": {"Ref": "D"}, "Stage": "live"}}`,
			assembly.DomainName{MutualTLS: true}, "mutual TLS is not served", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := read(t, [2]string{"Api", template(withPool(anyPool), test.resources)})
			got := *m.DomainNames[0]
			test.want.Place, test.want.Name = got.Place, "api.example.com"
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if test.listed == "" && len(m.NotUnderstood) > 0 || test.listed != "" && !lists(m, test.listed, test.decides) {
				t.Errorf("not understood is %v, want %q", m.NotUnderstood, test.listed)
			}
		})
	}
}

// An API of REST may be reached by a mapping of HTTP APIs' kind.
func TestMappingOfTheOtherKind(t *testing.T) {
	t.Parallel()
	m := read(t, [2]string{"Api", template(withPool(anyPool),
		`"M": {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": {"ApiId": {"Ref": "API"}, "ApiMappingKey": "v1", "DomainName": "api.example.com", "Stage": {"Ref": "Stage"}}}`)})
	if want := []assembly.Domain{{Name: "api.example.com", BasePath: "v1", Stage: "live"}}; !reflect.DeepEqual(m.RestAPIs[0].Domains, want) {
		t.Errorf("got %+v", m.RestAPIs[0].Domains)
	}
}
