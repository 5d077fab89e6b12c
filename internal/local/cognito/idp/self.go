package idp

import (
	"context"
	"maps"
	"slices"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// token is the input of operations that need nothing else.
type token struct {
	AccessToken string `check:"required,max=10240"`
}

// list returns attributes as a list, by name.
func list(attributes map[string]string) []attribute {
	out := []attribute{}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		out = append(out, attribute{name, attributes[name]})
	}
	return out
}

// mfaOf names a user's second factors.
func mfaOf(u *directory.User) (preferred string, all []string) {
	if u.TOTP {
		return directory.SoftwareTokenMFA, []string{directory.SoftwareTokenMFA}
	}
	return "", nil
}

func (a *API) getUser(ctx context.Context, in *token) (any, error) {
	_, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	preferred, all := mfaOf(c.User)
	return struct {
		Username            string
		UserAttributes      []attribute
		PreferredMfaSetting string   `json:",omitempty"`
		UserMFASettingList  []string `json:",omitempty"`
	}{c.User.Username, list(c.Readable()), preferred, all}, nil
}

func (a *API) updateUserAttributes(ctx context.Context, in *struct {
	AccessToken    string      `check:"required,max=10240"`
	UserAttributes []attribute `check:"required"`
	ClientMetadata map[string]string
}) (any, error) {
	d, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	attributes, err := pairs(in.UserAttributes)
	if err != nil {
		return nil, err
	}
	places, err := d.UpdateAttributes(c, attributes)
	if err != nil {
		return nil, err
	}
	answer := struct{ CodeDeliveryDetailsList []*details }{[]*details{}}
	for _, place := range places {
		answer.CodeDeliveryDetailsList = append(answer.CodeDeliveryDetailsList, delivered(&place))
	}
	return answer, nil
}

func (a *API) getUserAttributeVerificationCode(ctx context.Context, in *struct {
	AccessToken    string `check:"required,max=10240"`
	AttributeName  string `check:"required,max=32"`
	ClientMetadata map[string]string
}) (any, error) {
	d, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	place, err := d.SendAttributeCode(c, in.AttributeName)
	return sentTo{delivered(place)}, err
}

func (a *API) verifyUserAttribute(ctx context.Context, in *struct {
	AccessToken   string `check:"required,max=10240"`
	AttributeName string `check:"required,max=32"`
	Code          string `check:"required,max=2048"`
}) (any, error) {
	d, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	return none{}, d.VerifyAttribute(c, in.AttributeName, in.Code)
}

func (a *API) changePassword(ctx context.Context, in *struct {
	AccessToken      string `check:"required,max=10240"`
	PreviousPassword string `check:"required,max=256"`
	ProposedPassword string `check:"required,max=256"`
}) (any, error) {
	d, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	return none{}, d.ChangePassword(c, in.PreviousPassword, in.ProposedPassword)
}

func (a *API) globalSignOut(ctx context.Context, in *token) (any, error) {
	d, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	return none{}, d.SignOut(c)
}

func (a *API) deleteUser(ctx context.Context, in *token) (any, error) {
	d, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	return none{}, d.Delete(c.User.Username)
}

func (a *API) associateSoftwareToken(ctx context.Context, in *struct {
	AccessToken string `check:"max=10240"`
	Session     string `check:"max=2048"`
}) (any, error) {
	var answer struct {
		SecretCode string
		Session    string `json:",omitempty"`
	}
	switch {
	case (in.AccessToken == "") == (in.Session == ""):
		return nil, invalid("Either AccessToken or Session is required.")
	case in.Session != "":
		err := a.each(func(d *directory.Directory) (err error) {
			answer.SecretCode, answer.Session, err = d.AssociateTOTP(in.Session)
			return err
		})
		return answer, err
	}
	d, c, err := a.caller(ctx, in.AccessToken)
	if err == nil {
		answer.SecretCode, err = d.AssociateCallerTOTP(c)
	}
	return answer, err
}

func (a *API) verifySoftwareToken(ctx context.Context, in *struct {
	AccessToken        string `check:"max=10240"`
	Session            string `check:"max=2048"`
	UserCode           string `check:"required,max=6"`
	FriendlyDeviceName string `check:"max=131072"`
}) (any, error) {
	answer := struct {
		Status  string
		Session string `json:",omitempty"`
	}{Status: "SUCCESS"}
	switch {
	case (in.AccessToken == "") == (in.Session == ""):
		return nil, invalid("Either AccessToken or Session is required.")
	case in.Session != "":
		err := a.each(func(d *directory.Directory) (err error) {
			answer.Session, err = d.VerifyTOTP(in.Session, in.UserCode)
			return err
		})
		return answer, err
	}
	d, c, err := a.caller(ctx, in.AccessToken)
	if err == nil {
		err = d.VerifyCallerTOTP(c, in.UserCode)
	}
	return answer, err
}

func (a *API) setUserMFAPreference(ctx context.Context, in *struct {
	AccessToken              string `check:"required,max=10240"`
	SoftwareTokenMfaSettings *struct{ Enabled, PreferredMfa bool }
}) (any, error) {
	d, c, err := a.caller(ctx, in.AccessToken)
	if err != nil {
		return nil, err
	}
	if in.SoftwareTokenMfaSettings == nil {
		return none{}, nil
	}
	return none{}, d.PreferTOTP(c, in.SoftwareTokenMfaSettings.Enabled)
}
