package gateway

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/authn/authntest"
	"github.com/gatewright/gatewright/internal/customers"
)

// TestSurviveTokensBehindTheAuthorizer sends every wrong token of the survival
// list's rows 1 to 16 through the gateway and the process of lambdas/authorizer.
func TestSurviveTokensBehindTheAuthorizer(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	for _, row := range authntest.RefusedLike(t, d.claims("", ""), d.issuer.URL) {
		t.Run(row.Name, func(t *testing.T) {
			for _, token := range row.Tokens {
				// What no header may hold never reaches a gateway.
				if strings.ContainsFunc(token.Text, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' }) {
					continue
				}
				w := d.get("/v1/orders", "Bearer "+token.Text)
				if w.Code != 401 || w.Body.String() != unauthorizedBody || w.Header().Get("WWW-Authenticate") != challenge {
					t.Errorf("%s: %d %s", token.Name, w.Code, w.Body)
				}
			}
		})
	}
	t.Run("21_removed_key", func(t *testing.T) {
		good := d.token(t, "", "")
		if w := d.get("/v1/orders", "Bearer "+good); w.Code != 200 {
			t.Fatalf("before: %d", w.Code)
		}
		d.serveJWKS()
		time.Sleep(authn.DefaultCoolDown) // then an unknown key id has the set read anew
		unknown := authntest.Sign(t, `{"alg":"RS256","kid":"other"}`, d.claims("", ""))
		for _, token := range []string{unknown, good} {
			if w := d.get("/v1/orders", "Bearer "+token); w.Code != 401 {
				t.Errorf("after: %d", w.Code)
			}
		}
	})
	if d.functions.calls() != 1 {
		t.Errorf("the backend ran %d times", d.functions.calls())
	}
}

func TestSurviveWeakKeysBehindTheAuthorizer(t *testing.T) {
	t.Parallel()
	t.Run("23_weak_keys", func(t *testing.T) {
		d := deploy(t)
		key := &authntest.Key(t).PublicKey
		one := strings.Replace(authntest.JWK("one", key), `"AQAB"`, `"AQ"`, 1)
		d.serveJWKS(one, authntest.JWK("weak", &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1)}),
			authntest.JWK("huge", &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 16383, 1)}), authntest.JWK(authntest.KeyID, key))
		for _, kid := range []string{"one", "weak", "huge"} {
			if w := d.get("/v1/orders", "Bearer "+authntest.Sign(t, `{"alg":"RS256","kid":"`+kid+`"}`, d.claims("", ""))); w.Code != 401 {
				t.Errorf("%s: %d", kid, w.Code)
			}
		}
		if w := d.get("/v1/orders", "Bearer "+d.token(t, "", "")); w.Code != 200 {
			t.Errorf("a good key beside them: %d", w.Code)
		}
		if other, err := rsa.GenerateKey(rand.Reader, 2048); err != nil || other.Equal(authntest.Key(t)) {
			t.Error(err)
		}
	})
}

// customer makes a customer with notes/read and one key.
func (d *deployed) customer(t *testing.T) (*customers.Customer, *customers.IssuedKey) {
	t.Helper()
	c, err := d.store.Create(t.Context(), customers.NewCustomer{Name: "Acme", Plan: "gold", Scopes: []string{"notes/read"}})
	if err != nil {
		t.Fatal(err)
	}
	return c, d.key(t, c.ID, time.Time{})
}

