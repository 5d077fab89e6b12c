// Package idp serves the user-pool API of Amazon Cognito (cognito-idp, AWS JSON
// 1.1) over the directories of user pools: what SDKs sign people up and in with,
// and what operators manage them with.
//
// Operations that need no IAM permission on AWS are [API.Public]; whoever serves
// the API takes all others from signed requests only.
//
//	api := idp.New(server.Directories())
//	endpoint, err := awsapi.New(awsapi.Config{..., Services: map[string]awsapi.Service{"cognito-idp": api}})
package idp

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/local/awsapi"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// API is the user-pool API. It is safe for concurrent use.
type API struct {
	pools map[string]*directory.Directory
}

var _ awsapi.PublicService = (*API)(nil)

// New returns the API of the pools, by id.
func New(pools map[string]*directory.Directory) *API { return &API{maps.Clone(pools)} }

// Public reports whether an operation needs no signature: those that "IAM and
// non-IAM API operations", Amazon Cognito developer guide, calls unauthenticated
// or authorized by an access token.
func (a *API) Public(operation string) bool { return operations[operation].public }

// Target is what X-Amz-Target names the API by.
func (a *API) Target() string { return "AWSCognitoIdentityProviderService" }

// Resources names the user pool of an operation ("Actions, resources, and
// condition keys for Amazon Cognito User Pools", service authorization
// reference). A body that names none, which [API.Serve] refuses, could mean any.
func (a *API) Resources(operation string, body []byte) (resources []string, served bool) {
	if _, ok := operations[operation]; !ok {
		return nil, false
	}
	var in struct{ UserPoolId string } //nolint:revive // AWS's name
	if operation == "ListUserPools" || json.Unmarshal(body, &in) != nil || in.UserPoolId == "" || shown(in.UserPoolId) != in.UserPoolId {
		return []string{"*"}, true
	}
	return []string{"userpool/" + in.UserPoolId}, true
}

// Serve answers an operation. A caller who goes away stops nothing that has
// begun, as on AWS.
func (a *API) Serve(operation string, body []byte) (status int, answer []byte, served bool) {
	o, ok := operations[operation]
	if !ok {
		return 0, nil, false
	}
	result, err := o.serve(context.Background(), a, body)
	if err == nil {
		if answer, err = json.Marshal(result); err == nil {
			return http.StatusOK, answer, true
		}
	}
	status, answer = failure(err)
	return status, answer, true
}

// failure writes an error. One that is not Cognito's own says nothing.
func failure(err error) (status int, answer []byte) {
	known := &directory.Error{Code: "InternalErrorException", Message: "Something failed."}
	status = http.StatusInternalServerError
	if errors.As(err, &known) {
		status = http.StatusBadRequest
	}
	answer, _ = json.Marshal(map[string]string{"__type": known.Code, "message": known.Message}) // texts always marshal
	return status, answer
}

func refuse(code, message string) error { return &directory.Error{Code: code, Message: message} }

func invalid(message string) error { return refuse(directory.InvalidParameter, message) }

// operation is what an operation does with a body.
type operation struct {
	public bool
	serve  func(context.Context, *API, []byte) (any, error)
}

// reads makes an operation of a function of its input.
func reads[In any](public bool, serve func(*API, context.Context, *In) (any, error)) operation {
	return operation{public, func(ctx context.Context, a *API, body []byte) (any, error) {
		in := new(In)
		if err := decode(body, in); err != nil {
			return nil, err
		}
		return serve(a, ctx, in)
	}}
}

