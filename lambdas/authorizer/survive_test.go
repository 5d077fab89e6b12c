package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/authn/authntest"
)

// The outcomes as API Gateway answers them.
const (
	ok           = "allowed"
	unauthorized = "401"
	forbidden    = "403"
	failed       = "500"
)

// outcome returns what API Gateway would answer to what the function said, and
// checks that it said no more than that.
func outcome(t *testing.T, answer []byte, err error) string {
	t.Helper()
	switch {
	case err != nil && answer != nil:
		t.Errorf("an answer and an error: %s, %v", answer, err)
	case err != nil && err.Error() == "Unauthorized":
		return unauthorized
	case err != nil && err.Error() == errUndecided.Error():
		return failed
	case err != nil:
		t.Errorf("the error says %q", err)
		return failed
	}
	var policy events.APIGatewayCustomAuthorizerResponse
	if err := json.Unmarshal(answer, &policy); err != nil {
		t.Fatal(err)
	}
	statements := policy.PolicyDocument.Statement
	if len(statements) != 1 || len(statements[0].Resource) != 1 || !slices.Equal(statements[0].Action, []string{"execute-api:Invoke"}) {
		t.Fatalf("statements %+v", statements)
	}
	return map[string]string{"Allow": ok, "Deny": forbidden}[statements[0].Effect]
}

func (s *stand) ask(t *testing.T, token string) string {
	t.Helper()
	answer, err := s.Invoke(t.Context(), marshal(t, newEvent("Bearer "+token)))
	return outcome(t, answer, err)
}

func (s *stand) expect(t *testing.T, token, want string) {
	t.Helper()
	if got := s.ask(t, token); got != want {
		t.Errorf("%s; want %s; log:\n%s", got, want, s.log.String())
	}
}

func (s *stand) expectReads(t *testing.T, want int) {
	t.Helper()
	if got := s.issuer.readTimes(); got != want {
		t.Errorf("the JWK Set was read %d times; want %d", got, want)
	}
}

