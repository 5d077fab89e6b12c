package idp_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/pquerna/otp/totp"

	"github.com/gatewright/gatewright/internal/assembly"
)

// must fails the test where the SDK does.
func must[T any](out T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// The AWS SDK for Go signs a user up, in and out again, without credentials.
func TestUserWithSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, app := w.sdk(t)
	ctx, client, name := t.Context(), aws.String(websiteID), aws.String(ann)
	up := must(app.SignUp(ctx, &cognito.SignUpInput{ClientId: client, Username: name, Password: aws.String(password)}))(t)
	if up.UserConfirmed || *up.CodeDeliveryDetails.Destination != "a***@e***" || up.CodeDeliveryDetails.DeliveryMedium != types.DeliveryMediumTypeEmail {
		t.Errorf("sign-up: %+v", up.CodeDeliveryDetails)
	}
	_, err := app.SignUp(ctx, &cognito.SignUpInput{ClientId: client, Username: name, Password: aws.String(password)})
	if e := (*types.UsernameExistsException)(nil); !errors.As(err, &e) {
		t.Errorf("again: %v", err)
	}
	must(app.ResendConfirmationCode(ctx, &cognito.ResendConfirmationCodeInput{ClientId: client, Username: name}))(t)
	must(app.ConfirmSignUp(ctx, &cognito.ConfirmSignUpInput{ClientId: client, Username: name, ConfirmationCode: w.lastCode()}))(t)
	signIn := func(password string) *cognito.InitiateAuthOutput {
		t.Helper()
		return must(app.InitiateAuth(ctx, &cognito.InitiateAuthInput{
			ClientId: client, AuthFlow: types.AuthFlowTypeUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": ann, "PASSWORD": password},
		}))(t)
	}
	in := signIn(password).AuthenticationResult
	if in.ExpiresIn != 3600 || *in.TokenType != "Bearer" || in.IdToken == nil || in.RefreshToken == nil {
		t.Error("the tokens are not all there")
	}
	token := in.AccessToken
	user := must(app.GetUser(ctx, &cognito.GetUserInput{AccessToken: token}))(t)
	if *user.Username != *up.UserSub || len(user.UserAttributes) != 3 {
		t.Errorf("the user has %d attributes", len(user.UserAttributes))
	}
	attributes := []types.AttributeType{{Name: aws.String("email"), Value: aws.String("ann2@example.com")}, {Name: aws.String("name"), Value: aws.String("Ann")}}
	changed := must(app.UpdateUserAttributes(ctx, &cognito.UpdateUserAttributesInput{AccessToken: token, UserAttributes: attributes}))(t)
	if len(changed.CodeDeliveryDetailsList) != 1 || *changed.CodeDeliveryDetailsList[0].AttributeName != "email" {
		t.Error("no code for the new address")
	}
	must(app.GetUserAttributeVerificationCode(ctx, &cognito.GetUserAttributeVerificationCodeInput{AccessToken: token, AttributeName: aws.String("email")}))(t)
	must(app.VerifyUserAttribute(ctx, &cognito.VerifyUserAttributeInput{AccessToken: token, AttributeName: aws.String("email"), Code: w.lastCode()}))(t)
	must(app.UpdateUserAttributes(ctx, &cognito.UpdateUserAttributesInput{AccessToken: token, UserAttributes: []types.AttributeType{{Name: aws.String("email"), Value: name}}}))(t)
	must(app.VerifyUserAttribute(ctx, &cognito.VerifyUserAttributeInput{AccessToken: token, AttributeName: aws.String("email"), Code: w.lastCode()}))(t)
	must(app.ChangePassword(ctx, &cognito.ChangePasswordInput{AccessToken: token, PreviousPassword: aws.String(password), ProposedPassword: aws.String("Another-Horse-2")}))(t)
	must(app.ForgotPassword(ctx, &cognito.ForgotPasswordInput{ClientId: client, Username: name}))(t)
	must(app.ConfirmForgotPassword(ctx, &cognito.ConfirmForgotPasswordInput{ClientId: client, Username: name, ConfirmationCode: w.lastCode(), Password: aws.String(password)}))(t)
	refreshed := must(app.InitiateAuth(ctx, &cognito.InitiateAuthInput{
		ClientId: client, AuthFlow: types.AuthFlowTypeRefreshTokenAuth, AuthParameters: map[string]string{"REFRESH_TOKEN": *in.RefreshToken},
	}))(t).AuthenticationResult
	if refreshed.RefreshToken != nil || refreshed.IdToken == nil {
		t.Error("a refresh gives an access and an ID token")
	}
	must(app.RevokeToken(ctx, &cognito.RevokeTokenInput{ClientId: client, Token: in.RefreshToken}))(t)
	_, err = app.GetUser(ctx, &cognito.GetUserInput{AccessToken: token})
	if e := (*types.NotAuthorizedException)(nil); !errors.As(err, &e) || *e.Message != "Access Token has been revoked" {
		t.Errorf("after the revocation: %v", err)
	}
	token = signIn(password).AuthenticationResult.AccessToken
	must(app.GlobalSignOut(ctx, &cognito.GlobalSignOutInput{AccessToken: token}))(t)
	if _, err = app.GetUser(ctx, &cognito.GetUserInput{AccessToken: token}); err == nil {
		t.Error("signed out, and let in")
	}
	must(app.DeleteUser(ctx, &cognito.DeleteUserInput{AccessToken: signIn(password).AuthenticationResult.AccessToken}))(t)
	if len(w.users.Users(nil)) != 0 {
		t.Error("the user is there")
	}
}

