package cognito_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatewright/gatewright/internal/local/cognito"
)

// post is a token request; its zero value is a good one by client_secret_basic.
type post struct {
	body    string // SECRET stands for the machine client's; default: the grant type
	path    string // default: /oauth2/token
	headers map[string][]string
}

func (p post) send(s http.Handler, secret string) *httptest.ResponseRecorder {
	fill := strings.NewReplacer("SECRET", secret).Replace
	if p.body == "" {
		p.body = "grant_type=client_credentials"
	}
	if p.path == "" {
		p.path = "/oauth2/token"
	}
	r := httptest.NewRequest("POST", fill(p.path), strings.NewReader(fill(p.body)))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(machineID, secret)
	for name, values := range p.headers {
		r.Header.Del(name)
		for _, value := range values {
			r.Header.Add(name, fill(value))
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// unauthorized leaves the Authorization header out.
var unauthorized = map[string][]string{"Authorization": nil}

func basic(id, secret string) map[string][]string {
	return map[string][]string{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))}}
}

func TestTokenErrors(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const grant = "grant_type=client_credentials"
	for name, test := range map[string]struct {
		post post
		want string
	}{
		"unknown client":           {post{headers: basic("nobody", "x")}, "invalid_client"},
		"unknown client, post":     {post{body: grant + "&client_id=nobody&client_secret=x", headers: unauthorized}, "invalid_client"},
		"wrong secret":             {post{headers: basic(machineID, "guess")}, "invalid_client"},
		"another client's secret":  {post{headers: basic(noFlowID, s.Secret(machineID))}, "invalid_client"},
		"secret cut short":         {post{headers: basic(machineID, s.Secret(machineID)[:50])}, "invalid_client"},
		"no secret":                {post{headers: basic(machineID, "")}, "invalid_client"},
		"no secret, post":          {post{body: grant + "&client_id=" + machineID, headers: unauthorized}, "invalid_client"},
		"secret for a public one":  {post{headers: basic(publicID, "x")}, "invalid_client"},
		"pool without a domain":    {post{headers: basic(bareClient, s.Secret(bareClient))}, "invalid_client"},
		"bearer":                   {post{headers: map[string][]string{"Authorization": {"Bearer SECRET"}}}, "invalid_client"},
		"basic without colon":      {post{headers: map[string][]string{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(machineID))}}}, "invalid_client"},
		"basic, bad base64":        {post{headers: map[string][]string{"Authorization": {"Basic !!"}}}, "invalid_client"},
		"empty Authorization":      {post{headers: map[string][]string{"Authorization": {""}}}, "invalid_client"},
		"no client":                {post{headers: unauthorized}, "invalid_request"},
		"two Authorization":        {post{headers: map[string][]string{"Authorization": {"Basic x", "Basic x"}}}, "invalid_request"},
		"both methods":             {post{body: grant + "&client_id=" + machineID + "&client_secret=SECRET"}, "invalid_request"},
		"disagreeing ids":          {post{body: grant + "&client_id=" + noFlowID}, "invalid_request"},
		"no grant type":            {post{body: "scope=notes/read"}, "invalid_request"},
		"empty grant type":         {post{body: "grant_type="}, "invalid_request"},
		"grant type twice":         {post{body: grant + "&" + grant}, "invalid_request"},
		"scope twice":              {post{body: grant + "&scope=notes/read&scope=notes/write"}, "invalid_request"},
		"unknown parameter twice":  {post{body: grant + "&x=1&x=2"}, "invalid_request"},
		"malformed form":           {post{body: grant + "&scope=%zz"}, "invalid_request"},
		"JSON":                     {post{body: `{"grant_type":"client_credentials"}`}, "invalid_request"},
		"JSON by content type":     {post{headers: map[string][]string{"Content-Type": {"application/json"}}}, "invalid_request"},
		"no content type":          {post{headers: map[string][]string{"Content-Type": nil}}, "invalid_request"},
		"two content types":        {post{headers: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded", "text/plain"}}}, "invalid_request"},
		"quoted content type":      {post{headers: map[string][]string{"Content-Type": {"'application/x-www-form-urlencoded'"}}}, "invalid_request"},
		"password grant":           {post{body: "grant_type=password&username=a&password=b"}, "unsupported_grant_type"},
		"grant in capitals":        {post{body: "grant_type=CLIENT_CREDENTIALS"}, "unsupported_grant_type"},
		"bad grant, bad secret":    {post{body: "grant_type=password", headers: basic(machineID, "guess")}, "invalid_client"},
		"client without the flow":  {post{headers: basic(noFlowID, s.Secret(noFlowID))}, "unauthorized_client"},
		"public client":            {post{body: grant + "&client_id=" + publicID, headers: unauthorized}, "unauthorized_client"},
		"OAuth off":                {post{headers: basic(oauthOffID, s.Secret(oauthOffID))}, "invalid_grant"},
		"scope of nobody":          {post{body: grant + "&scope=notes/delete"}, "invalid_scope"},
		"scope of another client":  {post{body: grant + "&scope=notes/admin"}, "invalid_scope"},
		"part of a scope":          {post{body: grant + "&scope=notes/rea"}, "invalid_scope"},
		"standard scope":           {post{body: grant + "&scope=openid"}, "invalid_scope"},
		"only spaces":              {post{body: grant + "&scope=+"}, "invalid_scope"},
		"scopes by comma":          {post{body: grant + "&scope=notes/read,notes/write"}, "invalid_scope"},
		"client without scopes":    {post{headers: basic(scopeless, s.Secret(scopeless))}, "invalid_scope"},
		"metadata, no JSON":        {post{body: grant + "&aws_client_metadata=x"}, "invalid_request"},
		"metadata, a list":         {post{body: grant + "&aws_client_metadata=%5B%5D"}, "invalid_request"},
		"metadata, null":           {post{body: grant + "&aws_client_metadata=null"}, "invalid_request"},
		"metadata, a number":       {post{body: grant + "&aws_client_metadata=%7B%22k%22:1%7D"}, "invalid_request"},
		"metadata, null inside":    {post{body: grant + "&aws_client_metadata=%7B%22k%22:null%7D"}, "invalid_request"},
		"metadata, more after it":  {post{body: grant + "&aws_client_metadata=%7B%7D%7B%7D"}, "invalid_request"},
		"scope that has no server": {post{body: grant + "&scope=gone/read", headers: basic(scopeless, s.Secret(scopeless))}, "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := test.post.send(s, s.Secret(machineID))
			if w.Code != http.StatusBadRequest || w.Body.String() != `{"error":"`+test.want+`"}` {
				t.Errorf("%d %s, want %s", w.Code, w.Body, test.want)
			}
			if h := w.Header(); h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json;charset=UTF-8" {
				t.Errorf("headers %v", h)
			}
		})
	}

	tooLarge := post{body: "grant_type=client_credentials&x=" + strings.Repeat("a", 64<<10)}.send(s, s.Secret(machineID))
	if tooLarge.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a body above 64 KiB: %d", tooLarge.Code)
	}
}