// TestSurvive holds the rows of the request path's survival list, each as an
// event to the function. The issuer is a server; no row is without it.
func TestSurvive(t *testing.T) {
	t.Run("12_ten_kilobytes_of_dots", surviveDots) // counts allocations, so by itself
	for _, row := range authntest.Refused(t) {
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			surviveRefused(t, row.Tokens)
		})
	}
	for name, test := range map[string]func(*testing.T){
		"07_embedded_or_linked_key":        surviveEmbeddedKey,
		"08_unknown_kid_flood":             surviveFlood,
		"15_times":                         surviveTimes,
		"17_id_token":                      surviveIDToken,
		"18_client_of_another_route":       surviveClients,
		"19_scopes":                        surviveScopes,
		"20_deep_json":                     surviveDepth,
		"21_removed_key":                   surviveRemovedKey,
		"22_broken_jwks_endpoint":          surviveBrokenEndpoint,
		"23_weak_keys":                     surviveWeakKeys,
		"33_two_authorization_headers":     surviveTwoHeaders,
		"34_credential_in_the_query":       surviveQuery,
		"39_missing_configuration":         surviveConfiguration,
		"41_policy_for_one_call_only":      surviveOtherCalls,
		"44_wildcards_and_policy_variable": surviveWildcards,
		"46_no_credential":                 surviveNoCredential,
		"53_panic":                         survivePanic,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// surviveRefused also counts: what is refused before a key is looked up causes
// no request, and so no RSA work.
func surviveRefused(t *testing.T, tokens []authntest.Token) {
	t.Helper()
	s := newStand(t)
	reads := 0
	for _, token := range tokens {
		if got := s.ask(t, token.Text); got != unauthorized {
			t.Errorf("%s: %s", token.Name, got)
		}
		reads = max(reads, token.Lookups)
		if got := s.issuer.readTimes(); got > reads {
			t.Errorf("%s: the JWK Set was read", token.Name)
		}
		if text := token.Text; len(text) > 40 && strings.Contains(s.log.String(), text[len(text)-40:]) {
			t.Errorf("%s: the token is in the log", token.Name)
		}
	}
	s.expect(t, goodToken(t), ok)
}

func surviveEmbeddedKey(t *testing.T) {
	var fetched atomic.Int32
	attacker := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer attacker.Close()
	surviveRefused(t, authntest.EmbeddedKeys(t, attacker.URL))
	if fetched.Load() != 0 {
		t.Error("an address from a header was asked")
	}
}

func surviveFlood(t *testing.T) {
	s := newStand(t)
	flood := func() {
		var calls sync.WaitGroup
		for i := range 300 {
			calls.Go(func() {
				header := fmt.Sprintf(`{"alg":"RS256","kid":"made-up-%d"}`, i)
				s.expect(t, authntest.Sign(t, header, authntest.AccessPayload), unauthorized)
			})
		}
		calls.Wait()
	}
	s.expectReads(t, 0)
	flood()
	s.expectReads(t, 1)
	s.clock.forward(authn.DefaultCoolDown - 1)
	s.expect(t, goodToken(t), ok)
	flood()
	s.expectReads(t, 1)
	s.clock.forward(1)
	flood()
	s.expectReads(t, 2)
	s.expect(t, goodToken(t), ok)
}

func surviveDots(t *testing.T) {
	s := newStand(t)
	allocations := func(size int) float64 {
		event := marshal(t, newEvent("Bearer "+strings.Repeat(".", size)))
		return testing.AllocsPerRun(10, func() {
			if _, err := s.Invoke(t.Context(), event); err == nil {
				t.Error("allowed")
			}
		})
	}
	s.expect(t, strings.Repeat(".", 10<<10), unauthorized)
	if short, long := allocations(10), allocations(10<<10); long > short+2 {
		t.Errorf("%v allocations for ten dots, %v for ten kilobytes", short, long)
	}
	s.expectReads(t, 0)
}

func surviveTimes(t *testing.T) {
	now := authntest.Now().Unix()
	skew := int64(authn.DefaultSkew / time.Second)
	for _, test := range []struct {
		claim string
		at    int64
		want  string
	}{
		{"exp", now - 1, unauthorized}, {"exp", now, unauthorized}, {"exp", now + 1, ok},
		{"nbf", now + skew, ok}, {"nbf", now + skew + 1, unauthorized},
		{"iat", now + skew, ok}, {"iat", now + skew + 1, unauthorized},
	} {
		newStand(t).expect(t, accessWith(t, test.claim, fmt.Sprint(test.at)), test.want)
	}
	s := newStand(t)
	s.expect(t, goodToken(t), ok)
	s.clock.forward(time.Hour)
	s.expect(t, goodToken(t), unauthorized)
}

func surviveIDToken(t *testing.T) {
	s := newStand(t)
	s.expect(t, authntest.Sign(t, authntest.AccessHeader, authntest.IDPayload), unauthorized)
	claims := authntest.With(authntest.With(authntest.IDPayload, "scope", `"notes/read"`), "client_id", `"`+clientID+`"`)
	s.expect(t, authntest.Sign(t, authntest.AccessHeader, claims), unauthorized)
}

// at is the event of a call to another route.
func at(t *testing.T, resource, path, token string) []byte {
	t.Helper()
	event := newEvent("Bearer " + token)
	event.Resource, event.Path = resource, path
	event.MethodArn = strings.Replace(methodARN, "/v1/session", path, 1)
	return marshal(t, event)
}

func (s *stand) expectAt(t *testing.T, resource, path, token, want string) {
	t.Helper()
	answer, err := s.Invoke(t.Context(), at(t, resource, path, token))
	if got := outcome(t, answer, err); got != want {
		t.Errorf("%s: %s; want %s; log:\n%s", path, got, want, s.log.String())
	}
}

func surviveClients(t *testing.T) {
	s := newStand(t)
	s.expect(t, goodToken(t), ok)
	s.expectAt(t, "/v1/mobile", "/v1/mobile", goodToken(t), forbidden)
	for _, client := range []string{`"mobileid"`, `"website"`, `"` + strings.ToUpper(clientID) + `"`, `"x"`} {
		s.expect(t, accessWith(t, "client_id", client), forbidden)
	}
}

func surviveScopes(t *testing.T) {
	s := newStand(t)
	s.expectAt(t, "/v1/readonly", "/v1/readonly", goodToken(t), forbidden)
	for _, scope := range []string{"", "openid", "notes/rea", "notes/readonly", "Notes/Read", "notes/*", "notes/read,web/use", "aws.cognito.signin.user.admin"} {
		s.expect(t, accessWith(t, "scope", `"`+scope+`"`), forbidden)
	}
	s.expect(t, accessWith(t, "scope", `"x/y web/use"`), ok)
}

func surviveDepth(t *testing.T) {
	s := newStand(t)
	for _, unit := range []string{`[`, `{"a":`} {
		s.expect(t, authntest.Sign(t, authntest.AccessHeader, `{"x":`+strings.Repeat(unit, 100_000)), unauthorized)
	}
	s.expectReads(t, 0)
}

func surviveRemovedKey(t *testing.T) {
	s := newStand(t)
	s.expect(t, goodToken(t), ok)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s.issuer.serve(authntest.JWKS(authntest.JWK("other", &other.PublicKey)))
	s.expect(t, goodToken(t), ok) // nobody has looked yet
	s.clock.forward(authn.DefaultMaxAge)
	s.expect(t, goodToken(t), unauthorized)
	s.expectReads(t, 2)
}

func surviveBrokenEndpoint(t *testing.T) {
	unknown := authntest.Sign(t, `{"alg":"RS256","kid":"other"}`, authntest.AccessPayload)
	withOther := authntest.JWKS(authntest.JWK("other", &authntest.Key(t).PublicKey))
	for name, broken := range map[string]http.HandlerFunc{
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"5xx": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(withOther))
		},
		"oversized": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(withOther + strings.Repeat(" ", authn.MaxJWKSBytes)))
		},
		"redirecting": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere/.well-known/jwks.json", http.StatusFound)
		},
		"broken off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9999")
			_, _ = w.Write([]byte(withOther))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			s.expect(t, goodToken(t), ok)
			s.issuer.set(broken)
			s.clock.forward(authn.DefaultMaxAge)
			s.expect(t, goodToken(t), ok)
			s.expect(t, unknown, unauthorized)
			s.expectReads(t, 2)

			cold := newStand(t)
			cold.issuer.set(broken)
			cold.expect(t, goodToken(t), failed) // it has never known a key, so it knows nothing of this one
			cold.expect(t, "x"+goodToken(t), unauthorized)
		})
	}
}

