package cognito_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/cognito"
)

var (
	now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

	signingKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
)

const (
	poolID     = "eu-west-1_AbCdEfGhI"
	bareID     = "eu-west-1_NoDomain0"
	machineID  = "1machine23456789"
	noFlowID   = "1noflow23456789"
	oauthOffID = "1oauthoff23456789"
	publicID   = "1public23456789"
	bareClient = "1bare23456789"
	scopeless  = "1scopeless23456789"
)

// pools are one pool with a domain and one without.
func pools(baseURL string) []*assembly.UserPool {
	notes := []assembly.ResourceServer{{Identifier: "notes", Scopes: []string{"notes/read", "notes/write", "notes/admin"}}}
	machine := assembly.UserPoolClient{
		ID: machineID, Name: "machine", HasSecret: true, OAuth: true, Flows: []string{"client_credentials"},
		Scopes: []string{"notes/write", "openid", "notes/read"}, AccessTokenLifetime: 10 * time.Minute,
	}
	variant := func(id string, change func(*assembly.UserPoolClient)) assembly.UserPoolClient {
		c := machine
		c.ID, c.Name = id, "client "+id
		change(&c)
		return c
	}
	return []*assembly.UserPool{
		{
			ID: poolID, Issuer: baseURL + "/" + poolID, DomainPrefix: "notes-dev", ResourceServers: notes,
			Clients: []assembly.UserPoolClient{
				machine,
				variant(noFlowID, func(c *assembly.UserPoolClient) { c.Flows = []string{"code"} }),
				variant(oauthOffID, func(c *assembly.UserPoolClient) { c.OAuth = false }),
				variant(publicID, func(c *assembly.UserPoolClient) { c.HasSecret = false }),
				variant(scopeless, func(c *assembly.UserPoolClient) { c.Scopes = []string{"openid", "gone/read"} }),
			},
		},
		{
			ID: bareID, Issuer: baseURL + "/" + bareID, ResourceServers: notes,
			Clients: []assembly.UserPoolClient{variant(bareClient, func(*assembly.UserPoolClient) {})},
		},
	}
}

// start serves the pools on a real listener, by whose address they go.
func start(t *testing.T, log io.Writer) (*cognito.Server, string) {
	t.Helper()
	var server *cognito.Server
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) }))
	t.Cleanup(listener.Close)
	var err error
	server, err = cognito.New(cognito.Config{
		Pools: pools(listener.URL), BaseURL: listener.URL, SigningKey: signingKey(),
		Now: func() time.Time { return now }, Log: slog.New(slog.NewJSONHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return server, listener.URL
}

func newServer(t *testing.T) *cognito.Server {
	t.Helper()
	const base = "http://127.0.0.1:4011"
	s, err := cognito.New(cognito.Config{
		Pools: pools(base), BaseURL: base, SigningKey: signingKey(), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	server, url := start(t, io.Discard)
	for name, style := range map[string]oauth2.AuthStyle{"basic": oauth2.AuthStyleInHeader, "post": oauth2.AuthStyleInParams} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := clientcredentials.Config{
				ClientID: machineID, ClientSecret: server.Secret(machineID), TokenURL: url + "/oauth2/token",
				Scopes: []string{"notes/read", "notes/write"}, AuthStyle: style,
			}
			token, err := config.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if token.Type() != "Bearer" || token.RefreshToken != "" || token.Extra("expires_in") != 600.0 || token.Extra("id_token") != nil {
				t.Errorf("type %s, expires in %v s, or a refresh or ID token", token.Type(), token.Extra("expires_in"))
			}
			checkByDiscovery(t, url, token.AccessToken)
			checkClaims(t, server, token.AccessToken, url)
			checkByOwnVerifier(t, server, token.AccessToken, url)
		})
	}
}

// checkByDiscovery verifies a token as an OpenID Connect library would: found by
// the issuer's address alone.
func checkByDiscovery(t *testing.T, url, token string) {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), url+"/"+poolID)
	if err != nil {
		t.Fatal(err)
	}
	if got := provider.Endpoint().TokenURL; got != url+"/oauth2/token" {
		t.Errorf("token endpoint %s", got)
	}
	config := &oidc.Config{SkipClientIDCheck: true, Now: func() time.Time { return now }}
	verified, err := provider.Verifier(config).Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if verified.Subject != machineID || !verified.Expiry.Equal(now.Add(10*time.Minute)) {
		t.Errorf("subject %s, expiry %v", verified.Subject, verified.Expiry)
	}
	bare, err := oidc.NewProvider(t.Context(), url+"/"+bareID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bare.Verifier(config).Verify(t.Context(), token); err == nil {
		t.Error("another pool takes the token")
	}
	if got := bare.Endpoint().TokenURL; got != "" {
		t.Errorf("a pool without a domain has the token endpoint %s", got)
	}
}

