package idp

import (
	"context"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// none is the answer of an operation that has nothing to say.
type none struct{}

// details is a CodeDeliveryDetailsType.
type details struct {
	Destination    string
	DeliveryMedium string
	AttributeName  string
}

func delivered(d *directory.Delivery) *details {
	if d == nil {
		return nil
	}
	return &details{d.Destination, d.Medium, d.Attribute}
}

// sentTo is the answer of operations that send a code.
type sentTo struct {
	CodeDeliveryDetails *details
}

// named begins the operations about a user who is not signed in.
func (a *API) named(clientID, username, hash string) (*directory.Directory, *directory.Client, error) {
	d, c, err := a.client(clientID)
	if err == nil {
		err = c.CheckSecretHash(username, hash)
	}
	return d, c, err
}

func (a *API) signUp(ctx context.Context, in *struct {
	ClientId          string `check:"required,max=128"` //nolint:revive // AWS's name
	SecretHash        string `check:"max=128"`
	Username          string `check:"required,max=128"`
	Password          string `check:"required,max=256"`
	UserAttributes    []attribute
	ValidationData    []attribute
	ClientMetadata    map[string]string
	AnalyticsMetadata ignored
	UserContextData   ignored
}) (any, error) {
	d, c, err := a.named(in.ClientId, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	attributes, err := pairs(in.UserAttributes)
	if err != nil {
		return nil, err
	}
	validation, err := pairs(in.ValidationData)
	if err != nil {
		return nil, err
	}
	result, err := d.SignUp(ctx, c, directory.SignUpInput{
		Username: in.Username, Password: in.Password, Attributes: attributes, Validation: validation, Metadata: in.ClientMetadata,
	})
	return struct {
		UserConfirmed       bool
		UserSub             string
		CodeDeliveryDetails *details `json:",omitempty"`
	}{result.Confirmed, result.Subject, delivered(result.Delivery)}, err
}

func (a *API) confirmSignUp(ctx context.Context, in *struct {
	ClientId           string `check:"required,max=128"` //nolint:revive // AWS's name
	SecretHash         string `check:"max=128"`
	Username           string `check:"required,max=128"`
	ConfirmationCode   string `check:"required,max=2048"`
	ForceAliasCreation bool
	ClientMetadata     map[string]string
	Session            string `check:"max=2048"`
	AnalyticsMetadata  ignored
	UserContextData    ignored
}) (any, error) {
	d, c, err := a.named(in.ClientId, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	if in.ForceAliasCreation && len(d.Pool().AliasAttributes) > 0 { // it moves an alias, and is sent by many apps that have none
		return nil, invalid("ForceAliasCreation is not served here for a pool with aliases.")
	}
	return none{}, d.ConfirmSignUp(ctx, c, in.Username, in.ConfirmationCode, in.ClientMetadata)
}

func (a *API) resendConfirmationCode(ctx context.Context, in *struct {
	ClientId          string `check:"required,max=128"` //nolint:revive // AWS's name
	SecretHash        string `check:"max=128"`
	Username          string `check:"required,max=128"`
	ClientMetadata    map[string]string
	AnalyticsMetadata ignored
	UserContextData   ignored
}) (any, error) {
	d, c, err := a.named(in.ClientId, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	place, err := d.ResendCode(ctx, c, in.Username, in.ClientMetadata)
	return sentTo{delivered(place)}, err
}

func (a *API) forgotPassword(ctx context.Context, in *struct {
	ClientId          string `check:"required,max=128"` //nolint:revive // AWS's name
	SecretHash        string `check:"max=128"`
	Username          string `check:"required,max=128"`
	ClientMetadata    map[string]string
	AnalyticsMetadata ignored
	UserContextData   ignored
}) (any, error) {
	d, c, err := a.named(in.ClientId, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	place, err := d.ForgotPassword(ctx, c, in.Username, in.ClientMetadata)
	return sentTo{delivered(place)}, err
}

func (a *API) confirmForgotPassword(ctx context.Context, in *struct {
	ClientId          string `check:"required,max=128"` //nolint:revive // AWS's name
	SecretHash        string `check:"max=128"`
	Username          string `check:"required,max=128"`
	ConfirmationCode  string `check:"required,max=2048"`
	Password          string `check:"required,max=256"`
	ClientMetadata    map[string]string
	AnalyticsMetadata ignored
	UserContextData   ignored
}) (any, error) {
	d, c, err := a.named(in.ClientId, in.Username, in.SecretHash)
	if err != nil {
		return nil, err
	}
	return none{}, d.ConfirmForgotPassword(ctx, c, in.Username, in.ConfirmationCode, in.Password, in.ClientMetadata)
}