// An authenticator app is set up, preferred, and asked for.
func TestMFAWithSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, app := w.sdk(t)
	if _, err := w.users.Add(ann, password, nil); err != nil {
		t.Fatal(err)
	}
	ctx, client := t.Context(), aws.String(websiteID)
	signIn := func() *cognito.InitiateAuthOutput {
		t.Helper()
		return must(app.InitiateAuth(ctx, &cognito.InitiateAuthInput{
			ClientId: client, AuthFlow: types.AuthFlowTypeUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": ann, "PASSWORD": password},
		}))(t)
	}
	token := signIn().AuthenticationResult.AccessToken
	secret := must(app.AssociateSoftwareToken(ctx, &cognito.AssociateSoftwareTokenInput{AccessToken: token}))(t).SecretCode
	code := func() *string {
		out, err := totp.GenerateCode(*secret, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		return &out
	}
	if out := must(app.VerifySoftwareToken(ctx, &cognito.VerifySoftwareTokenInput{AccessToken: token, UserCode: code()}))(t); out.Status != types.VerifySoftwareTokenResponseTypeSuccess {
		t.Errorf("verified: %s", out.Status)
	}
	if signIn().AuthenticationResult == nil {
		t.Error("asked for before it is preferred")
	}
	must(app.SetUserMFAPreference(ctx, &cognito.SetUserMFAPreferenceInput{
		AccessToken: token, SoftwareTokenMfaSettings: &types.SoftwareTokenMfaSettingsType{Enabled: true, PreferredMfa: true},
	}))(t)
	w.pass(time.Minute)
	asked := signIn()
	if asked.ChallengeName != types.ChallengeNameTypeSoftwareTokenMfa || asked.AuthenticationResult != nil {
		t.Fatalf("asked for %s", asked.ChallengeName)
	}
	done := must(app.RespondToAuthChallenge(ctx, &cognito.RespondToAuthChallengeInput{
		ClientId: client, ChallengeName: asked.ChallengeName, Session: asked.Session,
		ChallengeResponses: map[string]string{"USERNAME": ann, "SOFTWARE_TOKEN_MFA_CODE": *code()},
	}))(t)
	if done.AuthenticationResult == nil || done.AuthenticationResult.AccessToken == nil {
		t.Error("no tokens")
	}
}