func surviveWeakKeys(t *testing.T) {
	s := newStand(t)
	key := &authntest.Key(t).PublicKey
	weak := new(big.Int).SetBit(big.NewInt(1), 1023, 1)
	huge := new(big.Int).SetBit(big.NewInt(1), 16383, 1)
	one := strings.Replace(authntest.JWK("one", key), `"AQAB"`, `"AQ"`, 1)
	s.issuer.serve(authntest.JWKS(one,
		authntest.JWK("weak", &rsa.PublicKey{N: weak}), authntest.JWK("huge", &rsa.PublicKey{N: huge}), authntest.JWK(authntest.KeyID, key)))
	// With e = 1 the padded digest is its own signature: try it.
	for _, kid := range []string{"one", "weak", "huge"} {
		s.expect(t, authntest.Sign(t, `{"alg":"RS256","kid":"`+kid+`"}`, authntest.AccessPayload), unauthorized)
	}
	s.expect(t, goodToken(t), ok)
}

func surviveTwoHeaders(t *testing.T) {
	s := newStand(t)
	good := "Bearer " + goodToken(t)
	for _, sent := range [][]string{{good, good}, {good, "Basic YTpi"}, {"Basic YTpi", good}, {good, ""}} {
		answer, err := s.Invoke(t.Context(), marshal(t, newEvent(sent...)))
		if got := outcome(t, answer, err); got != unauthorized {
			t.Errorf("%d headers: %s", len(sent), got)
		}
	}
	event := newEvent(good)
	event.MultiValueHeaders["authorization"] = []string{good}
	answer, err := s.Invoke(t.Context(), marshal(t, event))
	if got := outcome(t, answer, err); got != unauthorized {
		t.Errorf("two spellings: %s", got)
	}
}

