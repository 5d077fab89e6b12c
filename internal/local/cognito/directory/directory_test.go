package directory_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

const (
	websiteID = "1website23456789"
	serverID  = "1server23456789" // has a secret, rotates, shows who is there
	issuer    = "http://127.0.0.1:4011/eu-west-1_Pool12345"
	ann       = "ann@example.com"
	password  = "Correct-Horse-1"
	triggerFn = "arn:aws:lambda:eu-west-1:000000000000:function:trigger"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key   = sync.OnceValue(func() *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return k
	})
)

// world is a pool with a clock, and everything that it delivers.
type world struct {
	*directory.Directory
	website, server *directory.Client

	mu       sync.Mutex
	now      time.Time
	messages []directory.Message
	events   []map[string]any
	answer   string // of triggers, in place of "response"; "" for {}
	failure  string // of triggers
	during   func() // what happens while a trigger runs
}

func newWorld(t testing.TB, changes ...func(*assembly.UserPool)) *world {
	t.Helper()
	w := &world{now: start}
	website := assembly.UserPoolClient{
		ID: websiteID, Name: "website", HidesUsers: true, Revokes: true, Scopes: []string{"openid", "email", "notes/read"},
		AccessTokenLifetime: time.Hour, IDTokenLifetime: 2 * time.Hour, RefreshTokenLifetime: 24 * time.Hour,
	}
	server := website
	server.ID, server.HasSecret, server.HidesUsers, server.RotatesRefreshTokens = serverID, true, false, true
	server.RetryGracePeriod = 10 * time.Second
	pool := &assembly.UserPool{
		ID: "eu-west-1_Pool12345", Name: "users", Issuer: issuer, SelfSignUp: true, MFA: "OFF",
		PasswordPolicy:     assembly.PasswordPolicy{MinLength: 8, Lowercase: true, Uppercase: true, Numbers: true, Symbols: true, TemporaryLifetime: time.Hour},
		UsernameAttributes: []string{"email"}, AutoVerified: []string{"email"}, Recovery: []string{"verified_email"},
		Clients: []assembly.UserPoolClient{website, server}, Triggers: map[string]string{},
	}
	for _, change := range changes {
		change(pool)
	}
	verifier, err := authn.NewVerifier(authn.Config{
		Issuer: issuer, Keys: authn.KeySet{"kid": &key().PublicKey}, Now: w.clock,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Directory, err = directory.New(directory.Config{
		Pool: pool, Verify: verifier.Verify, Invoke: w.invoke, Deliver: w.deliver, Now: w.clock,
		Account: "000000000000", Region: "eu-west-1",
		Sign: func(claims any) (string, error) {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims.(map[string]any)))
			token.Header["kid"] = "kid"
			return token.SignedString(key())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.website, w.server = w.Client(websiteID), w.Client(serverID)
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) deliver(m directory.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, m)
}

func (w *world) lastCode(t testing.TB) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.messages) == 0 {
		t.Fatal("nothing was delivered")
	}
	return w.messages[len(w.messages)-1].Code
}

func (w *world) invoke(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, "", err
	}
	if w.during != nil {
		w.during()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, event)
	if w.failure != "" {
		return []byte(`{"errorMessage": "` + w.failure + `", "errorType": "errorString"}`), "Unhandled", nil
	}
	if w.answer != "" {
		return []byte(w.answer), "", nil
	}
	return payload, "", nil
}

// addAnn makes a user who can sign in.
func (w *world) addAnn(t testing.TB) *directory.User {
	t.Helper()
	u, err := w.Add(ann, password, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// signIn returns tokens as the API's sign-in gives them.
func (w *world) signIn(t testing.TB, c *directory.Client) directory.Tokens {
	t.Helper()
	step, err := w.CheckPassword(t.Context(), c, ann, password, nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := w.Issue(t.Context(), c, directory.Grant{User: step.User, Source: step.Source})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// claims of a token, which is one of the pool's.
func claims(t testing.TB, token string) map[string]any {
	t.Helper()
	parsed, err := jwt.Parse(token, func(*jwt.Token) (any, error) { return &key().PublicKey, nil }, jwt.WithoutClaimsValidation())
	if err != nil {
		t.Fatal("the token is not the pool's")
	}
	return parsed.Claims.(jwt.MapClaims)
}

// Whoever must have a second factor that is not served could never sign in.
func TestUnservedFactor(t *testing.T) {
	t.Parallel()
	for mfa, apps := range map[string]bool{"ON": false, "OPTIONAL": false, "OFF": false, "ON with apps": true} {
		mode, _, _ := strings.Cut(mfa, " ")
		pool := &assembly.UserPool{Place: assembly.Place{Path: "Stack/Users"}, MFA: mode, SoftwareTokenMFA: apps}
		_, err := directory.New(directory.Config{
			Pool: pool, Sign: func(any) (string, error) { return "", nil }, Verify: func(context.Context, string) (*authn.Token, error) { return nil, nil },
		})
		var refused *assembly.UnsupportedError
		if errors.As(err, &refused) != (mfa == "ON") || refused != nil && !strings.HasPrefix(refused.Problems[0], "Stack/Users.EnabledMfas: ") {
			t.Errorf("%s: %v", mfa, err)
		}
	}
}

// wantError wants Cognito's error, "" for none.
func wantError(t testing.TB, what string, err error, want string) {
	t.Helper()
	var known *directory.Error
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case want != "" && (!errors.As(err, &known) || known.Error() != want):
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}