// Where everybody needs a second factor, a first sign-in leads from MFA_SETUP to
// tokens, and the next one asks for the app.
func TestMFASetupWithSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) { p.MFA = "ON" })
	_, app := w.sdk(t)
	if _, err := w.users.Add(ann, password, nil); err != nil {
		t.Fatal(err)
	}
	ctx, client := t.Context(), aws.String(websiteID)
	signIn := func(want types.ChallengeNameType) *string {
		t.Helper()
		out := must(app.InitiateAuth(ctx, &cognito.InitiateAuthInput{
			ClientId: client, AuthFlow: types.AuthFlowTypeUserPasswordAuth, AuthParameters: map[string]string{"USERNAME": ann, "PASSWORD": password},
		}))(t)
		if out.ChallengeName != want || out.AuthenticationResult != nil {
			t.Fatalf("asked for %s", out.ChallengeName)
		}
		return out.Session
	}
	answer := func(challenge types.ChallengeNameType, session *string, responses map[string]string) (*cognito.RespondToAuthChallengeOutput, error) {
		responses["USERNAME"] = ann
		return app.RespondToAuthChallenge(ctx, &cognito.RespondToAuthChallengeInput{ClientId: client, ChallengeName: challenge, Session: session, ChallengeResponses: responses})
	}
	session := signIn(types.ChallengeNameTypeMfaSetup)
	setUp := must(app.AssociateSoftwareToken(ctx, &cognito.AssociateSoftwareTokenInput{Session: session}))(t)
	code := func() *string {
		out, err := totp.GenerateCode(*setUp.SecretCode, w.clock())
		if err != nil {
			t.Fatal(err)
		}
		return &out
	}
	// The session before is used up, and one without a proof gives nothing.
	_, err := app.AssociateSoftwareToken(ctx, &cognito.AssociateSoftwareTokenInput{Session: session})
	if e := (*types.NotAuthorizedException)(nil); !errors.As(err, &e) {
		t.Errorf("the session again: %v", err)
	}
	_, err = app.VerifySoftwareToken(ctx, &cognito.VerifySoftwareTokenInput{Session: setUp.Session, UserCode: aws.String("abcdef")})
	if e := (*types.EnableSoftwareTokenMFAException)(nil); !errors.As(err, &e) {
		t.Errorf("a wrong code: %v", err)
	}
	verified := must(app.VerifySoftwareToken(ctx, &cognito.VerifySoftwareTokenInput{Session: setUp.Session, UserCode: code()}))(t)
	if verified.Status != types.VerifySoftwareTokenResponseTypeSuccess || verified.Session == nil || *verified.Session == *setUp.Session {
		t.Errorf("verified: %s", verified.Status)
	}
	done := must(answer(types.ChallengeNameTypeMfaSetup, verified.Session, map[string]string{}))(t)
	if done.AuthenticationResult == nil || done.AuthenticationResult.RefreshToken == nil {
		t.Fatal("no tokens")
	}
	must(app.GetUser(ctx, &cognito.GetUserInput{AccessToken: done.AuthenticationResult.AccessToken}))(t)
	w.pass(time.Minute)
	session = signIn(types.ChallengeNameTypeSoftwareTokenMfa)
	must(answer(types.ChallengeNameTypeSoftwareTokenMfa, session, map[string]string{"SOFTWARE_TOKEN_MFA_CODE": *code()}))(t)
}