func (d *deployed) key(t *testing.T, customerID string, expires time.Time) *customers.IssuedKey {
	t.Helper()
	k, err := d.store.CreateKey(t.Context(), customerID, keyFormat, customers.NewKeyRequest{Expires: expires})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func basicHeader(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// expect sends a credential and wants a status after so many reads of the table.
func (d *deployed) expect(t *testing.T, target, authorization string, status int, gets int32) {
	t.Helper()
	before, ran := d.gets.Load(), d.functions.calls()
	w := d.get(target, authorization)
	if w.Code != status || (d.functions.calls() > ran) != (status == 200) {
		t.Errorf("%s: %d %s; want %d", target, w.Code, w.Body, status)
	}
	if got := d.gets.Load() - before; got != gets {
		t.Errorf("%s: %d reads of the table; want %d", target, got, gets)
	}
	want := map[int]string{401: unauthorizedBody, 403: explicitBody, 500: internalBody}[status]
	if status != 200 && w.Body.String() != want {
		t.Errorf("got %s", w.Body)
	}
	if status == 401 && w.Header().Get("WWW-Authenticate") != challenge {
		t.Errorf("the challenge is %q", w.Header().Get("WWW-Authenticate"))
	}
}

// TestSurviveKeysBehindTheAuthorizer sends keys and Basic, as the survival list has
// them, through the gateway and the process of lambdas/authorizer, which reads a
// table that wants signatures.
func TestSurviveKeysBehindTheAuthorizer(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	c, k := d.customer(t)
	key, user, password := "Bearer "+k.Text(), k.BasicUser(), k.BasicPassword()
	const orders = "/v1/orders"
	d.expect(t, orders, key, 200, 1)
	d.expect(t, orders, basicHeader(user, password), 200, 0)

	none := func(t *testing.T, sent ...string) {
		t.Helper()
		for _, authorization := range sent {
			d.expect(t, orders, authorization, 401, 0)
		}
	}
	t.Run("24_bad_prefix_or_checksum", func(t *testing.T) {
		none(t, "Bearer sk"+k.Text()[2:], "Bearer "+k.Text()[:len(k.Text())-1]+"-", "Bearer "+k.Text()[:40], "Bearer gw_")
	})
	unknown := "Bearer " + keyFormat.NewKey("000000000000").Text
	t.Run("25_unknown_id", func(t *testing.T) {
		d.expect(t, orders, unknown, 401, 1)
		d.expect(t, orders, unknown, 401, 0)
	})
	t.Run("26_wrong_secret", func(t *testing.T) {
		other, otherKey := d.customer(t)
		d.expect(t, orders, "Bearer "+keyFormat.NewKey(other.ID).Text, 401, 1)
		d.expect(t, orders, "Bearer "+keyFormat.NewKey(other.ID).Text, 401, 0)
		d.expect(t, orders, "Bearer "+otherKey.Text(), 200, 0)
	})
	t.Run("55_existence", func(t *testing.T) {
		known, stranger := d.get(orders, "Bearer "+keyFormat.NewKey(c.ID).Text), d.get(orders, unknown)
		for _, name := range []string{"Content-Type", "X-Amzn-Errortype", "Www-Authenticate", "Content-Length"} {
			if known.Header().Get(name) != stranger.Header().Get(name) {
				t.Errorf("%s: %q and %q", name, known.Header().Get(name), stranger.Header().Get(name))
			}
		}
		if known.Code != stranger.Code || known.Body.String() != stranger.Body.String() {
			t.Errorf("%d %s and %d %s", known.Code, known.Body, stranger.Code, stranger.Body)
		}
	})
	t.Run("30_another_stage", func(t *testing.T) {
		none(t, "Bearer "+authn.KeyFormat{Prefix: "gw", Tag: "prod"}.NewKey(c.ID).Text)
	})
	t.Run("31_malformed_basic", func(t *testing.T) {
		none(t, "Basic "+base64.StdEncoding.EncodeToString([]byte(user+password)), basicHeader(user+"\x00", password), "Basic !!!!",
			basicHeader("", password), basicHeader(user, ""), basicHeader(user, password)+"=")
	})
	t.Run("32_password_with_colons", func(t *testing.T) { none(t, basicHeader(user, password+":x")) })
	t.Run("33_two_authorization_headers", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodGet, orders, nil)
		r.Header["Authorization"] = []string{key, basicHeader(user, password)}
		check(t, d.do(r), 401, unauthorizedBody, "UnauthorizedException")
	})
	t.Run("34_credential_in_the_query", func(t *testing.T) {
		d.expect(t, orders+"?key="+k.Text(), key, 401, 0)
		d.expect(t, orders+"?access_token=x", key, 401, 0)
	})
	t.Run("46_no_credential", func(t *testing.T) {
		invoked := d.invokes.Load()
		d.expect(t, orders, "", 401, 0)
		if d.invokes.Load() != invoked {
			t.Error("a flood without credentials starts the function")
		}
		if w := d.get("/v1/signed", ""); w.Code != 403 {
			t.Errorf("an IAM route: %d", w.Code)
		}
	})
	t.Run("41_another_route", func(t *testing.T) {
		d.expect(t, "/v1/write", key, 403, 0)
		d.expect(t, "/v1/session", key, 403, 0)
		d.expect(t, "/v1/unruled", key, 403, 0)
	})
	t.Run("44_wildcard_in_the_path", func(t *testing.T) {
		d.expect(t, "/v1/notes/*", key, 401, 0)
		d.expect(t, "/v1/notes/$%7Baws:username%7D", key, 403, 0) // stays encoded, so it is no variable
	})
	t.Run("in time", func(t *testing.T) {
		t.Run("27_revoked", d.surviveRevocation)
		t.Run("28_rotation_overlap", d.surviveRotation)
		t.Run("29_expired_or_suspended", d.surviveExpiry)
		t.Run("47_table_throttled_or_timed_out", d.surviveTable)
	})
	t.Run("59_no_secret_in_any_output", func(t *testing.T) {
		// A process writes what it counted with a call, once a second at most.
		for deadline := time.Now().Add(10 * time.Second); !strings.Contains(d.logs.String()+d.logged.String(), `\"Reason\":\"key form\"`); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no metrics in the log:\n%s", d.logs.String()+d.logged.String())
			}
			none(t, "Bearer "+k.Text()[:40])
		}
		all := d.logs.String() + d.logged.String()
		for what, text := range map[string]string{"a password": password, "a user": user, "Basic": basicHeader(user, password)[6:40], "another's": strings.TrimPrefix(unknown, "Bearer ")[7:]} {
			if strings.Contains(all, text) {
				t.Errorf("%s is in a log", what)
			}
		}
		if strings.Contains(all, `errorMessage`) || strings.Contains(all, `"level":"ERROR"`) {
			t.Error("each refusal leaves a line of the Lambda library's, or of an error")
		}
	})
	d.seesCustomer(t, c, k)
}

