package idp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

const srpA = "2" // any value that is not 0 modulo N begins a sign-in

// hashOf proves that a client has its secret.
func (w *world) hashOf(clientID, username string) string {
	mac := hmac.New(sha256.New, []byte(w.users.Client(clientID).Secret))
	mac.Write([]byte(username + clientID))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// send calls an operation with a document.
func (w *world) send(t testing.TB, operation string, in map[string]any) (code, message string, answer map[string]any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	_, code, message, answer = w.call(t, operation, string(body))
	return code, message, answer
}

// refreshToken is one of a client, for ann.
func (w *world) refreshToken(t testing.TB, clientID string) string {
	t.Helper()
	user, err := w.users.Get(ann)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := w.users.Issue(t.Context(), w.users.Client(clientID), directory.Grant{User: user})
	if err != nil {
		t.Fatal(err)
	}
	return tokens.Refresh
}

// Each flow works for a client that has it, and is refused to one that has all
// others.
func TestFlows(t *testing.T) {
	t.Parallel()
	all := []string{"ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"}
	withPassword := map[string]any{"USERNAME": ann, "PASSWORD": password}
	withSRP := map[string]any{"USERNAME": ann, "SRP_A": srpA}
	for name, tt := range map[string]struct {
		operation, flow, needs string
		parameters             map[string]any // nil for a refresh token
		refusal                string
	}{
		"password":             {"InitiateAuth", "USER_PASSWORD_AUTH", "ALLOW_USER_PASSWORD_AUTH", withPassword, "USER_PASSWORD_AUTH flow not enabled for this client"},
		"SRP":                  {"InitiateAuth", "USER_SRP_AUTH", "ALLOW_USER_SRP_AUTH", withSRP, "USER_SRP_AUTH is not enabled for the client."},
		"refresh":              {"InitiateAuth", "REFRESH_TOKEN_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", nil, "Auth flow not enabled for this client"},
		"refresh, short":       {"InitiateAuth", "REFRESH_TOKEN", "ALLOW_REFRESH_TOKEN_AUTH", nil, "Auth flow not enabled for this client"},
		"operator's password":  {"AdminInitiateAuth", "ADMIN_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", withPassword, "Auth flow not enabled for this client"},
		"operator's, old name": {"AdminInitiateAuth", "ADMIN_NO_SRP_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", withPassword, "Auth flow not enabled for this client"},
		"operator's SRP":       {"AdminInitiateAuth", "USER_SRP_AUTH", "ALLOW_USER_SRP_AUTH", withSRP, "USER_SRP_AUTH is not enabled for the client."},
		"operator's refresh":   {"AdminInitiateAuth", "REFRESH_TOKEN_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", nil, "Auth flow not enabled for this client"},
	} {
		for _, allowed := range []bool{true, false} {
			w := newWorld(t, func(p *assembly.UserPool) {
				p.Clients[0].AuthFlows = []string{tt.needs}
				if !allowed {
					p.Clients[0].AuthFlows = slices.DeleteFunc(slices.Clone(all), func(flow string) bool { return flow == tt.needs })
				}
			})
			if _, err := w.users.Add(ann, password, nil); err != nil {
				t.Fatal(err)
			}
			in := map[string]any{"ClientId": websiteID, "AuthFlow": tt.flow, "AuthParameters": tt.parameters}
			if tt.parameters == nil {
				in["AuthParameters"] = map[string]any{"REFRESH_TOKEN": w.refreshToken(t, websiteID)}
			}
			if strings.HasPrefix(tt.operation, "Admin") {
				in["UserPoolId"] = poolID
			}
			code, message, answer := w.send(t, tt.operation, in)
			switch {
			case !allowed && (code != "InvalidParameterException" || message != tt.refusal):
				t.Errorf("%s without %s: %q %s", name, tt.needs, code, message)
			case allowed && (code != "" || answer["AuthenticationResult"] == nil && answer["ChallengeName"] != "PASSWORD_VERIFIER"):
				t.Errorf("%s: %q %s", name, code, message)
			}
		}
	}
}

// wantHashed sends a request of the client with a secret without a SECRET_HASH,
// with a wrong one, and with another client's, and then with the right one, which
// must get further. Set puts the hash in; "" for none.
func (w *world) wantHashed(t *testing.T, what, operation, username string, in map[string]any, set func(hash string), further string) {
	t.Helper()
	for name, tt := range map[string]struct{ hash, want string }{
		"missing":        {"", "Client " + secretID + " is configured with secret but SECRET_HASH was not received"},
		"wrong":          {"AAAA", "Unable to verify secret hash for client " + secretID},
		"another user's": {w.hashOf(secretID, "bob@example.com"), "Unable to verify secret hash for client " + secretID},
	} {
		set(tt.hash)
		if code, message, _ := w.send(t, operation, in); code != directory.NotAuthorized || message != tt.want {
			t.Errorf("%s, hash %s: %q %s", what, name, code, message)
		}
	}
	set(w.hashOf(secretID, username))
	if code, message, _ := w.send(t, operation, in); code != further {
		t.Errorf("%s: %q %s", what, code, message)
	}
}

// A client with a secret proves that it has it at the beginning of each flow and
// at each challenge.
func TestSecretHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.users.Add(ann, password, nil); err != nil {
		t.Fatal(err)
	}
	in := func(member, name string, parameters map[string]any) (map[string]any, func(string)) {
		parameters = maps.Clone(parameters)
		of := map[string]string{"AuthParameters": "AuthFlow", "ChallengeResponses": "ChallengeName"}
		document := map[string]any{"ClientId": secretID, of[member]: name, member: parameters}
		return document, func(hash string) {
			parameters["SECRET_HASH"] = hash
			if hash == "" {
				delete(parameters, "SECRET_HASH")
			}
		}
	}
	for flow, parameters := range map[string]map[string]any{
		"USER_PASSWORD_AUTH": {"USERNAME": ann, "PASSWORD": password},
		"USER_SRP_AUTH":      {"USERNAME": ann, "SRP_A": srpA},
		"REFRESH_TOKEN_AUTH": {"REFRESH_TOKEN": w.refreshToken(t, secretID)},
	} {
		document, set := in("AuthParameters", flow, parameters)
		w.wantHashed(t, flow, "InitiateAuth", ann, document, set, "")
	}
	document, set := in("AuthParameters", "ADMIN_USER_PASSWORD_AUTH", map[string]any{"USERNAME": ann, "PASSWORD": password})
	document["UserPoolId"] = poolID
	w.wantHashed(t, "ADMIN_USER_PASSWORD_AUTH", "AdminInitiateAuth", ann, document, set, "")

	for challenge, responses := range map[string]map[string]any{
		"PASSWORD_VERIFIER":     {"USERNAME": ann, "PASSWORD_CLAIM_SECRET_BLOCK": "AAAA", "PASSWORD_CLAIM_SIGNATURE": "AAAA", "TIMESTAMP": "x"},
		"NEW_PASSWORD_REQUIRED": {"USERNAME": ann, "NEW_PASSWORD": password},
		"SOFTWARE_TOKEN_MFA":    {"USERNAME": ann, "SOFTWARE_TOKEN_MFA_CODE": "123456"},
		"MFA_SETUP":             {"USERNAME": ann},
	} {
		document, set := in("ChallengeResponses", challenge, responses)
		document["Session"] = strings.Repeat("x", 43) // nobody's, which is what the right hash gets to hear
		further := directory.NotAuthorized
		if challenge == "PASSWORD_VERIFIER" {
			further = directory.InvalidParameter
		}
		w.wantHashed(t, challenge, "RespondToAuthChallenge", ann, document, set, further)
		document["UserPoolId"] = poolID
		w.wantHashed(t, challenge+" by an operator", "AdminRespondToAuthChallenge", ann, document, set, further)
	}
	for operation, further := range map[string]string{
		"SignUp": "UsernameExistsException", "ConfirmSignUp": "CodeMismatchException", "ResendConfirmationCode": "",
		"ForgotPassword": "", "ConfirmForgotPassword": "CodeMismatchException",
	} {
		var document map[string]any
		if err := json.Unmarshal([]byte(inputs[operation]), &document); err != nil {
			t.Fatal(err)
		}
		document["ClientId"], document["Username"] = secretID, ann
		w.wantHashed(t, operation, operation, ann, document, func(hash string) { document["SecretHash"] = hash }, further)
	}
}