// A client with a secret has to prove it, whatever it asks for.
func TestSecretWithSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	_, app := w.sdk(t)
	if _, err := w.users.Add(ann, password, nil); err != nil {
		t.Fatal(err)
	}
	secret := w.users.Client(secretID).Secret
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(ann + secretID))
	hash := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	ask := func(flow types.AuthFlowType, parameters map[string]string) (*cognito.InitiateAuthOutput, error) {
		return app.InitiateAuth(t.Context(), &cognito.InitiateAuthInput{ClientId: aws.String(secretID), AuthFlow: flow, AuthParameters: parameters})
	}
	in := must(ask(types.AuthFlowTypeUserPasswordAuth, map[string]string{"USERNAME": ann, "PASSWORD": password, "SECRET_HASH": hash}))(t)
	refresh := *in.AuthenticationResult.RefreshToken
	must(ask(types.AuthFlowTypeRefreshTokenAuth, map[string]string{"REFRESH_TOKEN": refresh, "SECRET_HASH": hash}))(t)
	must(app.GetTokensFromRefreshToken(t.Context(), &cognito.GetTokensFromRefreshTokenInput{ClientId: aws.String(secretID), ClientSecret: &secret, RefreshToken: &refresh}))(t)
	for name, err := range map[string]error{
		"no hash":    second(ask(types.AuthFlowTypeUserPasswordAuth, map[string]string{"USERNAME": ann, "PASSWORD": password})),
		"wrong hash": second(ask(types.AuthFlowTypeRefreshTokenAuth, map[string]string{"REFRESH_TOKEN": refresh, "SECRET_HASH": "AAAA"})),
		"no secret":  second(app.GetTokensFromRefreshToken(t.Context(), &cognito.GetTokensFromRefreshTokenInput{ClientId: aws.String(secretID), RefreshToken: &refresh})),
	} {
		if e := (*types.NotAuthorizedException)(nil); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := app.RevokeToken(t.Context(), &cognito.RevokeTokenInput{ClientId: aws.String(secretID), ClientSecret: aws.String("wrong"), Token: &refresh})
	if e := (*types.UnauthorizedException)(nil); !errors.As(err, &e) {
		t.Errorf("revocation: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// Operators sign; whoever does not is no operator.
func TestOperatorWithSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) {
		p.PreTokenVersion, p.PreTokenFunctionARN = "V2_0", "arn:tokens"
		p.Triggers = map[string]string{"PreTokenGenerationConfig": "arn:tokens", "PreSignUp": "arn:sign-up"}
	})
	operator, app := w.sdk(t)
	ctx, pool, name := t.Context(), aws.String(poolID), aws.String(ann)
	_, err := app.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: name})
	if e := smithy.APIError(nil); !errors.As(err, &e) || e.ErrorCode() != "MissingAuthenticationTokenException" {
		t.Errorf("unsigned: %v", err)
	}
	made := must(operator.AdminCreateUser(ctx, &cognito.AdminCreateUserInput{
		UserPoolId: pool, Username: name, UserAttributes: []types.AttributeType{{Name: aws.String("email_verified"), Value: aws.String("true")}},
	}))(t).User
	if made.UserStatus != types.UserStatusTypeForceChangePassword || !made.Enabled || time.Since(*made.UserCreateDate).Abs() > time.Hour {
		t.Errorf("made %s, enabled %t, at %s", made.UserStatus, made.Enabled, made.UserCreateDate)
	}
	asked := must(operator.AdminInitiateAuth(ctx, &cognito.AdminInitiateAuthInput{
		UserPoolId: pool, ClientId: aws.String(websiteID), AuthFlow: types.AuthFlowTypeAdminUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": ann, "PASSWORD": *w.lastCode()},
	}))(t)
	if asked.ChallengeName != types.ChallengeNameTypeNewPasswordRequired || asked.ChallengeParameters["requiredAttributes"] != "[]" {
		t.Fatalf("asked for %s", asked.ChallengeName)
	}
	done := must(operator.AdminRespondToAuthChallenge(ctx, &cognito.AdminRespondToAuthChallengeInput{
		UserPoolId: pool, ClientId: aws.String(websiteID), ChallengeName: asked.ChallengeName, Session: asked.Session,
		ChallengeResponses: map[string]string{"USERNAME": ann, "NEW_PASSWORD": password},
	}))(t)
	token := done.AuthenticationResult.AccessToken

	must(operator.CreateGroup(ctx, &cognito.CreateGroupInput{UserPoolId: pool, GroupName: aws.String("staff"), Precedence: aws.Int32(1)}))(t)
	must(operator.AdminAddUserToGroup(ctx, &cognito.AdminAddUserToGroupInput{UserPoolId: pool, Username: name, GroupName: aws.String("staff")}))(t)
	if got := must(operator.AdminListGroupsForUser(ctx, &cognito.AdminListGroupsForUserInput{UserPoolId: pool, Username: name}))(t).Groups; len(got) != 1 || *got[0].Precedence != 1 {
		t.Errorf("%d groups", len(got))
	}
	if got := must(operator.ListUsersInGroup(ctx, &cognito.ListUsersInGroupInput{UserPoolId: pool, GroupName: aws.String("staff")}))(t).Users; len(got) != 1 {
		t.Errorf("%d members", len(got))
	}
	must(operator.AdminRemoveUserFromGroup(ctx, &cognito.AdminRemoveUserFromGroupInput{UserPoolId: pool, Username: name, GroupName: aws.String("staff")}))(t)
	must(operator.DeleteGroup(ctx, &cognito.DeleteGroupInput{UserPoolId: pool, GroupName: aws.String("staff")}))(t)

	must(operator.AdminUpdateUserAttributes(ctx, &cognito.AdminUpdateUserAttributesInput{
		UserPoolId: pool, Username: name, UserAttributes: []types.AttributeType{{Name: aws.String("name"), Value: aws.String("Ann")}},
	}))(t)
	must(operator.AdminUserGlobalSignOut(ctx, &cognito.AdminUserGlobalSignOutInput{UserPoolId: pool, Username: name}))(t)
	if _, err := app.GetUser(ctx, &cognito.GetUserInput{AccessToken: token}); err == nil {
		t.Error("signed out, and let in")
	}
	must(operator.AdminDisableUser(ctx, &cognito.AdminDisableUserInput{UserPoolId: pool, Username: name}))(t)
	got := must(operator.AdminGetUser(ctx, &cognito.AdminGetUserInput{UserPoolId: pool, Username: name}))(t)
	if got.Enabled || got.UserStatus != types.UserStatusTypeConfirmed {
		t.Errorf("enabled %t, %s", got.Enabled, got.UserStatus)
	}
	must(operator.AdminEnableUser(ctx, &cognito.AdminEnableUserInput{UserPoolId: pool, Username: name}))(t)
	must(operator.AdminSetUserPassword(ctx, &cognito.AdminSetUserPasswordInput{UserPoolId: pool, Username: name, Password: aws.String(password), Permanent: true}))(t)
	must(operator.AdminDeleteUser(ctx, &cognito.AdminDeleteUserInput{UserPoolId: pool, Username: name}))(t)

	described := must(operator.DescribeUserPool(ctx, &cognito.DescribeUserPoolInput{UserPoolId: pool}))(t).UserPool
	if l := described.LambdaConfig; l == nil || l.PreTokenGenerationConfig == nil || *l.PreTokenGenerationConfig.LambdaArn != "arn:tokens" ||
		l.PreTokenGenerationConfig.LambdaVersion != types.PreTokenGenerationLambdaVersionTypeV20 || l.PreSignUp == nil || *l.PreSignUp != "arn:sign-up" {
		t.Errorf("its triggers are %+v", l)
	}
	if described.MfaConfiguration != types.UserPoolMfaTypeOptional || *described.Policies.PasswordPolicy.MinimumLength != 8 || described.AdminCreateUserConfig.AllowAdminCreateUserOnly {
		t.Errorf("the pool is %+v", described)
	}
	client := must(operator.DescribeUserPoolClient(ctx, &cognito.DescribeUserPoolClientInput{UserPoolId: pool, ClientId: aws.String(secretID)}))(t).UserPoolClient
	if client.ClientSecret == nil || *client.AccessTokenValidity != 60 || *client.AuthSessionValidity != 3 || client.PreventUserExistenceErrors != types.PreventUserExistenceErrorTypesEnabled {
		t.Error("the client is not what is declared")
	}
	if got := must(operator.ListUserPoolClients(ctx, &cognito.ListUserPoolClientsInput{UserPoolId: pool}))(t).UserPoolClients; len(got) != 4 {
		t.Errorf("%d clients", len(got))
	}
	if got := must(operator.ListUserPools(ctx, &cognito.ListUserPoolsInput{MaxResults: aws.Int32(60)}))(t).UserPools; len(got) != 2 {
		t.Errorf("%d pools", len(got))
	}
}

func TestListUsersWithSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	operator, _ := w.sdk(t)
	for _, name := range []string{ann, "bob@example.com", "anna@example.com"} {
		if _, err := w.users.Add(name, password, map[string]string{"name": name[:3]}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
	}
	if err := w.users.SetEnabled("bob@example.com", false); err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]int{
		``: 3, `email = "ann@example.com"`: 1, `email ^= "ann"`: 2, `name = "ann"`: 2, `"name"="bob"`: 1, `status = "Disabled"`: 1,
		`cognito:user_status = "CONFIRMED"`: 3, `email = "nobody"`: 0, `sub ^= ""`: 3,
		`gender = "x"`: -1, `email`: -1, `email = ann`: -1, `email = "a" and name = "b"`: -1, `email =* "a"`: -1,
	} {
		out, err := operator.ListUsers(t.Context(), &cognito.ListUsersInput{UserPoolId: aws.String(poolID), Filter: aws.String(filter)})
		got := -1
		if err == nil {
			got = len(out.Users)
		}
		if got != want {
			t.Errorf("%s: %d users, want %d; %v", filter, got, want, err)
		}
	}
	pages := cognito.NewListUsersPaginator(operator, &cognito.ListUsersInput{UserPoolId: aws.String(poolID), Limit: aws.Int32(2), AttributesToGet: []string{"email"}})
	var names []string
	for pages.HasMorePages() {
		for _, u := range must(pages.NextPage(t.Context()))(t).Users {
			if len(u.Attributes) != 1 {
				t.Errorf("%d attributes", len(u.Attributes))
			}
			names = append(names, *u.Attributes[0].Value)
		}
	}
	if len(names) != 3 || names[0] != ann || names[2] != "anna@example.com" {
		t.Errorf("the users are %v", names)
	}
}