// TestSurviveKeyHeaderBehindTheAuthorizer is row 33 where keys may come in x-api-key,
// too: only one credential counts, and of two that differ none.
func TestSurviveKeyHeaderBehindTheAuthorizer(t *testing.T) {
	t.Parallel()
	d := deploy(t, func(r *authconfig.Rules) { r.KeyHeader = true })
	c, k := d.customer(t)
	second := d.key(t, c.ID, time.Time{})
	unknown := keyFormat.NewKey(c.ID).Text
	send := func(authorization string, keys ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/v1/orders", nil)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		for _, key := range keys {
			r.Header.Add("X-Api-Key", key)
		}
		return d.do(r)
	}
	token := "Bearer " + d.token(t, "", "")
	for name, test := range map[string]struct {
		authorization string
		keys          []string
		status        int
	}{
		"00_key_alone":                    {"", []string{k.Text()}, 200},
		"00_token_alone":                  {token, nil, 200},
		"33_the_same_twice":               {"Bearer " + k.Text(), []string{k.Text()}, 200},
		"33_the_same_as_basic":            {basicHeader(k.BasicUser(), k.BasicPassword()), []string{k.Text()}, 200},
		"33_good_beside_unknown":          {"Bearer " + unknown, []string{k.Text()}, 401},
		"33_unknown_beside_good":          {"Bearer " + k.Text(), []string{unknown}, 401},
		"33_two_good_ones":                {"Bearer " + second.Text(), []string{k.Text()}, 401},
		"33_good_beside_a_token":          {token, []string{k.Text()}, 401},
		"33_token_beside_an_empty_header": {token, []string{""}, 401},
		"33_x_api_key_twice":              {"", []string{k.Text(), k.Text()}, 401},
		"33_good_beside_two_others":       {"Bearer " + k.Text(), []string{unknown, unknown}, 401},
		"33_good_beside_another_scheme":   {"Digest x", []string{k.Text()}, 401},
		"46_no_credential":                {"", nil, 401},
		"24_junk":                         {"", []string{"junk"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			ran, invoked := d.functions.calls(), d.invokes.Load()
			w := send(test.authorization, test.keys...)
			if w.Code != test.status || (d.functions.calls() > ran) != (test.status == 200) || d.invokes.Load() != invoked+1 {
				t.Errorf("%d %s; the authorizer was asked %d times", w.Code, w.Body, d.invokes.Load()-invoked)
			}
			if w.Code == 401 && (w.Body.String() != unauthorizedBody || w.Header().Get("WWW-Authenticate") != challenge) {
				t.Errorf("%s, %v", w.Body, w.Header())
			}
		})
	}
}

// seesCustomer checks what the first call told the backend.
func (d *deployed) seesCustomer(t *testing.T, c *customers.Customer, k *customers.IssuedKey) {
	t.Helper()
	d.functions.mu.Lock()
	defer d.functions.mu.Unlock()
	var event struct {
		RequestContext struct{ Authorizer map[string]any }
	}
	if err := json.Unmarshal(d.functions.payloads[0], &event); err != nil {
		t.Fatal(err)
	}
	a := event.RequestContext.Authorizer
	for name, want := range map[string]any{
		"principalId": c.ID, "kind": "customer", "subject": c.ID, "customer": c.ID, "key": k.Key.ID, "plan": "gold", "scopes": "notes/read", "client": "", "clientId": "", "username": "",
	} {
		if a[name] != want {
			t.Errorf("the backend sees %s %v; want %v", name, a[name], want)
		}
	}
}

// within waits until a key gets a status, for as long as a customer is remembered.
func (d *deployed) within(t *testing.T, key string, status int) {
	t.Helper()
	for began := time.Now(); d.get("/v1/orders", key).Code != status; time.Sleep(200 * time.Millisecond) {
		if time.Since(began) > authn.FreshFor+2*time.Second {
			t.Fatalf("it is not %d within %s", status, authn.FreshFor)
		}
	}
}

