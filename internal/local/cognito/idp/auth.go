package idp

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// signedIn is an AuthenticationResultType.
type signedIn struct {
	AccessToken  string
	ExpiresIn    int64
	TokenType    string
	RefreshToken string `json:",omitempty"`
	IdToken      string `json:",omitempty"` //nolint:revive // AWS's name
}

// progress is the answer of InitiateAuth and RespondToAuthChallenge.
type progress struct {
	ChallengeName        string            `json:",omitempty"`
	Session              string            `json:",omitempty"`
	ChallengeParameters  map[string]string // {} once signed in
	AuthenticationResult *signedIn         `json:",omitempty"`
}

func tokens(t directory.Tokens) *signedIn {
	return &signedIn{t.Access, int64(t.ExpiresIn.Seconds()), "Bearer", t.Refresh, t.ID}
}

// next writes a step of a sign-in, with tokens if it was the last one. The
// pre-token trigger gets the metadata of an answer to a challenge, and none of
// InitiateAuth ("AdminInitiateAuth", Amazon Cognito API reference).
func next(ctx context.Context, d *directory.Directory, c *directory.Client, step *directory.Step, err error, metadata map[string]string) (any, error) {
	if err != nil {
		return nil, err
	}
	if step.Challenge != "" {
		return progress{ChallengeName: step.Challenge, Session: step.Session, ChallengeParameters: step.Parameters}, nil
	}
	issued, err := d.Issue(ctx, c, directory.Grant{User: step.User, Source: step.Source, Metadata: metadata})
	if err != nil {
		return nil, err
	}
	return progress{ChallengeParameters: map[string]string{}, AuthenticationResult: tokens(issued)}, nil
}

// start is the input of InitiateAuth and AdminInitiateAuth.
type start struct {
	flow       string
	parameters map[string]string
	metadata   map[string]string
}

func (s start) require(name string) (string, error) {
	if s.parameters[name] == "" {
		return "", invalid("Missing required parameter " + name)
	}
	return s.parameters[name], nil
}

// allows reports whether a client may use a flow.
func allows(c *directory.Client, flow string) bool {
	return slices.Contains(c.AuthFlows, "ALLOW_"+flow)
}

func (a *API) initiateAuth(ctx context.Context, in *struct {
	AuthFlow          string `check:"required,max=64"`
	AuthParameters    map[string]string
	ClientId          string `check:"required,max=128"` //nolint:revive // AWS's name
	ClientMetadata    map[string]string
	Session           string `check:"max=2048"`
	AnalyticsMetadata ignored
	UserContextData   ignored
}) (any, error) {
	d, c, err := a.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	s := start{in.AuthFlow, in.AuthParameters, in.ClientMetadata}
	switch s.flow {
	case "USER_PASSWORD_AUTH":
		if !allows(c, s.flow) {
			return nil, invalid("USER_PASSWORD_AUTH flow not enabled for this client")
		}
		return withPassword(ctx, d, c, s)
	case "USER_SRP_AUTH":
		return withSRP(ctx, d, c, s)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return withRefreshToken(ctx, d, c, s)
	default:
		return nil, unserved(c, s.flow)
	}
}