func checkClaims(t *testing.T, server *cognito.Server, token, url string) {
	t.Helper()
	keys := server.PublicKeys(poolID)
	parsed, err := jwt.Parse(token, func(token *jwt.Token) (any, error) {
		return keys[token.Header["kid"].(string)], nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(parsed.Header)); !slices.Equal(got, []string{"alg", "kid"}) {
		t.Errorf("header holds %v", got)
	}
	claims := parsed.Claims.(jwt.MapClaims)
	if id, _ := claims["jti"].(string); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("jti %q is no random UUID", id)
	}
	delete(claims, "jti")
	want := jwt.MapClaims{
		"sub": machineID, "client_id": machineID, "token_use": "access", "scope": "notes/read notes/write",
		"iss": url + "/" + poolID, "version": 2.0,
		"auth_time": float64(now.Unix()), "iat": float64(now.Unix()), "exp": float64(now.Add(10 * time.Minute).Unix()),
	}
	if !maps.Equal(claims, want) {
		t.Errorf("claims %v, want %v", claims, want)
	}
}

func checkByOwnVerifier(t *testing.T, server *cognito.Server, token, url string) {
	t.Helper()
	verifier, err := authn.NewVerifier(authn.Config{
		Issuer: url + "/" + poolID, Keys: authn.KeySet(server.PublicKeys(poolID)), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	verified, err := verifier.Verify(context.Background(), token)
	if err != nil || !verified.HasAnyScope([]string{"notes/read"}) {
		t.Errorf("package authn: %v", err)
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	get := func(method, path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		if len(header) > 0 {
			r.Header.Set("Origin", header[0])
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}

	var document map[string]any
	w := get("GET", "/"+poolID+"/.well-known/openid-configuration", "https://shop.example.com")
	if err := json.Unmarshal(w.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	const at = "http://127.0.0.1:4011"
	want := `{"authorization_endpoint":"` + at + `/oauth2/authorize","code_challenge_methods_supported":["S256"],"end_session_endpoint":"` + at + `/logout",` +
		`"grant_types_supported":["authorization_code","refresh_token","client_credentials"],"id_token_signing_alg_values_supported":["RS256"],` +
		`"issuer":"` + at + `/` + poolID + `","jwks_uri":"` + at + `/` + poolID + `/.well-known/jwks.json","response_types_supported":["code"],` +
		`"revocation_endpoint":"` + at + `/oauth2/revoke","scopes_supported":["openid","email","phone","profile"],"subject_types_supported":["public"],` +
		`"token_endpoint":"` + at + `/oauth2/token","token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],` +
		`"userinfo_endpoint":"` + at + `/oauth2/userInfo"}`
	if w.Body.String() != want || w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v %s\nwant %s", w.Header(), w.Body, want)
	}

	keys, err := authn.ParseJWKS(get("GET", "/"+poolID+"/.well-known/jwks.json").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	published := s.PublicKeys(poolID)
	if len(keys) != 1 || !maps.EqualFunc(keys, published, func(a, b *rsa.PublicKey) bool { return a.Equal(b) }) {
		t.Errorf("JWKS has %d keys, PublicKeys %d", len(keys), len(published))
	}

	for name, test := range map[string]struct {
		method, path string
		status       int
		allow        string
	}{
		"head":                {"HEAD", "/" + poolID + "/.well-known/jwks.json", 200, ""},
		"post to a document":  {"POST", "/" + poolID + "/.well-known/jwks.json", 405, "GET, HEAD, OPTIONS"},
		"get token":           {"GET", "/oauth2/token", 405, "POST, OPTIONS"},
		"preflight":           {"OPTIONS", "/oauth2/token", 204, "POST, OPTIONS"},
		"root":                {"GET", "/", 404, ""},
		"unknown pool":        {"GET", "/eu-west-1_Nobody/.well-known/jwks.json", 404, ""},
		"trailing slash":      {"GET", "/" + poolID + "/.well-known/jwks.json/", 404, ""},
		"double slash":        {"POST", "//oauth2/token", 404, ""},
		"encoded spelling":    {"POST", "/oauth2/%74oken", 404, ""},
		"dot segment":         {"POST", "/oauth2/./token", 404, ""},
		"post to authorize":   {"POST", "/oauth2/authorize", 405, "GET"},
		"put to a page":       {"PUT", "/login", 405, "GET, POST"},
		"preflight of a page": {"OPTIONS", "/login", 405, "GET, POST"},
	} {
		w := get(test.method, test.path)
		if w.Code != test.status || w.Header().Get("Allow") != test.allow {
			t.Errorf("%s: %d, Allow %q", name, w.Code, w.Header().Get("Allow"))
		}
		if w.Code >= 400 && (!json.Valid(w.Body.Bytes()) || w.Header().Get("Content-Type") != "application/json;charset=UTF-8") {
			t.Errorf("%s: no JSON: %s", name, w.Body)
		}
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	a, b := newServer(t), newServer(t)
	secret := a.Secret(machineID)
	if !regexp.MustCompile(`^[0-9a-z]{51}$`).MatchString(secret) {
		t.Errorf("a secret of %d characters is not like Cognito's", len(secret))
	}
	if secret == b.Secret(machineID) || secret == a.Secret(noFlowID) {
		t.Error("two clients or two runs share a secret")
	}
	if a.Secret(publicID) != "" || a.Secret("nobody") != "" {
		t.Error("a secret for a client without one")
	}
	if a.PublicKeys("nobody") != nil {
		t.Error("keys for a pool that is not served")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	const base = "http://127.0.0.1:4011"
	weak, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // refused below
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*cognito.Config){
		"foreign issuer":    func(c *cognito.Config) { c.Pools[0].Issuer = "https://cognito-idp.example/" + poolID },
		"pool without id":   func(c *cognito.Config) { c.Pools[0].ID, c.Pools[0].Issuer = "", base+"/" },
		"pool twice":        func(c *cognito.Config) { c.Pools = append(c.Pools, pools(base)[1]) },
		"client twice":      func(c *cognito.Config) { c.Pools[1].Clients = c.Pools[0].Clients },
		"client without id": func(c *cognito.Config) { c.Pools[0].Clients[0].ID = "" },
		"weak key":          func(c *cognito.Config) { c.SigningKey = weak },
		"empty key":         func(c *cognito.Config) { c.SigningKey = new(rsa.PrivateKey) },
	} {
		c := cognito.Config{Pools: pools(base), BaseURL: base, SigningKey: signingKey()}
		change(&c)
		if _, err := cognito.New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	fresh, err := cognito.New(cognito.Config{Pools: pools(base), BaseURL: base})
	if err != nil {
		t.Fatal(err)
	}
	if _, same := fresh.PublicKeys(poolID)[slices.Collect(maps.Keys(newServer(t).PublicKeys(poolID)))[0]]; same {
		t.Error("a fresh key is the given one")
	}
}

// logged parses the one line that a request leaves.
func logged(t *testing.T, log *bytes.Buffer) map[string]any {
	t.Helper()
	if strings.Count(log.String(), "\n") != 1 {
		t.Fatalf("not one line: %q", log)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	return line
}
