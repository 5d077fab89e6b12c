package idp_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/golang-jwt/jwt/v5"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/authn"
	"github.com/gatewright/gatewright/internal/local/awsapi"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
	"github.com/gatewright/gatewright/internal/local/cognito/idp"
)

const (
	poolID    = "eu-west-1_Pool12345"
	websiteID = "1website23456789"
	rotating  = "1rotating23456789"
	secretID  = "1secret23456789"
	ann       = "ann@example.com"
	password  = "Correct-Horse-1"
)

var key = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

// world is an API over two pools, the second one empty.
type world struct {
	*idp.API
	users *directory.Directory

	mu     sync.Mutex
	now    time.Time
	codes  []string
	events []map[string]any // of triggers, each of which changes nothing
}

func newWorld(t testing.TB, change func(*assembly.UserPool)) *world {
	t.Helper()
	w := &world{now: time.Now()}
	website := assembly.UserPoolClient{
		ID: websiteID, Name: "website", HidesUsers: true, Revokes: true, OAuth: true, Flows: []string{"code"}, Scopes: []string{"openid"},
		AuthFlows: []string{
			"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH",
		},
		AccessTokenLifetime: time.Hour, IDTokenLifetime: time.Hour, RefreshTokenLifetime: 24 * time.Hour, SessionLifetime: 3 * time.Minute,
	}
	turning, secret, bare := website, website, website
	turning.ID, turning.RotatesRefreshTokens, turning.RetryGracePeriod = rotating, true, 10*time.Second
	secret.ID, secret.HasSecret, secret.AuthFlows = secretID, true, append(slices.Clone(website.AuthFlows), "ALLOW_CUSTOM_AUTH")
	bare.ID, bare.AuthFlows = "1bare23456789", nil
	pool := &assembly.UserPool{
		ID: poolID, Name: "users", ARN: "arn:aws:cognito-idp:eu-west-1:000000000000:userpool/" + poolID, Issuer: "http://127.0.0.1:4011/" + poolID,
		SelfSignUp: true, MFA: "OPTIONAL", SoftwareTokenMFA: true,
		PasswordPolicy:     assembly.PasswordPolicy{MinLength: 8, TemporaryLifetime: 24 * time.Hour},
		UsernameAttributes: []string{"email"}, AutoVerified: []string{"email"}, Recovery: []string{"verified_email"},
		Clients: []assembly.UserPoolClient{website, turning, secret, bare}, Triggers: map[string]string{},
	}
	if change != nil {
		change(pool)
	}
	other := &assembly.UserPool{ID: "eu-west-1_Other1234", Name: "other", Issuer: "http://127.0.0.1:4011/eu-west-1_Other1234", MFA: "OFF"}
	pools := map[string]*directory.Directory{}
	for _, p := range []*assembly.UserPool{pool, other} {
		pools[p.ID] = w.directory(t, p)
	}
	w.API, w.users = idp.New(pools), pools[poolID]
	return w
}

