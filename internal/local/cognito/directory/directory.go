// Package directory is what a user pool knows and decides: users, passwords,
// codes, groups, second factors, sign-ins, sessions and tokens. It speaks no
// HTTP; the user-pool API and the sign-in pages stand on it.
//
// Nothing is written anywhere: what it knows is gone when the program ends. No
// password is kept, only its SRP verifier; no code, session or refresh token
// either, only a hash.
//
//	users, err := directory.New(directory.Config{Pool: pool, Sign: sign, Verify: verifier.Verify, Deliver: print})
//	...
//	step, err := users.CheckPassword(ctx, users.Client(id), "ann@example.com", password, nil)
package directory

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
)

// Config says which pool it is and what it is connected to.
type Config struct {
	Pool *assembly.UserPool // required
	// Sign returns claims as a compact JWS with the pool's key. Required.
	Sign func(claims any) (string, error)
	// Verify verifies a token of this pool. Required.
	Verify func(ctx context.Context, token string) (*authn.Token, error)
	// Invoke calls a trigger. Without it, what a trigger decides is refused.
	Invoke func(ctx context.Context, functionARN string, payload []byte) (answer []byte, functionError string, err error)
	// Deliver gets what AWS would mail or text. Default: it is lost.
	Deliver func(Message)
	// Account and Region stand in ARNs and in the events of triggers.
	Account, Region string
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Message is what AWS would mail or text.
type Message struct {
	Pool        string // name of the pool
	Username    string
	Destination string // an e-mail address or a telephone number
	Kind        string // what the code is for, in words: "sign-up", "password reset"
	Code        string // or the temporary password of an invitation
}

// Delivery says where a code went without saying it to everybody.
type Delivery struct {
	Destination string // masked: "a***@e***"
	Medium      string // "EMAIL" or "SMS"
	Attribute   string // "email" or "phone_number"
}

// Error is a refusal in Cognito's words.
type Error struct {
	Code    string // "NotAuthorizedException"
	Message string // "Incorrect username or password."
	// Session answers the challenge once more; empty where the sign-in starts
	// again.
	Session string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func fail(code, message string) error { return &Error{Code: code, Message: message} }

// Codes of [Error] that are decided upon elsewhere ("API Reference", Amazon
// Cognito user pools), and InvalidScope, which the API has no name for.
const (
	NotAuthorized    = "NotAuthorizedException"
	UserNotFound     = "UserNotFoundException"
	InvalidParameter = "InvalidParameterException"
	InvalidScope     = "InvalidScopeException"
)

// AttemptsExceeded is the message of a NotAuthorizedException while a user is
// locked out.
const AttemptsExceeded = "Password attempts exceeded"

// Client is an app client of the pool.
type Client struct {
	assembly.UserPoolClient
	Secret string // new in each run; empty for a public client
}

// CheckSecretHash checks a SECRET_HASH, which a client with a secret has to send
// beside a user name ("Computing secret hash values", Amazon Cognito developer
// guide).
func (c *Client) CheckSecretHash(username, hash string) error {
	switch {
	case c.Secret == "" && hash == "":
		return nil
	case hash == "":
		return fail(NotAuthorized, "Client "+c.ID+" is configured with secret but SECRET_HASH was not received")
	}
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(username + c.ID))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if c.Secret == "" || subtle.ConstantTimeCompare([]byte(want), []byte(hash)) != 1 {
		return fail(NotAuthorized, "Unable to verify secret hash for client "+c.ID)
	}
	return nil
}

// Directory is a user pool. It is safe for concurrent use.
type Directory struct {
	config  Config
	pool    *assembly.UserPool
	clients map[string]*Client
	schema  map[string]assembly.UserAttribute
	seed    []byte // makes what unknown users are shown

	mu       sync.Mutex // never held while a trigger runs
	users    map[string]*account
	ghosts   map[string]*account // of names that nobody has
	groups   map[string]*Group
	sessions sessions
	failures map[string]*failure // of sign-ins, by subject or by an unknown name
	families map[string]*family  // by origin_jti
	refresh  map[string]*family  // by the hash of every refresh token of it
}

// New returns the directory of a pool without users, or an error if c lacks
// what is required. It fails with an [assembly.UnsupportedError] where everybody
// needs a second factor that is not served here.
func New(c Config) (*Directory, error) {
	if c.Pool == nil || c.Sign == nil || c.Verify == nil {
		return nil, errors.New("directory: Config needs Pool, Sign and Verify")
	}
	if c.Pool.MFA == "ON" && !c.Pool.SoftwareTokenMFA {
		return nil, &assembly.UnsupportedError{Problems: []string{
			c.Pool.Path + ".EnabledMfas: MfaConfiguration is ON, and authenticator apps, the only second factor that is served here, are not among the factors; add SOFTWARE_TOKEN_MFA",
		}}
	}
	if c.Deliver == nil {
		c.Deliver = func(Message) {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	d := &Directory{
		config: c, pool: c.Pool, clients: map[string]*Client{}, schema: schemaOf(c.Pool), seed: random(32),
		users: map[string]*account{}, ghosts: map[string]*account{}, groups: map[string]*Group{},
		sessions: sessions{}, failures: map[string]*failure{}, families: map[string]*family{}, refresh: map[string]*family{},
	}
	for _, declared := range c.Pool.Clients {
		client := &Client{UserPoolClient: declared}
		if declared.HasSecret {
			client.Secret = strings.ToLower(rand.Text() + rand.Text())[:51] // as long as Cognito's
		}
		d.clients[declared.ID] = client
	}
	for _, declared := range c.Pool.Groups {
		g := Group{Name: declared.Name, Description: declared.Description, RoleARN: declared.RoleARN}
		if declared.Precedence >= 0 {
			g.Precedence = &declared.Precedence
		}
		if _, err := d.CreateGroup(g); err != nil {
			return nil, fmt.Errorf("directory: group %s: %w", declared.Path, err)
		}
	}
	return d, nil
}

// Pool returns what is declared of the pool.
func (d *Directory) Pool() *assembly.UserPool { return d.pool }

// Client returns an app client, or nil if there is none with this id.
func (d *Directory) Client(id string) *Client { return d.clients[id] }

func (d *Directory) now() time.Time { return d.config.Now() }

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// opaque returns 256 random bits as a text that needs no escaping.
func opaque() string { return base64.RawURLEncoding.EncodeToString(random(32)) }

// hashed is how a secret of 256 random bits is kept.
func hashed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return string(sum[:])
}

// Schema returns the pool's attributes by name.
func (d *Directory) Schema() []assembly.UserAttribute {
	return slices.SortedFunc(maps.Values(d.schema), func(a, b assembly.UserAttribute) int { return strings.Compare(a.Name, b.Name) })
}
