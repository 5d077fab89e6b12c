package caller_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/caller"
)

// from is a request as API Gateway hands it on: each header stands in both
// maps, in the single one with its last value.
func from(origins ...string) events.APIGatewayProxyRequest {
	r := events.APIGatewayProxyRequest{Headers: map[string]string{}, MultiValueHeaders: map[string][]string{}}
	if len(origins) > 0 {
		r.Headers["origin"], r.MultiValueHeaders["origin"] = origins[len(origins)-1], origins
	}
	return r
}

func ExampleCORS() {
	cors := caller.CORS{"https://shop.example.com", "https://www.example.com"}
	answer := events.APIGatewayProxyResponse{StatusCode: 200, Headers: map[string]string{"ETag": `"1"`}}
	answer = cors.Allow(from("https://www.example.com"), answer)
	for _, name := range slices.Sorted(maps.Keys(answer.Headers)) {
		fmt.Printf("%s: %s\n", name, answer.Headers[name])
	}
	// Output:
	// Access-Control-Allow-Origin: https://www.example.com
	// Access-Control-Expose-Headers: WWW-Authenticate, Retry-After, ETag
	// ETag: "1"
	// Vary: Origin
}

const (
	shop    = "https://shop.example.com"
	www     = "https://www.example.com"
	foreign = "https://evil.example.org"
	exposes = "WWW-Authenticate, Retry-After, ETag"
)

func TestCORS(t *testing.T) {
	t.Parallel()
	allowing := func(origin string) map[string]string {
		return map[string]string{"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": exposes}
	}
	varied := func(origin string) map[string]string {
		h := allowing(origin)
		h["Vary"] = "Origin"
		return h
	}
	nobody := map[string]string{"Vary": "Origin"}
	tests := []struct {
		name    string
		cors    caller.CORS
		request events.APIGatewayProxyRequest
		want    map[string]string
	}{
		{"no origins", nil, from(shop), nil},
		{"one, asked by it", caller.CORS{shop}, from(shop), allowing(shop)},
		{"one, asked by another", caller.CORS{shop}, from(foreign), allowing(shop)},
		{"one, asked by none", caller.CORS{shop}, from(), allowing(shop)},
		{"one, written twice", caller.CORS{shop, shop}, from(shop), allowing(shop)},
		{"several, the first", caller.CORS{shop, www}, from(shop), varied(shop)},
		{"several, the last", caller.CORS{shop, www}, from(www), varied(www)},
		{"several, another", caller.CORS{shop, www}, from(foreign), nobody},
		{"several, a prefix", caller.CORS{shop, www}, from(shop + ".example.org"), nobody},
		{"several, in capitals", caller.CORS{shop, www}, from("https://SHOP.example.com"), nobody},
		{"several, none", caller.CORS{shop, www}, from(), nobody},
		{"several, an empty one", caller.CORS{shop, www}, from(""), nobody},
		{"several, two headers", caller.CORS{shop, www}, from(shop, www), nobody},
		{"several, the single map", caller.CORS{shop, www}, events.APIGatewayProxyRequest{Headers: map[string]string{"Origin": www}}, varied(www)},
		{"several, two spellings", caller.CORS{shop, www}, events.APIGatewayProxyRequest{Headers: map[string]string{"Origin": www, "origin": shop}}, nobody},
		{"anybody is nobody", caller.CORS{"*"}, from("*"), nil},
		{"null is nobody", caller.CORS{"null"}, from("null"), nil},
		{"empty is nobody", caller.CORS{""}, from(""), nil},
		{"anybody beside one", caller.CORS{"*", shop}, from(foreign), allowing(shop)},
		{"anybody and null beside two", caller.CORS{"*", shop, "null", www}, from("null"), nobody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, status := range []int{200, 404} {
				got := tt.cors.Allow(tt.request, events.APIGatewayProxyResponse{StatusCode: status})
				if !reflect.DeepEqual(got.Headers, tt.want) || got.MultiValueHeaders != nil || got.StatusCode != status {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
			}
		})
	}
}

// What a handler set itself is kept, except for an origin of its own.
func TestCORSKeepsHeaders(t *testing.T) {
	t.Parallel()
	answer := events.APIGatewayProxyResponse{
		Headers: map[string]string{
			"Location": "/v1/notes/1", "vary": "Accept", "access-control-allow-origin": "*", "Access-Control-Expose-Headers": "Location, etag",
		},
		MultiValueHeaders: map[string][]string{
			"Set-Cookie": {"a=1", "b=2"}, "Vary": {"Accept-Language,Accept"}, "Access-Control-Allow-Origin": {"*"}, "access-control-expose-headers": {"X-Total"},
		},
		Body: "{}",
	}
	single, multi := maps.Clone(answer.Headers), maps.Clone(answer.MultiValueHeaders)
	got := caller.CORS{shop, www}.Allow(from(www), answer)
	want := events.APIGatewayProxyResponse{
		Headers: map[string]string{
			"Location": "/v1/notes/1", "Vary": "Accept, Accept-Language, Origin", "Access-Control-Allow-Origin": www,
			"Access-Control-Expose-Headers": "Location, etag, X-Total, WWW-Authenticate, Retry-After",
		},
		MultiValueHeaders: map[string][]string{"Set-Cookie": {"a=1", "b=2"}},
		Body:              "{}",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !reflect.DeepEqual(answer.Headers, single) || !reflect.DeepEqual(answer.MultiValueHeaders, multi) {
		t.Errorf("the handler's own maps became %+v", answer)
	}
}

func TestCORSVary(t *testing.T) {
	t.Parallel()
	for before, want := range map[string]string{"": "Origin", "origin": "origin", "Accept, Origin": "Accept, Origin", "*": "*"} {
		answer := events.APIGatewayProxyResponse{Headers: map[string]string{"Vary": before}}
		if got := (caller.CORS{shop, www}).Allow(from(foreign), answer).Headers["Vary"]; got != want {
			t.Errorf("%q became %q, want %q", before, got, want)
		}
	}
}

// The same headers give the same answer, whatever order a map has.
func TestCORSIsDeterministic(t *testing.T) {
	t.Parallel()
	for range 50 {
		answer := events.APIGatewayProxyResponse{Headers: map[string]string{"Vary": "Accept", "vary": "Cookie", "VARY": "Range"}}
		if got := (caller.CORS{shop, www}).Allow(from(shop), answer).Headers["Vary"]; got != "Accept, Cookie, Range, Origin" {
			t.Fatalf("varies by %s", got)
		}
	}
}

// A page of a foreign origin never reads an answer, whatever the handler set.
func TestCORSForeignOrigin(t *testing.T) {
	t.Parallel()
	answer := events.APIGatewayProxyResponse{Headers: map[string]string{"Access-Control-Allow-Origin": foreign}}
	if got, set := (caller.CORS{shop, www}).Allow(from(foreign), answer).Headers["Access-Control-Allow-Origin"]; set {
		t.Errorf("allowed %q", got)
	}
}