func (w *world) directory(t testing.TB, pool *assembly.UserPool) *directory.Directory {
	t.Helper()
	verifier, err := authn.NewVerifier(authn.Config{Issuer: pool.Issuer, Keys: authn.KeySet{"kid": &key().PublicKey}, Now: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	d, err := directory.New(directory.Config{
		Pool: pool, Verify: verifier.Verify, Now: w.clock, Deliver: w.deliver, Invoke: w.invoke,
		Sign: func(claims any) (string, error) {
			token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims.(map[string]any)))
			token.Header["kid"] = "kid"
			return token.SignedString(key())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
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
	w.codes = append(w.codes, m.Code)
}

func (w *world) invoke(_ context.Context, _ string, payload []byte) ([]byte, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var event map[string]any
	err := json.Unmarshal(payload, &event)
	w.events = append(w.events, event)
	return payload, "", err
}

func (w *world) lastCode() *string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return aws.String(w.codes[len(w.codes)-1])
}

// sdk is the AWS SDK at a served endpoint: an operator's, and one without
// credentials, as in an app.
func (w *world) sdk(t testing.TB) (operator, app *cognito.Client) {
	t.Helper()
	endpoint, err := awsapi.New(awsapi.Config{
		Account: "000000000000", Region: "eu-west-1", Services: map[string]awsapi.Service{"cognito-idp": w.API},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(endpoint)
	t.Cleanup(server.Close)
	as := func(provider aws.CredentialsProvider) *cognito.Client {
		return cognito.New(cognito.Options{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: provider})
	}
	c := endpoint.Operator()
	return as(credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, "")), as(aws.AnonymousCredentials{})
}

// call sends a document and returns the status, the error's name and message,
// and the answer.
func (w *world) call(t testing.TB, operation, body string) (status int, code, message string, answer map[string]any) {
	t.Helper()
	status, document, served := w.Serve(operation, []byte(body))
	if !served {
		t.Fatalf("%s is not served", operation)
	}
	if err := json.Unmarshal(document, &answer); err != nil {
		t.Fatalf("%s: the answer is no JSON object", operation)
	}
	code, _ = answer["__type"].(string)
	message, _ = answer["message"].(string)
	if (status == http.StatusOK) != (code == "") || status >= 500 {
		t.Errorf("%s: status %d with error %q", operation, status, code)
	}
	return status, code, message, answer
}

// inputs is a request of each operation that is well formed. TOKEN is an access
// token.
var inputs = map[string]string{
	"SignUp":                           `{"ClientId": "1website23456789", "Username": "bob@example.com", "Password": "Correct-Horse-1"}`,
	"ConfirmSignUp":                    `{"ClientId": "1website23456789", "Username": "ann@example.com", "ConfirmationCode": "123456"}`,
	"ResendConfirmationCode":           `{"ClientId": "1website23456789", "Username": "ann@example.com"}`,
	"ForgotPassword":                   `{"ClientId": "1website23456789", "Username": "ann@example.com"}`,
	"ConfirmForgotPassword":            `{"ClientId": "1website23456789", "Username": "ann@example.com", "ConfirmationCode": "1", "Password": "Correct-Horse-1"}`,
	"InitiateAuth":                     `{"ClientId": "1website23456789", "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {"USERNAME": "ann@example.com", "PASSWORD": "x"}}`,
	"RespondToAuthChallenge":           `{"ClientId": "1website23456789", "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": "s", "ChallengeResponses": {"USERNAME": "a", "SOFTWARE_TOKEN_MFA_CODE": "1"}}`,
	"GetTokensFromRefreshToken":        `{"ClientId": "1website23456789", "RefreshToken": "x"}`,
	"RevokeToken":                      `{"ClientId": "1website23456789", "Token": "x"}`,
	"AssociateSoftwareToken":           `{"AccessToken": "TOKEN"}`,
	"VerifySoftwareToken":              `{"AccessToken": "TOKEN", "UserCode": "123456"}`,
	"SetUserMFAPreference":             `{"AccessToken": "TOKEN", "SoftwareTokenMfaSettings": {"Enabled": true}}`,
	"GetUser":                          `{"AccessToken": "TOKEN"}`,
	"UpdateUserAttributes":             `{"AccessToken": "TOKEN", "UserAttributes": [{"Name": "name", "Value": "Ann"}]}`,
	"GetUserAttributeVerificationCode": `{"AccessToken": "TOKEN", "AttributeName": "email"}`,
	"VerifyUserAttribute":              `{"AccessToken": "TOKEN", "AttributeName": "email", "Code": "1"}`,
	"ChangePassword":                   `{"AccessToken": "TOKEN", "PreviousPassword": "x", "ProposedPassword": "Correct-Horse-1"}`,
	"GlobalSignOut":                    `{"AccessToken": "TOKEN"}`,
	"DeleteUser":                       `{"AccessToken": "TOKEN"}`,

	"AdminCreateUser":             `{"UserPoolId": "eu-west-1_Pool12345", "Username": "bob@example.com"}`,
	"AdminSetUserPassword":        `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com", "Password": "Correct-Horse-1"}`,
	"AdminResetUserPassword":      `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"AdminConfirmSignUp":          `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"AdminGetUser":                `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"AdminInitiateAuth":           `{"UserPoolId": "eu-west-1_Pool12345", "ClientId": "1website23456789", "AuthFlow": "ADMIN_USER_PASSWORD_AUTH"}`,
	"AdminRespondToAuthChallenge": `{"UserPoolId": "eu-west-1_Pool12345", "ClientId": "1website23456789", "ChallengeName": "MFA_SETUP"}`,
	"AdminDisableUser":            `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"AdminEnableUser":             `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"AdminDeleteUser":             `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"AdminUserGlobalSignOut":      `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"AdminUpdateUserAttributes":   `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com", "UserAttributes": [{"Name": "email_verified", "Value": "true"}]}`,
	"AdminAddUserToGroup":         `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com", "GroupName": "staff"}`,
	"AdminRemoveUserFromGroup":    `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com", "GroupName": "staff"}`,
	"AdminListGroupsForUser":      `{"UserPoolId": "eu-west-1_Pool12345", "Username": "ann@example.com"}`,
	"UpdateGroup":                 `{"UserPoolId": "eu-west-1_Pool12345", "GroupName": "staff"}`,
	"CreateGroup":                 `{"UserPoolId": "eu-west-1_Pool12345", "GroupName": "staff"}`,
	"GetGroup":                    `{"UserPoolId": "eu-west-1_Pool12345", "GroupName": "staff"}`,
	"DeleteGroup":                 `{"UserPoolId": "eu-west-1_Pool12345", "GroupName": "staff"}`,
	"ListGroups":                  `{"UserPoolId": "eu-west-1_Pool12345"}`,
	"ListUsers":                   `{"UserPoolId": "eu-west-1_Pool12345", "Limit": 5}`,
	"ListUsersInGroup":            `{"UserPoolId": "eu-west-1_Pool12345", "GroupName": "staff"}`,
	"ListUserPools":               `{"MaxResults": 5}`,
	"ListUserPoolClients":         `{"UserPoolId": "eu-west-1_Pool12345"}`,
	"DescribeUserPool":            `{"UserPoolId": "eu-west-1_Pool12345"}`,
	"DescribeUserPoolClient":      `{"UserPoolId": "eu-west-1_Pool12345", "ClientId": "1website23456789"}`,
}

// Whatever is wrong with a request, its operation says so, and nothing fails.
func TestBadInput(t *testing.T) {
	t.Parallel()
	for operation, body := range inputs {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			if _, err := w.users.Add(ann, password, nil); err != nil {
				t.Fatal(err)
			}
			for _, broken := range []string{"", "null", "[]", `"text"`, "1", body + "x", body + body, strings.Repeat("[", 20000), `{"` + "\xff" + `": 1`,
				`{"` + "\xff" + `": 1}`, strings.Replace(body, "{", `{"x": "\ud800", `, 1)} {
				if _, code, _, _ := w.call(t, operation, broken); code != "SerializationException" {
					t.Errorf("%.20q: %q", broken, code)
				}
			}
			var members map[string]any
			if err := json.Unmarshal([]byte(body), &members); err != nil {
				t.Fatal(err)
			}
			send := func(name string, value any) string {
				changed := map[string]any{}
				for k, v := range members {
					changed[k] = v
				}
				changed[name] = value
				if value == nil {
					delete(changed, name)
				}
				document, _ := json.Marshal(changed)
				_, code, _, _ := w.call(t, operation, string(document))
				return code
			}
			if code := send("Nonsense", "x"); code != "InvalidParameterException" {
				t.Errorf("an unknown member: %q", code)
			}
			for name, value := range members {
				if code := send(strings.ToLower(name), value); code != "SerializationException" {
					t.Errorf("%s in lower case: %q", name, code)
				}
				document, _ := json.Marshal(map[string]any{name: value})
				if _, code, _, _ := w.call(t, operation, string(document[:len(document)-1])+", "+body[1:]); code != "SerializationException" {
					t.Errorf("%s twice: %q", name, code)
				}
				for _, wrong := range []any{[]any{map[string]any{"x": []any{1}}}, map[string]any{"x": []any{1}}, true, 1.5} {
					if code := send(name, wrong); code != "SerializationException" && code != "InvalidParameterException" {
						t.Errorf("%s as %v: %q", name, wrong, code)
					}
				}
				if _, ok := value.(string); !ok {
					continue
				}
				for what, bad := range map[string]any{"too long": strings.Repeat("a", 200_000), "left out": nil, "empty": ""} {
					if code := send(name, bad); code != "InvalidParameterException" {
						t.Errorf("%s %s: %q", name, what, code)
					}
				}
				_ = send(name, "\x00\r\n${x}*?") // an error of its own, never a failure
				for what, bad := range map[string]string{"not UTF-8": "\xff\xfe", "half a surrogate pair": `\ud800`} {
					spoiled := strings.Replace(body, `"`+name+`": "`, `"`+name+`": "`+bad, 1)
					if _, code, _, _ := w.call(t, operation, spoiled); code != "SerializationException" {
						t.Errorf("%s %s: %q", name, what, code)
					}
				}
			}
		})
	}
}

// Inside a member as well, nothing stands twice or in another spelling, and
// every text is one.
func TestBadMembers(t *testing.T) {
	t.Parallel()
	const signUp = `{"ClientId": "1website23456789", "Username": "bob@example.com", "Password": "Correct-Horse-1", `
	for name, tt := range map[string]struct{ members, want string }{
		"another case":             {`"UserAttributes": [{"name": "name", "vALUE": "Bob"}]}`, "SerializationException"},
		"both cases":               {`"UserAttributes": [{"Name": "name", "Value": "Bob", "value": "Ann"}]}`, "SerializationException"},
		"twice":                    {`"UserAttributes": [{"Name": "name", "Value": "Bob", "Value": "Ann"}]}`, "SerializationException"},
		"twice, escaped":           {`"UserAttributes": [{"Name": "name", "Value": "Bob", "Valu\u0065": "Ann"}]}`, "SerializationException"},
		"unknown":                  {`"UserAttributes": [{"Name": "name", "Value": "Bob", "Other": 1}]}`, "InvalidParameterException"},
		"twice in a map":           {`"ClientMetadata": {"a": "1", "a": "2"}}`, "SerializationException"},
		"twice where nobody looks": {`"UserContextData": {"a": [{"b": 1, "b": 2}]}}`, "SerializationException"},
		"not UTF-8 in a map":       {`"ClientMetadata": {"` + "\xc0\xaf" + `": "1"}}`, "SerializationException"},
		"high surrogate alone":     {`"ClientMetadata": {"a": "\ud83dx"}}`, "SerializationException"},
		"low surrogate alone":      {`"ClientMetadata": {"a": "\ude00"}}`, "SerializationException"},
		"two high surrogates":      {`"ClientMetadata": {"a": "\ud83d\ud83d"}}`, "SerializationException"},
		"after a backslash":        {`"ClientMetadata": {"a": "\\\\\ude00"}}`, "SerializationException"},
		"a pair":                   {`"ClientMetadata": {"a": "\\ud800 \ud83d\ude00 \u00e9", "A": "1"}}`, ""},
	} {
		w := newWorld(t, nil)
		if _, code, message, _ := w.call(t, "SignUp", signUp+tt.members); code != tt.want {
			t.Errorf("%s: %q %s", name, code, message)
		}
	}
}

// Each input names what is there, and each operation is one of them.
func TestInputs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for operation := range inputs {
		if want := !strings.Contains(inputs[operation], "UserPoolId") && operation != "ListUserPools"; w.Public(operation) != want {
			t.Errorf("%s is public: %t", operation, w.Public(operation))
		}
		if _, code, message, _ := w.call(t, operation, inputs[operation]); strings.Contains(message, "validation") || code == "SerializationException" {
			t.Errorf("%s: %s", operation, message)
		}
	}
	if _, _, served := w.Serve("CreateUserPool", []byte("{}")); served || w.Public("CreateUserPool") {
		t.Error("CreateUserPool is served")
	}
}

