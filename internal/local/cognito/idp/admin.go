package idp

import (
	"context"
	"slices"
	"time"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// userInput is the input of operations about a user that need nothing else.
type userInput struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	Username   string `check:"required,max=128"`
}

// seconds is a timestamp of AWS JSON 1.1.
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// userType is a UserType.
type userType struct {
	Username             string
	Attributes           []attribute
	UserCreateDate       float64
	UserLastModifiedDate float64
	Enabled              bool
	UserStatus           string
}

func described(u *directory.User) userType {
	return userType{u.Username, list(u.Attributes), seconds(u.Created), seconds(u.Modified), u.Enabled, u.Status}
}

func (a *API) adminCreateUser(ctx context.Context, in *struct {
	UserPoolId             string `check:"required,max=55"` //nolint:revive // AWS's name
	Username               string `check:"required,max=128"`
	TemporaryPassword      string `check:"max=256"`
	UserAttributes         []attribute
	ValidationData         []attribute
	MessageAction          string `check:"max=16"`
	DesiredDeliveryMediums []string
	ForceAliasCreation     bool
	ClientMetadata         map[string]string
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if in.ForceAliasCreation && len(d.Pool().AliasAttributes) > 0 || !slices.Contains([]string{"", "SUPPRESS", "RESEND"}, in.MessageAction) {
		return nil, invalid("ForceAliasCreation is not served here for a pool with aliases; MessageAction is SUPPRESS or RESEND.")
	}
	attributes, err := pairs(in.UserAttributes)
	if err != nil {
		return nil, err
	}
	validation, err := pairs(in.ValidationData)
	if err != nil {
		return nil, err
	}
	u, err := d.Create(ctx, directory.CreateInput{
		Username: in.Username, Password: in.TemporaryPassword, Attributes: attributes, Validation: validation,
		Metadata: in.ClientMetadata, Suppress: in.MessageAction == "SUPPRESS", Resend: in.MessageAction == "RESEND",
	})
	if err != nil {
		return nil, err
	}
	return struct{ User userType }{described(u)}, nil
}

func (a *API) adminGetUser(_ context.Context, in *userInput) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	u, err := d.Get(in.Username)
	if err != nil {
		return nil, err
	}
	preferred, all := mfaOf(u)
	return struct {
		Username             string
		UserAttributes       []attribute
		UserCreateDate       float64
		UserLastModifiedDate float64
		Enabled              bool
		UserStatus           string
		PreferredMfaSetting  string   `json:",omitempty"`
		UserMFASettingList   []string `json:",omitempty"`
	}{u.Username, list(u.Attributes), seconds(u.Created), seconds(u.Modified), u.Enabled, u.Status, preferred, all}, nil
}

func (a *API) adminSetUserPassword(_ context.Context, in *struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	Username   string `check:"required,max=128"`
	Password   string `check:"required,max=256"`
	Permanent  bool
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return none{}, d.SetPassword(in.Username, in.Password, in.Permanent)
}

func (a *API) adminUpdateUserAttributes(_ context.Context, in *struct {
	UserPoolId     string      `check:"required,max=55"` //nolint:revive // AWS's name
	Username       string      `check:"required,max=128"`
	UserAttributes []attribute `check:"required"`
	ClientMetadata map[string]string
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	attributes, err := pairs(in.UserAttributes)
	if err != nil {
		return nil, err
	}
	return none{}, d.SetAttributes(in.Username, attributes)
}

func (a *API) adminResetUserPassword(_ context.Context, in *struct {
	UserPoolId     string `check:"required,max=55"` //nolint:revive // AWS's name
	Username       string `check:"required,max=128"`
	ClientMetadata map[string]string
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return none{}, d.ResetPassword(in.Username)
}

func (a *API) adminConfirmSignUp(ctx context.Context, in *struct {
	UserPoolId     string `check:"required,max=55"` //nolint:revive // AWS's name
	Username       string `check:"required,max=128"`
	ClientMetadata map[string]string
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return none{}, d.Confirm(ctx, in.Username, in.ClientMetadata)
}

// edit serves an operation that changes a user and says nothing.
func (a *API) edit(in *userInput, change func(*directory.Directory) error) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return none{}, change(d)
}

func (a *API) adminDisableUser(_ context.Context, in *userInput) (any, error) {
	return a.edit(in, func(d *directory.Directory) error { return d.SetEnabled(in.Username, false) })
}

func (a *API) adminEnableUser(_ context.Context, in *userInput) (any, error) {
	return a.edit(in, func(d *directory.Directory) error { return d.SetEnabled(in.Username, true) })
}

func (a *API) adminDeleteUser(_ context.Context, in *userInput) (any, error) {
	return a.edit(in, func(d *directory.Directory) error { return d.Delete(in.Username) })
}

func (a *API) adminUserGlobalSignOut(_ context.Context, in *userInput) (any, error) {
	return a.edit(in, func(d *directory.Directory) error { return d.EndSessions(in.Username) })
}
