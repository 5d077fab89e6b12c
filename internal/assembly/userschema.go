package assembly

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// passwordPolicy reads a pool's Policies. Without a policy Cognito asks for
// eight characters of every kind ("PasswordPolicyType", Amazon Cognito API
// reference); one that leaves a kind out does not ask for it.
func (p props) passwordPolicy() PasswordPolicy {
	const week = 7
	if !p.has("PasswordPolicy") {
		return PasswordPolicy{MinLength: 8, Lowercase: true, Uppercase: true, Numbers: true, Symbols: true, TemporaryLifetime: week * 24 * time.Hour}
	}
	policy := p.object("PasswordPolicy")
	return PasswordPolicy{
		MinLength: policy.int("MinimumLength", 8),
		Lowercase: policy.bool("RequireLowercase"),
		Uppercase: policy.bool("RequireUppercase"),
		Numbers:   policy.bool("RequireNumbers"),
		Symbols:   policy.bool("RequireSymbols"),

		TemporaryLifetime: time.Duration(policy.int("TemporaryPasswordValidityDays", week)) * 24 * time.Hour,
	}
}

// recovery reads an AccountRecoverySetting. Without one Cognito prefers the
// telephone ("AccountRecoverySettingType", Amazon Cognito API reference).
func (p props) recovery() []string {
	mechanisms := p.objects("RecoveryMechanisms")
	if len(mechanisms) == 0 {
		return []string{"verified_phone_number", "verified_email"}
	}
	slices.SortStableFunc(mechanisms, func(a, b props) int { return a.int("Priority", 0) - b.int("Priority", 0) })
	var names []string
	for _, m := range mechanisms {
		names = append(names, m.text("Name"))
	}
	return names
}

// userAttributes reads a pool's Schema. A name that is no standard attribute's
// gets the prefix custom: ("SchemaAttributeType", Amazon Cognito API reference).
func (p props) userAttributes() []UserAttribute {
	var out []UserAttribute
	for _, declared := range p.objects("Schema") {
		bounds := declared.object("StringAttributeConstraints")
		a := UserAttribute{
			Name:      declared.text("Name"),
			Type:      orText(declared.text("AttributeDataType"), "String"),
			Required:  declared.bool("Required"),
			Mutable:   !declared.has("Mutable") || declared.bool("Mutable"),
			MinLength: bounds.bound("MinLength", 0),
			MaxLength: bounds.bound("MaxLength", 2048),
		}
		if !slices.Contains(StandardAttributes, a.Name) && !strings.HasPrefix(a.Name, "custom:") {
			a.Name = "custom:" + a.Name
		}
		out = append(out, a)
	}
	return out
}

// bound reads a number that CloudFormation writes as a text.
func (p props) bound(name string, otherwise int) int {
	if n, err := strconv.Atoi(p.text(name)); err == nil {
		return n
	}
	return otherwise
}

// StandardAttributes are the attributes that every pool has ("Working with user
// attributes", Amazon Cognito developer guide).
var StandardAttributes = []string{
	"address", "birthdate", "email", "email_verified", "family_name", "gender", "given_name", "locale",
	"middle_name", "name", "nickname", "phone_number", "phone_number_verified", "picture",
	"preferred_username", "profile", "sub", "updated_at", "website", "zoneinfo",
}