// Messages are Cognito's.
func TestMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	for name, tt := range map[string]struct{ operation, body, code, message string }{
		"left out":             {"SignUp", `{}`, "InvalidParameterException", "1 validation error detected: Value at 'clientId' failed to satisfy constraint: Member must not be null"},
		"client":               {"SignUp", strings.Replace(inputs["SignUp"], websiteID, "nobody", 1), "ResourceNotFoundException", "User pool client nobody does not exist."},
		"pool":                 {"ListUsers", `{"UserPoolId": "eu-west-1_Nowhere"}`, "ResourceNotFoundException", "User pool eu-west-1_Nowhere does not exist."},
		"no id":                {"ListUsers", `{"UserPoolId": "a b"}`, "ResourceNotFoundException", "User pool ? does not exist."},
		"access token":         {"GetUser", `{"AccessToken": "x"}`, "NotAuthorizedException", "Invalid Access Token"},
		"refresh token":        {"GetTokensFromRefreshToken", inputs["GetTokensFromRefreshToken"], "NotAuthorizedException", "Invalid Refresh Token"},
		"no hash":              {"ForgotPassword", strings.Replace(inputs["ForgotPassword"], websiteID, secretID, 1), "NotAuthorizedException", "Client " + secretID + " is configured with secret but SECRET_HASH was not received"},
		"flow":                 {"InitiateAuth", strings.Replace(inputs["InitiateAuth"], websiteID, "1bare23456789", 1), "InvalidParameterException", "USER_PASSWORD_AUTH flow not enabled for this client"},
		"SRP":                  {"InitiateAuth", `{"ClientId": "1bare23456789", "AuthFlow": "USER_SRP_AUTH"}`, "InvalidParameterException", "USER_SRP_AUTH is not enabled for the client."},
		"custom":               {"InitiateAuth", `{"ClientId": "1website23456789", "AuthFlow": "CUSTOM_AUTH"}`, "InvalidParameterException", "CUSTOM_AUTH is not enabled for the client."},
		"not served":           {"InitiateAuth", `{"ClientId": "1secret23456789", "AuthFlow": "CUSTOM_AUTH"}`, "InvalidParameterException", "CUSTOM_AUTH is not served here."},
		"not served, operator": {"AdminInitiateAuth", `{"UserPoolId": "eu-west-1_Pool12345", "ClientId": "1secret23456789", "AuthFlow": "CUSTOM_AUTH"}`, "InvalidParameterException", "CUSTOM_AUTH is not served here."},
		"blank in a name": {"SignUp", strings.Replace(inputs["SignUp"], "bob@example.com", "a b", 1), "InvalidParameterException",
			`1 validation error detected: Value at 'username' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+`},
		"no name":      {"InitiateAuth", `{"ClientId": "1website23456789", "AuthFlow": "USER_SRP_AUTH"}`, "InvalidParameterException", "Missing required parameter USERNAME"},
		"rotated":      {"InitiateAuth", `{"ClientId": "1rotating23456789", "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": {"REFRESH_TOKEN": "x"}}`, "InvalidParameterException", "Auth flow not enabled for this client"},
		"another pool": {"DescribeUserPoolClient", `{"UserPoolId": "eu-west-1_Other1234", "ClientId": "1website23456789"}`, "ResourceNotFoundException", "User pool client 1website23456789 does not exist."},
		"page":         {"ListUsers", `{"UserPoolId": "eu-west-1_Pool12345", "Limit": 61}`, "InvalidParameterException", "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60"},
		"page token":   {"ListUsers", `{"UserPoolId": "eu-west-1_Pool12345", "PaginationToken": "-1"}`, "InvalidParameterException", "Invalid pagination token."},
		"group":        {"GetGroup", inputs["GetGroup"], "ResourceNotFoundException", "Group not found."},
		"nobody":       {"AdminGetUser", inputs["AdminGetUser"], "UserNotFoundException", "User does not exist."},
		"session":      {"RespondToAuthChallenge", inputs["RespondToAuthChallenge"], "NotAuthorizedException", "Invalid session for the user."},
	} {
		if status, code, message, _ := w.call(t, tt.operation, tt.body); status != http.StatusBadRequest || code != tt.code || message != tt.message {
			t.Errorf("%s: %d %s %q", name, status, code, message)
		}
	}
}

func FuzzServe(f *testing.F) {
	for operation, body := range inputs {
		f.Add(operation, body)
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		w := newWorld(t, nil)
		status, answer, served := w.Serve(operation, []byte(body))
		if served && (status != http.StatusOK && status != http.StatusBadRequest || !json.Valid(answer)) {
			t.Errorf("status %d", status)
		}
	})
}