func TestTokenScopes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for name, test := range map[string]struct{ form, want string }{
		"all, in the client's order":   {"", "notes/write notes/read"},
		"empty means all":              {"&scope=", "notes/write notes/read"},
		"in the request's order":       {"&scope=notes/read+notes/write", "notes/read notes/write"},
		"one":                          {"&scope=notes%2Fread", "notes/read"},
		"twice":                        {"&scope=notes/read+notes/read", "notes/read"},
		"others ignored":               {"&scope=notes/admin+notes/read+openid", "notes/read"},
		"client_id beside the header":  {"&client_id=" + machineID, "notes/write notes/read"},
		"metadata without a trigger":   {"&aws_client_metadata=%7B%7D", "notes/write notes/read"},
		"content type with parameters": {"", "notes/write notes/read"},
	} {
		p := post{body: "grant_type=client_credentials" + test.form}
		if strings.HasPrefix(name, "content type") {
			p.headers = map[string][]string{"Content-Type": {"Application/X-WWW-Form-Urlencoded; charset=UTF-8"}}
		}
		w := p.send(s, s.Secret(machineID))
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: %d %v", name, w.Code, err)
			continue
		}
		claims := jwt.MapClaims{}
		if _, _, err := jwt.NewParser().ParseUnverified(answer.AccessToken, claims); err != nil || claims["scope"] != test.want {
			t.Errorf("%s: scope %v, want %s (%v)", name, claims["scope"], test.want, err)
		}
	}
}