func (a *API) adminInitiateAuth(ctx context.Context, in *struct {
	UserPoolId        string `check:"required,max=55"`  //nolint:revive // AWS's name
	ClientId          string `check:"required,max=128"` //nolint:revive // AWS's name
	AuthFlow          string `check:"required,max=64"`
	AuthParameters    map[string]string
	ClientMetadata    map[string]string
	Session           string `check:"max=2048"`
	AnalyticsMetadata ignored
	ContextData       ignored
}) (any, error) {
	d, c, err := a.poolClient(in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	s := start{in.AuthFlow, in.AuthParameters, in.ClientMetadata}
	switch s.flow {
	case "ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH":
		if !allows(c, "ADMIN_USER_PASSWORD_AUTH") {
			return nil, invalid("Auth flow not enabled for this client")
		}
		return withPassword(ctx, d, c, s)
	case "USER_SRP_AUTH":
		return withSRP(ctx, d, c, s)
	case "REFRESH_TOKEN_AUTH", "REFRESH_TOKEN":
		return withRefreshToken(ctx, d, c, s)
	default:
		return nil, unserved(c, s.flow)
	}
}

// unserved refuses a flow that is not run here, whether or not the client has it.
func unserved(c *directory.Client, flow string) error {
	if flow == "CUSTOM_AUTH" || flow == "USER_AUTH" {
		if allows(c, flow) {
			return invalid(flow + " is not served here.")
		}
		return invalid(flow + " is not enabled for the client.")
	}
	return invalid("1 validation error detected: Value at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set")
}

func withPassword(ctx context.Context, d *directory.Directory, c *directory.Client, s start) (any, error) {
	username, err := s.require("USERNAME")
	if err != nil {
		return nil, err
	}
	password, err := s.require("PASSWORD")
	if err != nil {
		return nil, err
	}
	if err := c.CheckSecretHash(username, s.parameters["SECRET_HASH"]); err != nil {
		return nil, err
	}
	step, err := d.CheckPassword(ctx, c, username, password, s.metadata)
	return next(ctx, d, c, step, err, nil)
}

func withSRP(ctx context.Context, d *directory.Directory, c *directory.Client, s start) (any, error) {
	if !allows(c, "USER_SRP_AUTH") {
		return nil, invalid("USER_SRP_AUTH is not enabled for the client.")
	}
	username, err := s.require("USERNAME")
	if err != nil {
		return nil, err
	}
	public, err := s.require("SRP_A")
	if err != nil {
		return nil, err
	}
	if err := c.CheckSecretHash(username, s.parameters["SECRET_HASH"]); err != nil {
		return nil, err
	}
	step, err := d.StartSRP(ctx, c, username, public, s.metadata)
	return next(ctx, d, c, step, err, nil)
}

func withRefreshToken(ctx context.Context, d *directory.Directory, c *directory.Client, s start) (any, error) {
	if !allows(c, "REFRESH_TOKEN_AUTH") || c.RotatesRefreshTokens {
		return nil, invalid("Auth flow not enabled for this client")
	}
	token, err := s.require("REFRESH_TOKEN")
	if err != nil {
		return nil, err
	}
	if err := d.CheckRefreshHash(c, token, s.parameters["SECRET_HASH"]); err != nil {
		return nil, err
	}
	issued, err := d.Refresh(ctx, c, token, "", nil)
	if err != nil {
		return nil, err
	}
	return progress{ChallengeParameters: map[string]string{}, AuthenticationResult: tokens(issued)}, nil
}

func (a *API) respondToAuthChallenge(ctx context.Context, in *struct {
	ClientId           string `check:"required,max=128"` //nolint:revive // AWS's name
	ChallengeName      string `check:"required,max=64"`
	Session            string `check:"max=2048"`
	ChallengeResponses map[string]string
	ClientMetadata     map[string]string
	AnalyticsMetadata  ignored
	UserContextData    ignored
}) (any, error) {
	d, c, err := a.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	return respond(ctx, d, c, in.Session, start{in.ChallengeName, in.ChallengeResponses, in.ClientMetadata})
}

func (a *API) adminRespondToAuthChallenge(ctx context.Context, in *struct {
	UserPoolId         string `check:"required,max=55"`  //nolint:revive // AWS's name
	ClientId           string `check:"required,max=128"` //nolint:revive // AWS's name
	ChallengeName      string `check:"required,max=64"`
	Session            string `check:"max=2048"`
	ChallengeResponses map[string]string
	ClientMetadata     map[string]string
	AnalyticsMetadata  ignored
	ContextData        ignored
}) (any, error) {
	d, c, err := a.poolClient(in.UserPoolId, in.ClientId)
	if err != nil {
		return nil, err
	}
	return respond(ctx, d, c, in.Session, start{in.ChallengeName, in.ChallengeResponses, in.ClientMetadata})
}

// answers are what each challenge needs.
var answers = map[string][]string{
	directory.PasswordVerifier:    {"USERNAME", "PASSWORD_CLAIM_SECRET_BLOCK", "PASSWORD_CLAIM_SIGNATURE", "TIMESTAMP"},
	directory.NewPasswordRequired: {"USERNAME", "NEW_PASSWORD"},
	directory.SoftwareTokenMFA:    {"USERNAME", "SOFTWARE_TOKEN_MFA_CODE"},
	directory.MFASetup:            {"USERNAME"},
}

func respond(ctx context.Context, d *directory.Directory, c *directory.Client, session string, s start) (any, error) {
	needed, served := answers[s.flow]
	if !served {
		return nil, invalid("The challenge is not served here.")
	}
	for _, name := range needed {
		if _, err := s.require(name); err != nil {
			return nil, err
		}
	}
	if session == "" && s.flow != directory.PasswordVerifier {
		return nil, invalid("Missing required parameter Session")
	}
	if err := c.CheckSecretHash(s.parameters["USERNAME"], s.parameters["SECRET_HASH"]); err != nil {
		return nil, err
	}
	var step *directory.Step
	var err error
	switch s.flow {
	case directory.PasswordVerifier:
		step, err = d.VerifySRP(ctx, c, directory.SRPAnswer{
			Username: s.parameters["USERNAME"], SecretBlock: s.parameters["PASSWORD_CLAIM_SECRET_BLOCK"],
			Signature: s.parameters["PASSWORD_CLAIM_SIGNATURE"], Timestamp: s.parameters["TIMESTAMP"],
		}, s.metadata)
	case directory.NewPasswordRequired:
		attributes := map[string]string{}
		for name, value := range s.parameters {
			if attribute, ok := strings.CutPrefix(name, "userAttributes."); ok {
				attributes[attribute] = value
			}
		}
		step, err = d.AnswerNewPassword(ctx, c, session, s.parameters["NEW_PASSWORD"], attributes, s.metadata)
	case directory.SoftwareTokenMFA:
		step, err = d.AnswerTOTP(ctx, c, session, s.parameters["SOFTWARE_TOKEN_MFA_CODE"], s.metadata)
	default:
		step, err = d.AnswerMFASetup(ctx, c, session, s.metadata)
	}
	return next(ctx, d, c, step, err, s.metadata)
}

func (a *API) getTokensFromRefreshToken(ctx context.Context, in *struct {
	RefreshToken   string `check:"required,max=8192"`
	ClientId       string `check:"required,max=128"` //nolint:revive // AWS's name
	ClientSecret   string `check:"max=64"`
	DeviceKey      string `check:"max=55"`
	ClientMetadata map[string]string
}) (any, error) {
	d, c, err := a.client(in.ClientId)
	if err == nil {
		err = checkSecret(c, in.ClientSecret)
	}
	if err != nil {
		return nil, err
	}
	issued, err := d.Refresh(ctx, c, in.RefreshToken, "", in.ClientMetadata)
	if err != nil {
		return nil, err
	}
	return struct{ AuthenticationResult *signedIn }{tokens(issued)}, nil
}

func (a *API) revokeToken(_ context.Context, in *struct {
	Token        string `check:"required,max=8192"`
	ClientId     string `check:"required,max=128"` //nolint:revive // AWS's name
	ClientSecret string `check:"max=64"`
}) (any, error) {
	d, c, err := a.client(in.ClientId)
	if err != nil {
		return nil, err
	}
	if checkSecret(c, in.ClientSecret) != nil {
		return nil, refuse("UnauthorizedException", "Invalid client secret for client "+c.ID) // it has no other
	}
	return none{}, d.Revoke(c, in.Token)
}

// checkSecret checks the secret of a client that has one.
func checkSecret(c *directory.Client, secret string) error {
	if subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) != 1 {
		return refuse(directory.NotAuthorized, "Invalid client secret for client "+c.ID)
	}
	return nil
}
