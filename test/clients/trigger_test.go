package clients

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// TestFailingTrigger serves a pool whose pre-token trigger ends at its start, for
// lack of what it has to write: nobody gets tokens, whichever way they sign in.
func TestFailingTrigger(t *testing.T) {
	p := serve(t, `{"SDK_SCOPES": "notes/read", "ACCESS_TOKEN_CLAIMS": "email"}`, `{"OTHER": "x"}`)
	desktop, demo := p.client(t, "desktop"), p.Users[0]
	app := cognito.New(cognito.Options{Region: p.Region, BaseEndpoint: &p.AWS, Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1})
	_, err := app.InitiateAuth(t.Context(), &cognito.InitiateAuthInput{
		ClientId: &desktop.ID, AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": demo.Username, "PASSWORD": demo.Password, "SECRET_HASH": secretHash(desktop, demo.Username)},
	})
	if failed, ok := errors.AsType[*types.UserLambdaValidationException](err); !ok || !strings.HasPrefix(*failed.Message, "PreTokenGeneration failed with error ") {
		t.Errorf("an SDK's sign-in: %v", err)
	}
	website := p.client(t, "website")
	answer := p.signIn(t, p.Auth+"/oauth2/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {website.ID}, "redirect_uri": website.Callbacks[:1], "scope": {"openid"}, "state": {"s"},
	}.Encode()).Query()
	if answer.Get("error") != "invalid_request" || !strings.HasPrefix(answer.Get("error_description"), "PreTokenGeneration failed with error ") || answer.Has("code") {
		t.Errorf("a sign-in at the page: %v", answer)
	}
}