func surviveQuery(t *testing.T) {
	s := newStand(t)
	for _, name := range []string{"access_token", "Access_Token", "Authorization", "token"} {
		event := newEvent()
		event.MultiValueQueryStringParameters = map[string][]string{name: {goodToken(t)}}
		event.QueryStringParameters = map[string]string{name: goodToken(t)}
		answer, err := s.Invoke(t.Context(), marshal(t, event))
		if got := outcome(t, answer, err); got != unauthorized {
			t.Errorf("%s: %s", name, got)
		}
	}
	event := newEvent("Bearer " + goodToken(t))
	event.MultiValueQueryStringParameters = map[string][]string{"access_token": {goodToken(t)}}
	answer, err := s.Invoke(t.Context(), marshal(t, event))
	if got := outcome(t, answer, err); got != unauthorized {
		t.Errorf("beside a header: %s", got)
	}
}

// What is said of one call is said of it alone: no wildcard, no other route.
func surviveOtherCalls(t *testing.T) {
	s := newStand(t)
	for path, resource := range map[string]string{
		"/v1/session": "/v1/session", "/v1/notes/7": "/v1/notes/{id}", "/v1/files/a/b%2fc": "/v1/files/{path+}", "/v1/mobile": "/v1/mobile",
	} {
		answer, err := s.Invoke(t.Context(), at(t, resource, path, goodToken(t)))
		if err != nil {
			t.Fatal(err)
		}
		want := `"Resource":["` + strings.Replace(methodARN, "/v1/session", path, 1) + `"]}]}`
		if !strings.Contains(string(answer), want) || strings.Contains(string(answer), "*") {
			t.Errorf("%s: got %s", path, answer)
		}
	}
}

func surviveWildcards(t *testing.T) {
	s := newStand(t)
	for _, id := range []string{"*", "7*", "?", "a?b", "${aws:username}", "${", "**", `"`, `\`, "a\u0000"} {
		s.expectAt(t, "/v1/notes/{id}", "/v1/notes/"+id, goodToken(t), unauthorized)
	}
	s.expectAt(t, "/v1/files/{path+}", "/v1/files/*/x", goodToken(t), unauthorized)
	event := newEvent("Bearer " + goodToken(t))
	for _, arn := range []string{"*", "arn:aws:execute-api:*:*:*", strings.Replace(methodARN, "GET", "*", 1), strings.Replace(methodARN, "GET", "POST", 1), methodARN + "/more"} {
		event.MethodArn = arn
		answer, err := s.Invoke(t.Context(), marshal(t, event))
		if got := outcome(t, answer, err); got != unauthorized {
			t.Errorf("%s: %s", arn, got)
		}
	}
	// Subjects stand in the context as texts, never in the policy.
	answer, err := s.Invoke(t.Context(), marshal(t, newEvent("Bearer "+accessWith(t, "sub", `"*"`))))
	if err != nil || strings.Count(string(answer), "*") != 2 || !strings.HasPrefix(string(answer), `{"principalId":"*",`) {
		t.Errorf("got %s, %v", answer, err)
	}
}

func surviveNoCredential(t *testing.T) {
	s := newStand(t)
	for _, sent := range [][]string{nil, {}, {""}, {"Bearer"}, {"Bearer "}, {goodToken(t)}, {"Basic " + base64.StdEncoding.EncodeToString([]byte("a:b"))}} {
		answer, err := s.Invoke(t.Context(), marshal(t, newEvent(sent...)))
		if got := outcome(t, answer, err); got != unauthorized {
			t.Errorf("%d headers: %s", len(sent), got)
		}
	}
	s.expectReads(t, 0)
}

func survivePanic(t *testing.T) {
	s := newStand(t)
	s.decide = func(_ context.Context, r authn.Request) authn.Decision { panic(string(r.Authorization[0])) }
	token := goodToken(t)
	s.expect(t, token, failed)
	if log := s.log.String(); !strings.Contains(log, `"msg":"panic"`) || strings.Contains(log, token[:20]) || strings.Contains(log, token[len(token)-20:]) {
		t.Errorf("got the log\n%s", log)
	}
}
