package directory_test

import (
	"reflect"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// with makes a pool run a trigger.
func with(name string) func(*assembly.UserPool) {
	return func(p *assembly.UserPool) { p.Triggers[name] = triggerFn }
}

func preToken(version string) func(*assembly.UserPool) {
	return func(p *assembly.UserPool) { p.PreTokenVersion, p.PreTokenFunctionARN = version, triggerFn }
}

// everything walks through sign-up and sign-in, to where a trigger stops it.
func (w *world) everything(t *testing.T) error {
	t.Helper()
	result, err := w.signUp(t.Context(), w.website, ann)
	if err != nil {
		return err
	}
	if !result.Confirmed {
		if err := w.ConfirmSignUp(t.Context(), w.website, ann, w.lastCode(t), map[string]string{"k": "v"}); err != nil {
			return err
		}
	}
	step, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
	if err != nil {
		return err
	}
	_, err = w.Issue(t.Context(), w.website, directory.Grant{User: step.User, Source: step.Source})
	return err
}

// A trigger that fails, answers nonsense or cannot be run stops what it is for.
func TestTriggers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change  func(*assembly.UserPool)
		source  string
		version string
	}{
		"PreSignUp":          {with("PreSignUp"), "PreSignUp_SignUp", "1"},
		"PostConfirmation":   {with("PostConfirmation"), "PostConfirmation_ConfirmSignUp", "1"},
		"PreAuthentication":  {with("PreAuthentication"), "PreAuthentication_Authentication", "1"},
		"PostAuthentication": {with("PostAuthentication"), "PostAuthentication_Authentication", "1"},
		"PreTokenGeneration": {preToken("V2_0"), "TokenGeneration_Authentication", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.change)
			wantError(t, "an answer", w.everything(t), "")
			if len(w.events) != 1 {
				t.Fatalf("%d events", len(w.events))
			}
			e := w.events[0]
			caller, _ := e["callerContext"].(map[string]any)
			request, _ := e["request"].(map[string]any)
			attributes, _ := request["userAttributes"].(map[string]any)
			if e["triggerSource"] != tt.source || e["version"] != tt.version || e["region"] != "eu-west-1" || e["userPoolId"] != "eu-west-1_Pool12345" ||
				caller["clientId"] != websiteID || attributes["email"] != ann {
				t.Errorf("the event is %v", e)
			}
			for what, c := range map[string]struct{ answer, failure, want string }{
				"fails":       {failure: "not today", want: "UserLambdaValidationException: " + name + " failed with error not today."},
				"null":        {answer: "null", want: "InvalidLambdaResponseException: Unrecognizable lambda output"},
				"no response": {answer: "{}", want: "InvalidLambdaResponseException: Unrecognizable lambda output"},
				"no JSON":     {answer: "ok", want: "InvalidLambdaResponseException: Unrecognizable lambda output"},
				"a list":      {answer: `{"response": []}`, want: "InvalidLambdaResponseException: Unrecognizable lambda output"},
			} {
				w := newWorld(t, tt.change)
				w.answer, w.failure = c.answer, c.failure
				wantError(t, what, w.everything(t), c.want)
			}
			w = newWorld(t, tt.change, func(p *assembly.UserPool) {
				p.PreTokenFunctionARN = ""
				if _, ok := p.Triggers[name]; ok {
					p.Triggers[name] = ""
				}
			})
			wantError(t, "unknown function", w.everything(t), "UnexpectedLambdaException: "+name+" names a function that cannot be run here")
		})
	}
}

func TestPreSignUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("PreSignUp"), with("PostConfirmation"))
	validation, metadata := map[string]string{"k": "validation"}, map[string]string{"k": "metadata"}
	_, err := w.SignUp(t.Context(), w.website, directory.SignUpInput{Username: "bob@example.com", Password: password, Validation: validation, Metadata: metadata})
	wantError(t, "sign-up", err, "")
	_, err = w.Create(t.Context(), directory.CreateInput{Username: "eve@example.com", Password: password, Validation: validation, Metadata: metadata})
	wantError(t, "by an operator", err, "")
	for i, source := range []string{"PreSignUp_SignUp", "PreSignUp_AdminCreateUser"} {
		request, _ := w.events[i]["request"].(map[string]any)
		if w.events[i]["triggerSource"] != source || !reflect.DeepEqual(request["validationData"], map[string]any{"k": "validation"}) ||
			!reflect.DeepEqual(request["clientMetadata"], map[string]any{"k": "metadata"}) {
			t.Errorf("the event is %v", w.events[i])
		}
	}
	w = newWorld(t, with("PreSignUp"), with("PostConfirmation"))
	w.answer = `{"response": {"autoConfirmUser": true, "autoVerifyEmail": true}}`
	wantError(t, "sign-in without a code", w.everything(t), "")
	if u := w.Users(nil)[0]; u.Status != directory.Confirmed || u.Attributes["email_verified"] != "true" || len(w.messages) != 0 || len(w.events) != 2 {
		t.Errorf("%+v after %d messages, %d events", u, len(w.messages), len(w.events))
	}
}

