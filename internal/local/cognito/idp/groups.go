package idp

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// groupType is a GroupType.
type groupType struct {
	GroupName        string
	UserPoolId       string //nolint:revive // AWS's name
	Description      string `json:",omitempty"`
	RoleArn          string `json:",omitempty"`
	Precedence       *int   `json:",omitempty"`
	CreationDate     float64
	LastModifiedDate float64
}

func groupOf(poolID string, g directory.Group) groupType {
	return groupType{g.Name, poolID, g.Description, g.RoleARN, g.Precedence, seconds(g.Created), seconds(g.Modified)}
}

type groupInput struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	GroupName  string `check:"required,max=128"`
}

type memberInput struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	GroupName  string `check:"required,max=128"`
	Username   string `check:"required,max=128"`
}

// describedGroup is a group as an operator describes it.
type describedGroup struct {
	UserPoolId  string `check:"required,max=55"` //nolint:revive // AWS's name
	GroupName   string `check:"required,max=128"`
	Description string `check:"max=2048"`
	RoleArn     string `check:"max=2048"`
	Precedence  *int
}

func (a *API) createGroup(_ context.Context, in *describedGroup) (any, error) {
	return a.writeGroup(in, (*directory.Directory).CreateGroup)
}

func (a *API) updateGroup(_ context.Context, in *describedGroup) (any, error) {
	return a.writeGroup(in, (*directory.Directory).UpdateGroup)
}

func (a *API) writeGroup(in *describedGroup, write func(*directory.Directory, directory.Group) (directory.Group, error)) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if in.Precedence != nil && *in.Precedence < 0 {
		return nil, constraint("Precedence", "Member must have value greater than or equal to 0")
	}
	g, err := write(d, directory.Group{Name: in.GroupName, Description: in.Description, RoleARN: in.RoleArn, Precedence: in.Precedence})
	if err != nil {
		return nil, err
	}
	return struct{ Group groupType }{groupOf(in.UserPoolId, g)}, nil
}

func (a *API) getGroup(_ context.Context, in *groupInput) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	g, err := d.Group(in.GroupName)
	if err != nil {
		return nil, err
	}
	return struct{ Group groupType }{groupOf(in.UserPoolId, g)}, nil
}

func (a *API) deleteGroup(_ context.Context, in *groupInput) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return none{}, d.DeleteGroup(in.GroupName)
}

// groupPage is a page of groups.
type groupPage struct {
	Groups    []groupType
	NextToken string `json:",omitempty"`
}

func groupsOf(poolID string, all []directory.Group, limit *int, from string) (any, error) {
	some, following, err := page(all, limit, from)
	if err != nil {
		return nil, err
	}
	answer := groupPage{Groups: []groupType{}, NextToken: following}
	for _, g := range some {
		answer.Groups = append(answer.Groups, groupOf(poolID, g))
	}
	return answer, nil
}

func (a *API) listGroups(_ context.Context, in *struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	Limit      *int
	NextToken  string `check:"max=131072"`
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return groupsOf(in.UserPoolId, d.Groups(), in.Limit, in.NextToken)
}

func (a *API) adminListGroupsForUser(_ context.Context, in *struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	Username   string `check:"required,max=128"`
	Limit      *int
	NextToken  string `check:"max=131072"`
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	groups, err := d.GroupsOf(in.Username)
	if err != nil {
		return nil, err
	}
	return groupsOf(in.UserPoolId, groups, in.Limit, in.NextToken)
}

func (a *API) adminAddUserToGroup(_ context.Context, in *memberInput) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return none{}, d.SetMember(in.Username, in.GroupName, true)
}

func (a *API) adminRemoveUserFromGroup(_ context.Context, in *memberInput) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	return none{}, d.SetMember(in.Username, in.GroupName, false)
}

// maxPage is the longest page, and the default one ("ListUsers", Amazon Cognito
// API reference).
const maxPage = 60

// page returns a page of all that begins where the token says, and the token of
// the next one.
func page[T any](all []T, limit *int, from string) (some []T, following string, err error) {
	size, begin := maxPage, 0
	if limit != nil && *limit != 0 {
		size = *limit
	}
	if size < 1 || size > maxPage {
		return nil, "", constraint("Limit", "Member must have value less than or equal to 60")
	}
	if from != "" {
		if begin, err = strconv.Atoi(from); err != nil || begin < 0 || begin > len(all) {
			return nil, "", invalid("Invalid pagination token.")
		}
	}
	end := min(begin+size, len(all))
	if end < len(all) {
		following = strconv.Itoa(end)
	}
	return all[begin:end], following, nil
}

// filterForm is the syntax of ListUsers's Filter: one attribute, = or ^= for a
// beginning, and a value in quotes.
var filterForm = regexp.MustCompile(`^\s*"?([a-z_]+|cognito:user_status)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*$`)

// filterable are the attributes that Filter takes.
var filterable = []string{
	"username", "email", "phone_number", "name", "given_name", "family_name", "preferred_username",
	"cognito:user_status", "status", "sub",
}

func filter(text string) (func(*directory.User) bool, error) {
	if text == "" {
		return nil, nil
	}
	parts := filterForm.FindStringSubmatch(text)
	if parts == nil || !slices.Contains(filterable, parts[1]) {
		return nil, invalid("One or more of the specified filter attributes or values cannot be read.")
	}
	name, value := parts[1], strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(parts[3])
	return func(u *directory.User) bool {
		got := u.Attributes[name]
		switch name {
		case "username":
			got = u.Username
		case "cognito:user_status":
			got = u.Status
		case "status":
			got = map[bool]string{true: "Enabled", false: "Disabled"}[u.Enabled]
		}
		return got == value || parts[2] == "^=" && strings.HasPrefix(got, value)
	}, nil
}

func (a *API) listUsers(_ context.Context, in *struct {
	UserPoolId      string `check:"required,max=55"` //nolint:revive // AWS's name
	AttributesToGet []string
	Filter          string `check:"max=256"`
	Limit           *int
	PaginationToken string `check:"max=131072"`
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	keep, err := filter(in.Filter)
	if err != nil {
		return nil, err
	}
	some, following, err := page(d.Users(keep), in.Limit, in.PaginationToken)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Users           []userType
		PaginationToken string `json:",omitempty"`
	}{[]userType{}, following}
	for _, u := range some {
		one := described(u)
		if in.AttributesToGet != nil {
			one.Attributes = slices.DeleteFunc(one.Attributes, func(a attribute) bool { return !slices.Contains(in.AttributesToGet, a.Name) })
		}
		answer.Users = append(answer.Users, one)
	}
	return answer, nil
}

func (a *API) listUsersInGroup(_ context.Context, in *struct {
	UserPoolId string `check:"required,max=55"` //nolint:revive // AWS's name
	GroupName  string `check:"required,max=128"`
	Limit      *int
	NextToken  string `check:"max=131072"`
}) (any, error) {
	d, err := a.pool(in.UserPoolId)
	if err != nil {
		return nil, err
	}
	if _, err := d.Group(in.GroupName); err != nil {
		return nil, err
	}
	members := d.Users(func(u *directory.User) bool { return slices.Contains(u.Groups, in.GroupName) })
	some, following, err := page(members, in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Users     []userType
		NextToken string `json:",omitempty"`
	}{[]userType{}, following}
	for _, u := range some {
		answer.Users = append(answer.Users, described(u))
	}
	return answer, nil
}