// operations are those that are served.
var operations = map[string]operation{
	"SignUp":                           reads(true, (*API).signUp),
	"ConfirmSignUp":                    reads(true, (*API).confirmSignUp),
	"ResendConfirmationCode":           reads(true, (*API).resendConfirmationCode),
	"ForgotPassword":                   reads(true, (*API).forgotPassword),
	"ConfirmForgotPassword":            reads(true, (*API).confirmForgotPassword),
	"InitiateAuth":                     reads(true, (*API).initiateAuth),
	"RespondToAuthChallenge":           reads(true, (*API).respondToAuthChallenge),
	"GetTokensFromRefreshToken":        reads(true, (*API).getTokensFromRefreshToken),
	"RevokeToken":                      reads(true, (*API).revokeToken),
	"AssociateSoftwareToken":           reads(true, (*API).associateSoftwareToken),
	"VerifySoftwareToken":              reads(true, (*API).verifySoftwareToken),
	"SetUserMFAPreference":             reads(true, (*API).setUserMFAPreference),
	"GetUser":                          reads(true, (*API).getUser),
	"UpdateGroup":                      reads(false, (*API).updateGroup),
	"UpdateUserAttributes":             reads(true, (*API).updateUserAttributes),
	"GetUserAttributeVerificationCode": reads(true, (*API).getUserAttributeVerificationCode),
	"VerifyUserAttribute":              reads(true, (*API).verifyUserAttribute),
	"ChangePassword":                   reads(true, (*API).changePassword),
	"GlobalSignOut":                    reads(true, (*API).globalSignOut),
	"DeleteUser":                       reads(true, (*API).deleteUser),

	"AdminCreateUser":             reads(false, (*API).adminCreateUser),
	"AdminSetUserPassword":        reads(false, (*API).adminSetUserPassword),
	"AdminResetUserPassword":      reads(false, (*API).adminResetUserPassword),
	"AdminConfirmSignUp":          reads(false, (*API).adminConfirmSignUp),
	"AdminGetUser":                reads(false, (*API).adminGetUser),
	"AdminInitiateAuth":           reads(false, (*API).adminInitiateAuth),
	"AdminRespondToAuthChallenge": reads(false, (*API).adminRespondToAuthChallenge),
	"AdminDisableUser":            reads(false, (*API).adminDisableUser),
	"AdminEnableUser":             reads(false, (*API).adminEnableUser),
	"AdminDeleteUser":             reads(false, (*API).adminDeleteUser),
	"AdminUserGlobalSignOut":      reads(false, (*API).adminUserGlobalSignOut),
	"AdminUpdateUserAttributes":   reads(false, (*API).adminUpdateUserAttributes),
	"AdminAddUserToGroup":         reads(false, (*API).adminAddUserToGroup),
	"AdminRemoveUserFromGroup":    reads(false, (*API).adminRemoveUserFromGroup),
	"AdminListGroupsForUser":      reads(false, (*API).adminListGroupsForUser),
	"CreateGroup":                 reads(false, (*API).createGroup),
	"GetGroup":                    reads(false, (*API).getGroup),
	"DeleteGroup":                 reads(false, (*API).deleteGroup),
	"ListGroups":                  reads(false, (*API).listGroups),
	"ListUsers":                   reads(false, (*API).listUsers),
	"ListUsersInGroup":            reads(false, (*API).listUsersInGroup),
	"ListUserPools":               reads(false, (*API).listUserPools),
	"ListUserPoolClients":         reads(false, (*API).listUserPoolClients),
	"DescribeUserPool":            reads(false, (*API).describeUserPool),
	"DescribeUserPoolClient":      reads(false, (*API).describeUserPoolClient),
}

// client returns an app client and its pool's directory.
func (a *API) client(id string) (*directory.Directory, *directory.Client, error) {
	for _, d := range a.pools {
		if c := d.Client(id); c != nil {
			return d, c, nil
		}
	}
	return nil, nil, refuse("ResourceNotFoundException", "User pool client "+shown(id)+" does not exist.")
}

// pool returns a pool's directory.
func (a *API) pool(id string) (*directory.Directory, error) {
	if d := a.pools[id]; d != nil {
		return d, nil
	}
	return nil, refuse("ResourceNotFoundException", "User pool "+shown(id)+" does not exist.")
}

// poolClient returns a client that must be a pool's.
func (a *API) poolClient(poolID, clientID string) (*directory.Directory, *directory.Client, error) {
	d, err := a.pool(poolID)
	if err != nil {
		return nil, nil, err
	}
	c := d.Client(clientID)
	if c == nil {
		return nil, nil, refuse("ResourceNotFoundException", "User pool client "+shown(clientID)+" does not exist.")
	}
	return d, c, nil
}

// shown keeps what is no id out of an error.
func shown(id string) string {
	if len(id) > 128 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return "?"
	}
	return id
}

// each asks the pools in order until one knows what a token or session is.
func (a *API) each(ask func(*directory.Directory) error) error {
	err := refuse(directory.NotAuthorized, "Invalid Access Token")
	for _, id := range slices.Sorted(maps.Keys(a.pools)) {
		var known *directory.Error
		if err = ask(a.pools[id]); err == nil || errors.As(err, &known) && !strings.HasPrefix(known.Message, "Invalid ") {
			return err
		}
	}
	return err
}

// caller returns who an access token speaks for that may manage its own account.
func (a *API) caller(ctx context.Context, token string) (d *directory.Directory, c *directory.Caller, err error) {
	err = a.each(func(one *directory.Directory) error {
		var err error
		d = one
		c, err = one.SelfService(ctx, token)
		return err
	})
	return d, c, err
}