// The versions of the pre-token event change what each may, and never who
// somebody is.
func TestPreToken(t *testing.T) {
	t.Parallel()
	const (
		both = `{"response": {"claimsAndScopeOverrideDetails": {
			"idTokenGeneration": {"claimsToAddOrOverride": {"a": {"b": [1]}, "sub": "x", "aud": "x", "cognito:username": "x"}, "claimsToSuppress": ["email", "iss"]},
			"accessTokenGeneration": {"claimsToAddOrOverride": {"email": "e", "client_id": "x", "username": "x", "scope": "x"}, "claimsToSuppress": ["token_use"],
				"scopesToAdd": ["notes/read", "notes/read"], "scopesToSuppress": ["aws.cognito.signin.user.admin"]},
			"groupOverrideDetails": {"groupsToOverride": ["g"], "iamRolesToOverride": ["r"], "preferredRole": "r"}}}}`
		one = `{"response": {"claimsOverrideDetails": {"claimsToAddOrOverride": {"a": "b", "sub": "x"}, "claimsToSuppress": ["email"],
			"groupOverrideDetails": {"groupsToOverride": ["g"]}}}}`
	)
	for version, answer := range map[string]string{"V1_0": one, "V2_0": both, "V3_0": both} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, preToken(version))
			u := w.addAnn(t)
			w.answer = answer
			tokens := w.signIn(t, w.website)
			access, id := claims(t, tokens.Access), claims(t, tokens.ID)
			if id["sub"] != u.Subject || id["aud"] != websiteID || id["iss"] != issuer || id["cognito:username"] != u.Username || id["email"] != nil ||
				id["a"] == nil || !reflect.DeepEqual(id["cognito:groups"], []any{"g"}) {
				t.Errorf("ID token %v", id)
			}
			if access["client_id"] != websiteID || access["username"] != u.Username || access["token_use"] != "access" || !reflect.DeepEqual(access["cognito:groups"], []any{"g"}) {
				t.Errorf("access token %v", access)
			}
			scope, email := "notes/read", any("e")
			if version == "V1_0" {
				scope, email = "aws.cognito.signin.user.admin", nil
			}
			if access["scope"] != scope || access["email"] != email {
				t.Errorf("access token %v", access)
			}
			if _, err := w.Refresh(t.Context(), w.website, tokens.Refresh, "", map[string]string{"k": "refresh"}); err != nil {
				t.Fatal(err)
			}
			w.wantMetadata(t, "TokenGeneration_RefreshTokens", "refresh")
			machine, err := w.ClientCredentials(t.Context(), w.server, []string{"notes/read"}, map[string]string{"k": "machine"})
			if err != nil {
				t.Fatal(err)
			}
			if version == "V3_0" {
				w.wantMetadata(t, "TokenGeneration_ClientCredentials", "machine")
			}
			if c := claims(t, machine.Access); (c["email"] != nil) != (version == "V3_0") || c["sub"] != serverID || c["scope"] != "notes/read" {
				t.Errorf("machine token %v", c)
			}
		})
	}
	for _, scopes := range []string{`"a b"`, `""`, `"aws.cognito.other"`, `"a\"b"`, `1`} {
		w := newWorld(t, preToken("V2_0"))
		w.answer = `{"response": {"claimsAndScopeOverrideDetails": {"accessTokenGeneration": {"scopesToAdd": [` + scopes + `]}}}}`
		wantError(t, scopes, w.everything(t), "InvalidLambdaResponseException: Unrecognizable lambda output")
	}
}

// wantMetadata checks the last event: its source, and k of its metadata.
func (w *world) wantMetadata(t *testing.T, source, want string) {
	t.Helper()
	last := w.events[len(w.events)-1]
	request, _ := last["request"].(map[string]any)
	metadata, _ := request["clientMetadata"].(map[string]any)
	if last["triggerSource"] != source || metadata["k"] != want || len(metadata) != 1 {
		t.Errorf("the event is %v", last)
	}
}

// A name that nobody has reaches the trigger before authentication as well.
func TestPreAuthenticationOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, with("PreAuthentication"))
	_, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
	wantError(t, "nobody", err, wrongPassword)
	if request, _ := w.events[0]["request"].(map[string]any); request["userNotFound"] != true {
		t.Errorf("the event is %v", w.events[0])
	}
}

// What changes while a trigger runs counts.
func TestDuringTriggers(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world) error{
		"deleted":      func(w *world) error { return w.Delete(ann) },
		"new password": func(w *world) error { return w.SetPassword(ann, "Another-Horse-2", true) },
	} {
		w := newWorld(t, with("PreAuthentication"))
		w.addAnn(t)
		w.during = func() { wantError(t, name, change(w), "") }
		_, err := w.CheckPassword(t.Context(), w.website, ann, password, nil)
		wantError(t, name+" during a sign-in", err, wrongPassword)
	}
	w := newWorld(t, preToken("V2_0"))
	w.addAnn(t)
	tokens := w.signIn(t, w.website)
	w.during = func() { wantError(t, "sign-out", w.EndSessions(ann), "") }
	_, err := w.Refresh(t.Context(), w.website, tokens.Refresh, "", nil)
	wantError(t, "signed out during a refresh", err, "NotAuthorizedException: Refresh Token has been revoked")
	_, err = w.Issue(t.Context(), w.website, directory.Grant{User: w.Users(nil)[0]})
	wantError(t, "signed out during a sign-in", err, "NotAuthorizedException: Refresh Token has been revoked")
}
