package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// TestSurvive holds what the request path must survive, by its number.
func TestSurvive(t *testing.T) {
	t.Parallel()
	c := testConfig(
		proxy("GET", "/v1/status", open), proxy("ANY", "/public/{proxy+}", open), proxy("GET", "/v1/whoami", cognito("notes/read")),
		proxy("GET", "/admin/{proxy+}", cognito("admin/all")), proxy("GET", "/signed", signedOnly),
	)
	challenge := map[string]string{"gatewayresponse.header.WWW-Authenticate": "'Bearer'"}
	c.API.GatewayResponses["UNAUTHORIZED"] = assembly.GatewayResponse{StatusCode: 401, Parameters: challenge}
	t.Run("40_paths_never_wider", func(t *testing.T) {
		t.Parallel()
		for request, status := range map[[2]string]int{
			{"GET", "/v1/whoami"}:                    401,
			{"GET", "/v1/whoami/"}:                   401,
			{"GET", "/v1/whoami//"}:                  403,
			{"GET", "//v1/whoami"}:                   403,
			{"GET", "/v1//whoami"}:                   403,
			{"GET", "/v1%2fwhoami"}:                  403,
			{"GET", "/v1/%77hoami"}:                  403,
			{"GET", "/v1/./whoami"}:                  403,
			{"GET", "/v1/status/../whoami"}:          403,
			{"GET", "/v1/status/%2e%2e/whoami"}:      403,
			{"GET", "/public/../v1/whoami"}:          403,
			{"GET", "/public/..%2fadmin/x"}:          403,
			{"GET", "/public/%2e%2e%5cadmin"}:        403,
			{"GET", "/public//admin/x"}:              403,
			{"GET", "/public/admin/x"}:               200,
			{"GET", "/admin/x"}:                      401,
			{"GET", "/admin/x/"}:                     401,
			{"GET", "/admin/"}:                       403,
			{"GET", "/admin"}:                        403,
			{"POST", "/v1/whoami"}:                   403,
			{"HEAD", "/v1/whoami"}:                   403,
			{"ANY", "/v1/whoami"}:                    403,
			{"POST", "/admin/x"}:                     403,
			{"GET", "/V1/WHOAMI"}:                    403,
			{"GET", "/v1/whoami%00"}:                 403,
			{"GET", "/v1/whoami;a=b"}:                403,
			{"GET", "/v1/whoami%3Fx"}:                403,
			{"GET", "/v1/status?path=/v1/whoami"}:    200,
			{"GET", "/v1/whoami?path=/v1/status"}:    401,
			{"GET", "/v1/status/"}:                   200,
			{"GET", "http://else.example/v1/status"}: 200,
		} {
			g := serve(t, c)
			w := g.do(httptest.NewRequest(request[0], request[1], nil))
			if w.Code != status || (g.functions.calls() > 0) != (status == 200) {
				t.Errorf("%v: got %d, want %d; the function ran %d times", request, w.Code, status, g.functions.calls())
			}
		}
	})
	t.Run("41_a_cached_allow_on_another_route", func(t *testing.T) {
		t.Parallel()
		for name, auth := range map[string]assembly.Authorization{"TOKEN": byToken(time.Hour, ""), "REQUEST": custom(time.Hour, header)} {
			f := &twoFunctions{}
			f.authorizer.output = says("Allow", callARN, "")
			g := serveCustom(t, f, proxy("GET", "/v1/session", auth), proxy("POST", "/v1/session", auth), proxy("GET", "/v1/session/{id}", auth), proxy("GET", "/v1/admin", auth))
			for i, try := range []struct {
				method, target string
				status         int
			}{
				{"GET", "/v1/session", 200}, {"POST", "/v1/session", 403}, {"GET", "/v1/session/1", 403}, {"GET", "/v1/admin", 403}, {"GET", "/v1/session", 200},
			} {
				r := httptest.NewRequest(try.method, try.target, nil)
				r.Header.Set("Authorization", "key")
				if w := g.do(r); w.Code != try.status || f.authorizer.calls() != 1 {
					t.Errorf("%s %d: %s %s got %d, want %d; the authorizer ran %d times", name, i, try.method, try.target, w.Code, try.status, f.authorizer.calls())
				}
			}
			if f.calls() != 2 {
				t.Errorf("%s: the backend ran %d times", name, f.calls())
			}
		}
	})
	t.Run("45_execute_api_host_with_a_custom_domain", func(t *testing.T) {
		t.Parallel()
		c := c
		api := *c.API
		api.ExecuteAPIDisabled = true
		api.Domains = []assembly.Domain{{Name: "api.example.com", BasePath: "shop", Stage: "dev"}}
		c.API = &api
		for _, target := range []string{
			"/dev/v1/whoami", "/dev/v1/status", "/dev/shop/v1/status", "/shop/v1/status", "/dev", "/", "/other/v1/status", "/dev/nothing",
		} {
			for _, host := range []string{"api123.execute-api.localhost", "API123.execute-api.localhost:4010", "api123.execute-api.localhost."} {
				g := serve(t, c)
				r := httptest.NewRequest(http.MethodGet, target, nil)
				r.Host = host
				r.Header.Set("Authorization", "Bearer access-read")
				r.Header.Set("X-Forwarded-Host", "api.example.com")
				check(t, g.do(r), 403, `{"message":"Forbidden"}`, "ForbiddenException")
				if g.functions.calls() != 0 {
					t.Errorf("%s %s: a function ran", host, target)
				}
			}
		}
		g := serve(t, c)
		if w := g.get("/shop/v1/whoami", "Bearer access-read"); w.Code != 200 {
			t.Errorf("the domain answers %d", w.Code)
		}
	})
	t.Run("46_no_credential", func(t *testing.T) {
		t.Parallel()
		g := serve(t, c)
		w := g.get("/v1/whoami", "")
		check(t, w, 401, unauthorizedBody, "UnauthorizedException")
		if got := w.Header().Get("WWW-Authenticate"); got != "Bearer" {
			t.Errorf("WWW-Authenticate is %q", got)
		}
		check(t, g.get("/signed", ""), 403, missingBody, "MissingAuthenticationTokenException")
		if w := g.get("/signed", "Bearer access-read"); w.Code != 403 || w.Header().Get("x-amzn-ErrorType") != "IncompleteSignatureException" ||
			!strings.Contains(w.Body.String(), "Invalid key=value pair (missing equal-sign) in Authorization header") {
			t.Errorf("Bearer got %d %s", w.Code, w.Body)
		}
		signed := httptest.NewRequest(http.MethodGet, "/signed", nil)
		signed.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/execute-api/aws4_request, SignedHeaders=host, Signature=00")
		signed.Header.Set("X-Amz-Date", "20261121T020500Z")
		check(t, g.do(signed), 403, `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********0000:api123/dev/GET/signed"}`, "AccessDeniedException")
		if g.functions.calls() != 0 {
			t.Error("a function ran")
		}
	})
	t.Run("42_identity_only_from_the_token", func(t *testing.T) {
		t.Parallel()
		g := serve(t, c)
		r := httptest.NewRequest(http.MethodGet, "/v1/whoami", nil)
		r.Header.Set("Authorization", "access-read")
		r.Header.Set("X-Amzn-Remapped-Authorization", "forged")
		r.Header.Set("X-User-Sub", "forged")
		g.do(r)
		claims := g.functions.event(t)["requestContext"].(map[string]any)["authorizer"].(map[string]any)["claims"].(map[string]any)
		if claims["sub"] != "client-1" {
			t.Errorf("claims %v", claims)
		}
	})
	t.Run("43_claims_are_encoded", func(t *testing.T) {
		t.Parallel()
		g := serve(t, c)
		g.get("/v1/whoami", "access-read")
		claims := g.functions.event(t)["requestContext"].(map[string]any)["authorizer"].(map[string]any)["claims"].(map[string]any)
		if claims["odd"] != "a\r\nb\"c" {
			t.Errorf("claim %q", claims["odd"])
		}
	})
}