func (d *deployed) surviveRevocation(t *testing.T) {
	t.Parallel()
	c, k := d.customer(t)
	d.within(t, "Bearer "+k.Text(), 200)
	if _, err := d.store.RevokeKey(t.Context(), c.ID, k.Key.ID); err != nil {
		t.Fatal(err)
	}
	d.within(t, "Bearer "+k.Text(), 401)
}

func (d *deployed) surviveRotation(t *testing.T) {
	t.Parallel()
	c, k := d.customer(t)
	successor, err := d.store.RotateKey(t.Context(), c.ID, k.Key.ID, keyFormat, 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{k.Text(), successor.Text()} {
		if w := d.get("/v1/orders", "Bearer "+key); w.Code != 200 {
			t.Errorf("within the overlap: %d", w.Code)
		}
	}
	time.Sleep(3 * time.Second) // less than a customer is remembered
	for key, want := range map[string]int{k.Text(): 401, successor.Text(): 200} {
		if w := d.get("/v1/orders", "Bearer "+key); w.Code != want {
			t.Errorf("after it: %d, want %d", w.Code, want)
		}
	}
}

func (d *deployed) surviveExpiry(t *testing.T) {
	t.Parallel()
	c, _ := d.customer(t)
	k := d.key(t, c.ID, time.Now().Add(2*time.Second))
	if w := d.get("/v1/orders", "Bearer "+k.Text()); w.Code != 200 {
		t.Errorf("before: %d", w.Code)
	}
	time.Sleep(2 * time.Second)
	if w := d.get("/v1/orders", "Bearer "+k.Text()); w.Code != 401 {
		t.Errorf("expired: %d", w.Code)
	}
	for _, status := range []authn.Status{authn.StatusSuspended, authn.StatusClosed} {
		c, k := d.customer(t)
		if _, err := d.store.Change(t.Context(), c.ID, customers.Change{Status: &status}); err != nil {
			t.Fatal(err)
		}
		if w := d.get("/v1/orders", "Bearer "+k.Text()); w.Code != 403 || w.Body.String() != explicitBody {
			t.Errorf("%s: %d %s", status, w.Code, w.Body)
		}
	}
}

// surviveTable has a table of its own, which fails in every way that one does.
func (d *deployed) surviveTable(t *testing.T) {
	t.Parallel()
	faulty := deploy(t)
	_, remembered := faulty.customer(t)
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * time.Millisecond)
		faulty.endpoint.ServeHTTP(w, r)
	})
	faulty.fault.Store(&slow)
	_, late := faulty.customer(t)
	if w := faulty.get("/v1/orders", "Bearer "+late.Text()); w.Code != 200 {
		t.Errorf("slow: %d", w.Code)
	}
	faulty.fault.Store(nil)
	faulty.expect(t, "/v1/orders", "Bearer "+remembered.Text(), 200, 1)
	for name, fault := range map[string]http.HandlerFunc{
		"throttled": func(w http.ResponseWriter, _ *http.Request) {
			answerError(w, 400, "ProvisionedThroughputExceededException")
		},
		"denied":  func(w http.ResponseWriter, _ *http.Request) { answerError(w, 400, "AccessDeniedException") },
		"failing": func(w http.ResponseWriter, _ *http.Request) { answerError(w, 500, "InternalServerError") },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte(`{"Item":{"id":{"S":"`))
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`<html>`)) },
		"timed out": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server see that the client gives up
			<-r.Context().Done()
		},
		"another schema": faulty.later,
	} {
		_, fresh := faulty.customer(t) // never read by the authorizer
		faulty.fault.Store(&fault)
		if w := faulty.get("/v1/orders", "Bearer "+fresh.Text()); w.Code != 500 || w.Body.String() != internalBody {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if w := faulty.get("/v1/orders", "Bearer "+faulty.token(t, "", "")); w.Code != 200 {
			t.Errorf("%s, a token: %d", name, w.Code)
		}
		faulty.fault.Store(nil)
		if w := faulty.get("/v1/orders", "Bearer "+fresh.Text()); w.Code != 200 {
			t.Errorf("after %s: %d", name, w.Code)
		}
	}
	_, again := faulty.customer(t)
	key := "Bearer " + again.Text()
	faulty.within(t, key, 200)
	throttled := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answerError(w, 400, "ThrottlingException") })
	faulty.fault.Store(&throttled)
	faulty.expect(t, "/v1/orders", key, 200, 0) // still fresh in memory
	faulty.within(t, key, 500)
}

// later answers with the item as it stands, of a schema that this version does not
// know.
func (d *deployed) later(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	d.endpoint.ServeHTTP(answer, r)
	text := answer.Body.String()
	if changed := strings.Replace(text, `"schema":{"N":"1"}`, `"schema":{"N":"2"}`, 1); changed != text {
		_, _ = w.Write([]byte(changed))
		return
	}
	panic("the item has no schema: " + text)
}

func answerError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":"injected"}`, code)
}