// What a client tells triggers reaches the pre-token trigger from an answer to a
// challenge and from GetTokensFromRefreshToken, and from no InitiateAuth.
func TestMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) {
		p.PreTokenVersion, p.PreTokenFunctionARN = "V2_0", "arn:aws:lambda:eu-west-1:000000000000:function:tokens"
	})
	if _, err := w.users.Add(ann, password, nil); err != nil {
		t.Fatal(err)
	}
	refresh := w.refreshToken(t, websiteID)
	want := func(what, source string, metadata any) {
		t.Helper()
		event := w.events[len(w.events)-1]
		request, _ := event["request"].(map[string]any)
		got, _ := request["clientMetadata"].(map[string]any)
		if event["triggerSource"] != source || got["k"] != metadata {
			t.Errorf("%s: the event is %v", what, event)
		}
	}
	metadata := map[string]string{"k": "v"}
	do := func(operation string, in map[string]any) map[string]any {
		t.Helper()
		in["ClientId"], in["ClientMetadata"] = websiteID, metadata
		code, message, answer := w.send(t, operation, in)
		if code != "" {
			t.Fatalf("%s: %s %s", operation, code, message)
		}
		return answer
	}
	do("GetTokensFromRefreshToken", map[string]any{"RefreshToken": refresh})
	want("GetTokensFromRefreshToken", "TokenGeneration_RefreshTokens", "v")
	do("InitiateAuth", map[string]any{"AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": map[string]string{"REFRESH_TOKEN": refresh}})
	want("a refresh by InitiateAuth", "TokenGeneration_RefreshTokens", nil)
	signIn := map[string]any{"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": map[string]string{"USERNAME": ann, "PASSWORD": password}}
	do("InitiateAuth", signIn)
	want("InitiateAuth", "TokenGeneration_Authentication", nil)
	if err := w.users.SetPassword(ann, password, false); err != nil {
		t.Fatal(err)
	}
	session := do("InitiateAuth", signIn)["Session"]
	do("RespondToAuthChallenge", map[string]any{
		"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": session, "ChallengeResponses": map[string]string{"USERNAME": ann, "NEW_PASSWORD": "Another-Horse-2"},
	})
	want("RespondToAuthChallenge", "TokenGeneration_NewPasswordChallenge", "v")
}

// A user sees the attributes that the client may read, and no others.
func TestReadAttributes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.Clients[0].ReadAttributes = []string{"name"} })
	if _, err := w.users.Add(ann, password, map[string]string{"name": "Ann", "nickname": "A"}); err != nil {
		t.Fatal(err)
	}
	for clientID, want := range map[string]string{websiteID: "name sub", rotating: "email email_verified name nickname sub"} {
		code, _, answer := w.send(t, "InitiateAuth", map[string]any{
			"ClientId": clientID, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": map[string]string{"USERNAME": ann, "PASSWORD": password},
		})
		if code != "" {
			t.Fatal(code)
		}
		result, _ := answer["AuthenticationResult"].(map[string]any)
		_, _, user := w.send(t, "GetUser", map[string]any{"AccessToken": result["AccessToken"]})
		var names []string
		attributes, _ := user["UserAttributes"].([]any)
		for _, a := range attributes {
			names = append(names, a.(map[string]any)["Name"].(string))
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s sees %s", clientID, got)
		}
	}
}
