package userpool

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscognito"
	"github.com/aws/jsii-runtime-go"
)

// DefaultPasswordLength is how many characters a password has at least.
const DefaultPasswordLength = 12

// PasswordPolicy says which passwords users may choose.
type PasswordPolicy struct {
	// MinLength is how many characters a password has at least, 6 to 99.
	// Another is an error. Default: 12.
	MinLength int
	// Require are the classes of which a password has at least one character
	// each: userpool.Lowercase|userpool.Digits. Default: all four.
	// AnyCharacters asks for none; with others it is an error.
	Require Characters
	// History is how many of a user's former passwords may not be chosen
	// again, up to 24. Negative or more is an error. Default: 0, none is
	// remembered.
	History int
}

// Characters is a set of classes of characters.
type Characters uint8

// The classes of characters that Cognito tells apart.
const (
	Lowercase     Characters = 1 << iota // a to z
	Uppercase                            // A to Z
	Digits                               // 0 to 9
	Symbols                              // ^ $ * . [ ] and so on, and a space within
	AnyCharacters                        // whatever the user likes: length decides (NIST SP 800-63B)
)

const allClasses = Lowercase | Uppercase | Digits | Symbols

func (p PasswordPolicy) withDefaults() PasswordPolicy {
	p.MinLength = cmp.Or(p.MinLength, DefaultPasswordLength)
	p.Require = cmp.Or(p.Require, allClasses)
	return p
}

func (p PasswordPolicy) problems() []error {
	var problems []error
	if p.MinLength < 6 || p.MinLength > 99 {
		problems = append(problems, fmt.Errorf("Password.MinLength is %d; Cognito takes 6 to 99", p.MinLength))
	}
	switch {
	case p.Require&^(allClasses|AnyCharacters) != 0:
		problems = append(problems, fmt.Errorf("Password.Require is %#b; combine Lowercase, Uppercase, Digits and Symbols", p.Require))
	case p.Require&AnyCharacters != 0 && p.Require != AnyCharacters:
		problems = append(problems, errors.New("Password.Require holds AnyCharacters and classes; write one or the other"))
	}
	if p.History < 0 || p.History > 24 {
		problems = append(problems, fmt.Errorf("Password.History is %d; Cognito remembers 0 to 24 passwords", p.History))
	}
	return problems
}

func (p PasswordPolicy) cdk() *awscognito.PasswordPolicy {
	requires := func(class Characters) *bool { return jsii.Bool(p.Require&class != 0) }
	policy := &awscognito.PasswordPolicy{
		MinLength:        jsii.Number(p.MinLength),
		RequireLowercase: requires(Lowercase),
		RequireUppercase: requires(Uppercase),
		RequireDigits:    requires(Digits),
		RequireSymbols:   requires(Symbols),
	}
	if p.History > 0 {
		policy.PasswordHistorySize = jsii.Number(p.History)
	}
	return policy
}

// MFA says whether users prove a second factor: a one-time code of an
// authenticator app (TOTP, RFC 6238). Text messages are never one: they can be
// redirected, and cost.
type MFA string

// Whether users prove a second factor.
const (
	MFAOff      MFA = "" // nobody can; the default
	MFAOptional MFA = "optional"
	MFARequired MFA = "required"
)

func (m MFA) problems() []error {
	switch m {
	case MFAOff, MFAOptional, MFARequired:
		return nil
	}
	return []error{fmt.Errorf("MFA is %q; write userpool.MFAOptional, userpool.MFARequired or nothing", string(m))}
}

// apply leaves a pool without a second factor as it is.
func (m MFA) apply(settings *awscognito.UserPoolProps) {
	switch m {
	case MFAOptional:
		settings.Mfa = awscognito.Mfa_OPTIONAL
	case MFARequired:
		settings.Mfa = awscognito.Mfa_REQUIRED
	default:
		return
	}
	settings.MfaSecondFactor = &awscognito.MfaSecondFactor{Otp: jsii.Bool(true), Sms: jsii.Bool(false)}
}