func TestTokenCORS(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for _, origin := range []string{"", "http://localhost:4013"} {
		w := post{headers: map[string][]string{"Origin": {origin}}}.send(s, s.Secret(machineID))
		h := w.Header()
		if h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("origin %q: %v", origin, h)
		}
		if origin != "" && h.Get("Vary") != "Origin" {
			t.Errorf("Vary is %q", h.Get("Vary"))
		}
	}
}

func TestSurvive(t *testing.T) {
	t.Parallel()
	t.Run("34_credential_in_query", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		for _, query := range []string{
			"?client_id=" + machineID + "&client_secret=SECRET",
			"?grant_type=client_credentials&client_id=" + machineID + "&client_secret=SECRET",
			"?x=1",
		} {
			for _, headers := range []map[string][]string{nil, unauthorized} {
				w := post{path: "/oauth2/token" + query, headers: headers}.send(s, s.Secret(machineID))
				if w.Code != http.StatusBadRequest || w.Body.String() != `{"error":"invalid_request"}` {
					t.Errorf("%s: %d %s", query, w.Code, w.Body)
				}
			}
		}
	})
	t.Run("59_no_secret_in_the_log", func(t *testing.T) {
		t.Parallel()
		const base, planted = "http://127.0.0.1:4011", "planted"
		var log bytes.Buffer
		s, err := cognito.New(cognito.Config{
			Pools: pools(base), BaseURL: base, SigningKey: signingKey(),
			Now: func() time.Time { return now }, Log: slog.New(slog.NewJSONHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		secret := s.Secret(machineID)
		for _, test := range []struct {
			post                     post
			client, decision, reason string
			status                   float64
		}{
			{post{}, "machine", "allow", "", 200},
			{post{headers: basic(machineID, planted)}, "machine", "deny", "wrong secret", 400},
			{post{headers: basic(planted, planted)}, "", "deny", "unknown client", 400},
			{post{headers: map[string][]string{"Authorization": {"Bearer " + planted}}}, "", "deny", "Authorization is not Basic", 400},
			{post{body: "grant_type=" + planted + "&scope=" + planted + "&" + planted + "=1"}, "machine", "deny", "the grant type is not served", 400},
			{post{body: "grant_type=client_credentials&scope=" + planted}, "machine", "deny", "no requested scope is the client's", 400},
			{post{path: "/oauth2/token?client_secret=" + planted}, "", "deny", "parameters in the query string", 400},
			{post{headers: map[string][]string{"Content-Type": {planted}}}, "", "deny", "Content-Type is not application/x-www-form-urlencoded", 400},
			{post{path: "/nowhere?" + planted}, "", "deny", "no such path", 404},
		} {
			log.Reset()
			w := test.post.send(s, secret)
			line := logged(t, &log)
			var client any // left out where it is unknown
			if test.client != "" {
				client = test.client
			}
			for key, want := range map[string]any{"msg": "request", "method": "POST", "client": client, "decision": test.decision, "reason": test.reason, "status": test.status} {
				if line[key] != want {
					t.Errorf("%s is %v, want %v", key, line[key], want)
				}
			}
			if _, ok := line["latency_ms"].(float64); !ok || !strings.HasPrefix(line["path"].(string), "/") {
				t.Errorf("line without latency or path: %s", &log)
			}
			var answer map[string]any
			_ = json.Unmarshal(w.Body.Bytes(), &answer)
			token, _ := answer["access_token"].(string)
			for _, hidden := range []string{planted, secret, url.QueryEscape(secret), token} {
				if hidden != "" && strings.Contains(log.String(), hidden) {
					t.Error("the log shows a credential")
				}
			}
			if test.status != 200 && strings.Contains(w.Body.String(), planted) {
				t.Error("the answer repeats the request")
			}
		}
	})
}
