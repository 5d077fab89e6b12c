package test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigateway"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/internal/stagefile"
	"github.com/gatewright/gatewright/stacks"
)

// attack is a credential that must be refused on a protected route.
type attack struct {
	name  string
	token string
}

// TestSurvive runs the attacks of MUST-SURVIVE, by number, through the running
// gateway: on a route of the user pool's own authorizer and on one of ours.
func TestSurvive(t *testing.T) {
	r := startRuntime(t)
	// The forge itself is sound: what it makes unaltered is accepted.
	if got := call(t, "GET", r.API+"/v1/whoami", bearer(r.forge(t, r.header(), r.claims()))); got.status != 200 {
		t.Fatalf("the forged token is refused: %d %s", got.status, got.body)
	}
	var fetched atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer trap.Close()
	for name, attacks := range r.tokenAttacks(t, trap.URL) {
		t.Run(name, func(t *testing.T) {
			for _, a := range attacks {
				for _, path := range []string{"/v1/whoami", "/v1/notes"} {
					got := call(t, "GET", r.API+path, bearer(a.token))
					// Ours says 403 of a good token that may not: who called is known.
					lacking := name == "19_scope" && path == "/v1/notes" && got.status == 403 && got.body == explicitDeny
					if !lacking && (got.status != 401 || got.body != unauthorized || got.header.Get("WWW-Authenticate") != challenge) {
						t.Errorf("%s: %s: got %d %s", path, a.name, got.status, got.body)
					}
				}
			}
		})
	}
	if fetched.Load() > 0 {
		t.Error("a URL of a token's header was fetched")
	}
	t.Run("40_paths", func(t *testing.T) { testPaths(t, r) })
	t.Run("45_execute_api_host", testDomainOnly)
	t.Run("46_no_credential", func(t *testing.T) {
		if got := call(t, "GET", r.API+"/v1/whoami"); got.status != 401 || got.body != unauthorized || got.header.Get("WWW-Authenticate") != challenge {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
	t.Run("56_web_page", func(t *testing.T) { testWebPage(t, r) })
}

func with(o object, name string, value any) object {
	out := object{}
	for k, v := range o {
		out[k] = v
	}
	if value == nil {
		delete(out, name)
	} else {
		out[name] = value
	}
	return out
}

func (r *runtime) tokenAttacks(t *testing.T, trap string) map[string][]attack {
	t.Helper()
	h, c := r.header(), r.claims()
	sign := func(header, claims object) string { return r.forge(t, header, claims) }
	raw := func(header, claims string) string { return r.forgeBytes(t, []byte(header), []byte(claims)) }
	plain := func(o object) string { return text(t, o) }
	good := sign(h, c)
	parts := strings.Split(good, ".")
	now := time.Now().Unix()
	attacks := map[string][]attack{
		"01_alg_none": {
			{"no signature", encode(`{"alg":"none","kid":"`+r.kid+`"}`) + "." + parts[1] + "."},
			{"signature kept", encode(`{"alg":"none","kid":"`+r.kid+`"}`) + "." + parts[1] + "." + parts[2]},
			{"signed", sign(with(h, "alg", "none"), c)},
		},
		"02_hs256_with_the_public_key": r.hmacAttacks(t),
		"03_other_algorithms": {
			{"PS256", sign(with(h, "alg", "PS256"), c)}, {"ES256", sign(with(h, "alg", "ES256"), c)},
			{"rs256", sign(with(h, "alg", "rs256"), c)}, {"RS512", sign(with(h, "alg", "RS512"), c)},
			{"no algorithm", sign(with(h, "alg", nil), c)}, {"a list", sign(with(h, "alg", []string{"RS256"}), c)},
		},
		"04_duplicate_alg": {
			{"twice", raw(`{"alg":"RS256","kid":"`+r.kid+`","alg":"RS256"}`, plain(c))},
			{"case variant", raw(`{"alg":"RS256","kid":"`+r.kid+`","ALG":"none"}`, plain(c))},
			{"escaped", raw(`{"alg":"RS256","kid":"`+r.kid+`","\u0061lg":"none"}`, plain(c))},
		},
		"05_unknown_crit":    {{"crit", sign(with(with(h, "crit", []string{"x"}), "x", true), c)}, {"empty crit", sign(with(h, "crit", []string{}), c)}},
		"06_b64_false":       {{"with crit", sign(with(with(h, "crit", []string{"b64"}), "b64", false), c)}, {"without", sign(with(h, "b64", false), c)}},
		"07_embedded_keys":   r.embeddedKeyAttacks(t, trap),
		"09_strange_kid":     {{"path", sign(with(h, "kid", "../../etc/passwd"), c)}, {"SQL", sign(with(h, "kid", "' OR 1=1 --"), c)}, {"10 KB", sign(with(h, "kid", strings.Repeat("k", 10<<10)), c)}, {"none", sign(with(h, "kid", nil), c)}, {"unknown", sign(with(h, "kid", "other"), c)}},
		"11_other_forms":     {{"two segments", parts[0] + "." + parts[1]}, {"four segments", good + "." + parts[2]}, {"JSON", `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`}},
		"12_dots":            {{"dots", strings.Repeat(".", 10<<10)}},
		"13_duplicate_claim": {{"exp", raw(plain(h), strings.Replace(plain(c), "{", `{"exp":4102444800,`, 1))}, {"iss", raw(plain(h), strings.Replace(plain(c), "{", `{"iss":"https://evil.example",`, 1))}, {"EXP", sign(h, with(c, "EXP", 4102444800))}},
		"14_strange_exp": {
			{"missing", sign(h, with(c, "exp", nil))}, {"text", sign(h, with(c, "exp", "4102444800"))}, {"negative", sign(h, with(c, "exp", -1))},
			{"null", raw(plain(h), strings.Replace(plain(with(c, "exp", nil)), "{", `{"exp":null,`, 1))},
			{"1e300", raw(plain(h), strings.Replace(plain(with(c, "exp", nil)), "{", `{"exp":1e300,`, 1))},
		},
		"15_time": {{"expired", sign(h, with(c, "exp", now-3600))}, {"not yet", sign(h, with(c, "nbf", now+3600))}, {"issued later", sign(h, with(c, "iat", now+3600))}},
		"16_issuer": {
			{"another pool", sign(h, with(c, "iss", r.Auth+"/eu-west-1_other"))}, {"list", sign(h, with(c, "iss", []string{r.UserPools[0].Issuer}))},
			{"trailing slash", sign(h, with(c, "iss", r.UserPools[0].Issuer+"/"))}, {"missing", sign(h, with(c, "iss", nil))},
		},
		"17_id_token": {{"ID token", sign(h, with(with(c, "token_use", "id"), "aud", r.client().ID))}, {"no use", sign(h, with(c, "token_use", nil))}},
		"19_scope": {
			{"missing", sign(h, with(c, "scope", nil))}, {"prefix", sign(h, with(c, "scope", "notes/rea"))}, {"longer", sign(h, with(c, "scope", "notes/readonly"))},
			{"list", sign(h, with(c, "scope", []string{"notes/read"}))}, {"another case", sign(h, with(c, "scope", "Notes/Read"))},
		},
		"20_strange_json": {
			{"deep", raw(plain(h), `{"a":`+strings.Repeat("[", 3000)+strings.Repeat("]", 3000)+`,`+plain(c)[1:])},
			{"invalid UTF-8", raw(plain(h), strings.Replace(plain(c), "{", "{\"a\":\"\xff\",", 1))},
			{"lone surrogate", raw(plain(h), strings.Replace(plain(c), "{", `{"a":"\ud800",`, 1))},
			{"byte order mark", raw(plain(h), "\ufeff"+plain(c))},
			{"trailing JSON", raw(plain(h), plain(c)+"{}")},
			{"no object", raw(plain(h), "[]")},
		},
	}
	attacks["10_base64"] = base64Attacks(parts)
	return attacks
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// hmacAttacks sign with what everybody knows: the public key, in each form that
// a careless verifier might take for a secret.
func (r *runtime) hmacAttacks(t *testing.T) []attack {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(&r.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	signed := encode(`{"alg":"HS256","kid":"`+r.kid+`"}`) + "." + encode(text(t, r.claims()))
	var attacks []attack
	for name, secret := range map[string][]byte{
		"PEM":     pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
		"DER":     spki,
		"modulus": r.key.N.Bytes(),
		"empty":   {},
	} {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(signed))
		attacks = append(attacks, attack{name, signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))})
	}
	return attacks
}

// embeddedKeyAttacks bring a key of their own.
func (r *runtime) embeddedKeyAttacks(t *testing.T, trap string) []attack {
	t.Helper()
	own, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other := *r
	other.key = own
	number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
	jwk := object{"kty": "RSA", "n": number(own.N), "e": number(big.NewInt(int64(own.E)))}
	var attacks []attack
	for name, value := range map[string]any{"jwk": jwk, "jku": trap, "x5u": trap, "x5c": []string{"AA=="}} {
		attacks = append(attacks,
			attack{name + ", own key", other.forge(t, with(r.header(), name, value), r.claims())},
			attack{name + ", the stage's key", r.forge(t, with(r.header(), name, value), r.claims())})
	}
	return append(attacks, attack{"own key", other.forge(t, r.header(), r.claims())})
}

// base64Attacks write the same bytes in another way.
func base64Attacks(parts []string) []attack {
	join := func(a, b, c string) string { return a + "." + b + "." + c }
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	signature := parts[2]
	last := strings.IndexByte(alphabet, signature[len(signature)-1])
	tail := signature[:len(signature)-1] + string(alphabet[last|1]) // 256 bytes leave four bits over
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(signature)
	if standard == signature {
		standard += "+" // one signature in 50,000 has neither
	}
	return []attack{
		{"tail bits", join(parts[0], parts[1], tail)},
		{"padding", join(parts[0], parts[1], signature+"==")},
		{"inner space", join(parts[0], parts[1][:4]+" "+parts[1][4:], signature)},
		{"standard alphabet", join(parts[0], parts[1], standard)},
		{"tab", join(parts[0]+"\t", parts[1], signature)},
	}
}

// testPaths: no spelling of a path reaches a route without its rule.
func testPaths(t *testing.T, r *runtime) {
	for _, path := range []string{
		"/v1/whoami/", "/v1//whoami", "//v1/whoami", "/v1/./whoami", "/v1/x/../whoami", "/v1/status/../whoami",
		"/v1%2fwhoami", "/v1/%77hoami", "/v1/whoami%2f", "/v1/whoami%00", "/v1/whoami;x=y", "/V1/WHOAMI", "/v1/whoami%20", "/v1/status%2f..%2fwhoami",
		"/v1/.%2e/v1/whoami", "/v1/whoami.json", "/v1/whoami?", "/v1\\whoami",
	} {
		line := callRaw(t, r.API, "GET "+path+" HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(line, "HTTP/1.1 4") {
			t.Errorf("%s without a token: %s", path, line)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "HEAD", "get", "TRACE", "ANY"} {
		line := callRaw(t, r.API, method+" /v1/whoami HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(line, "HTTP/1.1 4") {
			t.Errorf("%s /v1/whoami without a token: %s", method, line)
		}
	}
	for _, name := range []string{"X-Original-URL", "X-Rewrite-URL"} {
		if got := call(t, "GET", r.API+"/v1/whoami", header(name, "/v1/status")); got.status != 401 {
			t.Errorf("%s: got %d", name, got.status)
		}
	}
	for method, status := range map[string]int{"GET": 401, "POST": 403, "OPTIONS": 204, "ANY": 403} {
		if got := call(t, "POST", r.API+"/v1/whoami", header("X-HTTP-Method-Override", method)); got.status != status || strings.Contains(got.body, "kind") {
			t.Errorf("%s in place of POST: got %d %s", method, got.status, got.body)
		}
	}
}

// testWebPage: a page that the developer happens to visit reaches nothing.
func testWebPage(t *testing.T, r *runtime) {
	good := bearer(r.token(t))
	for _, base := range []string{r.API, r.Auth, r.AWS} {
		for name, options := range map[string][]option{
			"rebound name":   {host("evil.example"), good},
			"rebound port":   {host("evil.example:" + base[strings.LastIndex(base, ":")+1:]), good},
			"wrong port":     {host("127.0.0.1:1"), good},
			"foreign origin": {header("Origin", "https://evil.example"), good},
			"opaque origin":  {header("Origin", "null"), good},
			"cross site":     {header("Sec-Fetch-Site", "cross-site"), header("Sec-Fetch-Mode", "no-cors"), good},
		} {
			got := call(t, "GET", base+"/v1/status", options...)
			if got.status != 403 && got.status != 421 || strings.Contains(got.body, `"status":"ok"`) {
				t.Errorf("%s, %s: got %d %s", base, name, got.status, got.body)
			}
			if got.header.Get("Access-Control-Allow-Origin") == "*" {
				t.Errorf("%s, %s: any page may read the answer", base, name)
			}
		}
	}
	if got := call(t, "GET", r.API+"/v1/status", header("Origin", origin)); got.status != 200 {
		t.Errorf("the website's own origin: got %d %s", got.status, got.body)
	}
	unsigned := call(t, "POST", r.AWS+"/", body("Action=GetCallerIdentity&Version=2011-06-15"), header("Content-Type", "application/x-www-form-urlencoded"))
	if unsigned.status != 403 || !strings.Contains(unsigned.body, "MissingAuthenticationToken") {
		t.Errorf("an unsigned AWS call: got %d %s", unsigned.status, unsigned.body)
	}
	signed := call(t, "POST", r.AWS+"/", body("Action=GetCallerIdentity&Version=2011-06-15"), r.sign(t, "Action=GetCallerIdentity&Version=2011-06-15"))
	if signed.status != 200 {
		t.Errorf("a signed AWS call: got %d %s", signed.status, signed.body)
	}
}

// sign signs a request to STS as the AWS SDK does.
func (r *runtime) sign(t *testing.T, payload string) option {
	t.Helper()
	return func(request *http.Request) {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		sum := sha256.Sum256([]byte(payload))
		credentials := aws.Credentials{AccessKeyID: r.AWSCredentials.AccessKeyID, SecretAccessKey: r.AWSCredentials.SecretAccessKey}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, request, hex.EncodeToString(sum[:]), "sts", r.Region, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
}

// A stage with a custom domain is served there only, below its base path: what
// hangs on the domain would be bypassed through the execute-api host.
func testDomainOnly(t *testing.T) {
	s := aStage()
	s.Domain = &stagefile.Domain{Zone: "example.com", ZoneID: "Z0123456789ABCDEFGHIJ", API: "api.example.com"}
	s.Origins = []string{"https://shop.example.com", "https://www.example.com"}
	app := newApp(t)
	for _, c := range *stacks.New(app, s).Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if mapping, ok := c.(awsapigateway.CfnBasePathMapping); ok {
			mapping.SetBasePath(jsii.String("shop"))
		}
	}
	app.Synth(nil)
	r := startRuntime(t, "--assembly", *app.Outdir())
	base, ok := strings.CutSuffix(r.API, "/shop")
	if !ok {
		t.Fatalf("the API is at %s", r.API)
	}
	port := base[strings.LastIndexByte(base, ':'):]
	executeAPI := r.APIID + ".execute-api.localhost" + port
	const forbidden = `{"message":"Forbidden"}`
	tests := []struct {
		host, path string
		status     int
		body       string // what it holds
	}{
		{executeAPI, "/" + r.APIStage + "/v1/status", 403, forbidden},
		{executeAPI, "/" + r.APIStage + "/shop/v1/status", 403, forbidden},
		{executeAPI, "/shop/v1/status", 403, forbidden},
		{"127.0.0.1" + port, "/shop/v1/status", 200, `"status":"ok"`},
		{"localhost" + port, "/shop/v1/status", 200, `"status":"ok"`},
		{"127.0.0.1" + port, "/v1/status", 403, forbidden},
		{"localhost" + port, "/shopping/v1/status", 403, forbidden},
		{"api.example.com", "/shop/v1/status", 421, ""},             // not a name of this machine
		{"other.execute-api.localhost", "/shop/v1/status", 421, ""}, // nor this API
	}
	for _, tt := range tests {
		if got := call(t, "GET", base+tt.path, host(tt.host)); got.status != tt.status || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s%s: %d %s", tt.host, tt.path, got.status, got.body)
		}
	}
	testSeveralOrigins(t, r, s.Origins)
}

// testSeveralOrigins: a page of each of an API's origins may call it and read its
// answers, and a page of no other.
func testSeveralOrigins(t *testing.T, r *runtime, origins []string) {
	preflight := func(page string) answer {
		return call(t, "OPTIONS", r.API+"/v1/whoami", header("Origin", page),
			header("Access-Control-Request-Method", "GET"), header("Access-Control-Request-Headers", "authorization"))
	}
	for _, page := range origins {
		got := preflight(page)
		if got.status != 204 || got.body != "" {
			t.Errorf("preflight of %s: %d %q, want 204 and nothing", page, got.status, got.body)
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": page, "Access-Control-Allow-Methods": "GET", "Vary": "Origin", "Access-Control-Max-Age": "600",
			"Access-Control-Allow-Headers": "Authorization,Content-Type,If-Match,If-None-Match", "Access-Control-Allow-Credentials": "",
		} {
			if value := strings.Join(got.header.Values(name), ", "); value != want {
				t.Errorf("preflight of %s: %s is %q, want %q", page, name, value, want)
			}
		}
		got = call(t, "GET", r.API+"/v1/status", header("Origin", page))
		if got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != page || got.header.Get("Vary") != "Origin" {
			t.Errorf("GET of %s: %d %v", page, got.status, got.header)
		}
		// API Gateway's own errors cannot choose.
		if got := call(t, "GET", r.API+"/v1/whoami", header("Origin", page)); got.status != 401 || got.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("GET of %s without a token: %d %v", page, got.status, got.header)
		}
	}
	for _, page := range []string{"https://evil.example", "https://www.example.com.evil.example", "http://www.example.com", "null"} {
		if got := preflight(page); got.status != 403 || got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("preflight of %s: %d %v", page, got.status, got.header)
		}
	}
}
