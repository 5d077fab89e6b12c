package hosted

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

// codeField takes a code that was mailed or texted. Its autocomplete lets a
// phone offer the code of a message.
var codeField = field{
	Name: "code", Label: "Code", Type: "text", Autocomplete: "one-time-code", InputMode: "numeric", Literal: true,
}

func passwordField(label, autocomplete, hint string) field {
	return field{Name: "password", Label: label, Type: "password", Autocomplete: autocomplete, Hint: hint}
}

// newPasswordField says what the pool asks of a password before it is refused.
func (c *call) newPasswordField() field {
	return passwordField("New password", "new-password", policyText(c.pool.UserPool))
}

// usernameField is what a person signs in with: an e-mail address or telephone
// number where the pool takes nothing else.
func (c *call) usernameField(value string) field {
	f := field{Name: "username", Label: "User name", Type: "text", Value: value, Autocomplete: "username", Literal: true}
	switch attributes := c.pool.UsernameAttributes; {
	case len(attributes) > 1:
		f.Label = "E-mail address or telephone number"
	case slices.Contains(attributes, "email"):
		f.Label, f.InputMode = "E-mail address", "email"
	case slices.Contains(attributes, "phone_number"):
		f.Label, f.InputMode, f.Hint = "Telephone number", "tel", phoneHint
	}
	return f
}

const (
	phoneHint = "With a plus sign and the country code: +14325551212."

	// attributePrefix tells an attribute's field from the others.
	attributePrefix = "attribute-"
)

// signUpFields are a user name, what the pool requires of an account, and a
// password.
func (c *call) signUpFields() []field {
	name := c.usernameField(c.form.Get("username"))
	fields := []field{name}
	for _, attribute := range c.pool.requiredAttributes() {
		fields = append(fields, c.attributeField(attribute))
	}
	return append(fields, passwordField("Password", "new-password", policyText(c.pool.UserPool)))
}

func (c *call) attributeField(attribute string) field {
	f := attributeFields[attribute]
	f.Name, f.Label, f.Type = attributePrefix+attribute, attributeLabel(attribute), "text"
	f.Value = c.form.Get(f.Name)
	return f
}

// attributes are what a form says of an account.
func (c *call) attributes(fields []field) map[string]string {
	attributes := map[string]string{}
	for _, f := range fields {
		if name, ok := strings.CutPrefix(f.Name, attributePrefix); ok {
			attributes[name] = c.form.Get(f.Name)
		}
	}
	return attributes
}

// attributeFields are the standard attributes that a browser can fill in
// (OpenID Connect Core 1.0 section 5.1; HTML standard, "Autofill").
var attributeFields = map[string]field{
	"email":        {Autocomplete: "email", InputMode: "email", Literal: true},
	"phone_number": {Autocomplete: "tel", InputMode: "tel", Hint: phoneHint, Literal: true},
	"name":         {Autocomplete: "name"},
	"given_name":   {Autocomplete: "given-name"},
	"family_name":  {Autocomplete: "family-name"},
	"nickname":     {Autocomplete: "nickname"},
	"birthdate":    {Autocomplete: "bday", Hint: "As year, month and day: 1990-12-31."},
	"address":      {Autocomplete: "street-address"},
	"website":      {Autocomplete: "url", InputMode: "url", Literal: true},
}

// attributeLabel makes words of an attribute's name: "Given name".
func attributeLabel(attribute string) string {
	words := strings.ReplaceAll(strings.TrimPrefix(attribute, "custom:"), "_", " ")
	if words == "" {
		return attribute
	}
	return strings.ToUpper(words[:1]) + words[1:]
}

// requiredAttributes are those that a person enters besides the user name.
func (p *pool) requiredAttributes() []string {
	var names []string
	for _, a := range p.Attributes {
		isUsername := len(p.UsernameAttributes) == 1 && p.UsernameAttributes[0] == a.Name
		if a.Required && a.Name != "sub" && !isUsername {
			names = append(names, a.Name)
		}
	}
	return names
}

// policyText spells out a pool's password policy.
func policyText(p *assembly.UserPool) string {
	policy := p.PasswordPolicy
	var of []string
	for _, kind := range []struct {
		required bool
		text     string
	}{
		{policy.Lowercase, "a lower-case letter"}, {policy.Uppercase, "an upper-case letter"},
		{policy.Numbers, "a number"}, {policy.Symbols, "a symbol"},
	} {
		if kind.required {
			of = append(of, kind.text)
		}
	}
	text := "At least " + strconv.Itoa(policy.MinLength) + " characters"
	switch n := len(of); n {
	case 0:
	case 1:
		text += ", with " + of[0]
	default:
		text += ", with " + strings.Join(of[:n-1], ", ") + " and " + of[n-1]
	}
	return text + "."
}
