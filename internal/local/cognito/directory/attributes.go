package directory

import (
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatewright/gatewright/internal/assembly"
)

// maxAttribute bounds an attribute in characters ("Quotas in Amazon Cognito").
const maxAttribute = 2048

// schemaOf returns a pool's attributes by name: the standard ones, and what the
// pool declares over and beside them.
func schemaOf(pool *assembly.UserPool) map[string]assembly.UserAttribute {
	schema := map[string]assembly.UserAttribute{}
	for _, name := range assembly.StandardAttributes {
		schema[name] = assembly.UserAttribute{Name: name, Type: standardType(name), Mutable: name != "sub", MaxLength: maxAttribute}
	}
	for _, a := range pool.Attributes {
		schema[a.Name] = a
	}
	return schema
}

func standardType(name string) string {
	switch {
	case strings.HasSuffix(name, "_verified"):
		return "Boolean"
	case name == "updated_at":
		return "Number"
	default:
		return "String"
	}
}

// phoneNumber is E.164, as "Working with user attributes" asks for.
var phoneNumber = regexp.MustCompile(`^\+[1-9][0-9]{4,14}$`)

// checkAttributes checks values against the schema.
func (d *Directory) checkAttributes(attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		declared, ok := d.schema[name]
		value := attributes[name]
		switch {
		case !ok:
			return nonconforming("Type for attribute {" + printable(name) + "} could not be determined")
		case value == "":
			continue // takes it away
		case utf8.RuneCountInString(value) > maxAttribute, utf8.RuneCountInString(value) > declared.MaxLength && declared.MaxLength > 0:
			return nonconforming(name + ": String must be no longer than " + strconv.Itoa(declared.MaxLength) + " characters")
		case utf8.RuneCountInString(value) < declared.MinLength:
			return nonconforming(name + ": String must be no shorter than " + strconv.Itoa(declared.MinLength) + " characters")
		case name == "email" && !isEmail(value):
			return fail(InvalidParameter, "Invalid email address format.")
		case name == "phone_number" && !phoneNumber.MatchString(value):
			return fail(InvalidParameter, "Invalid phone number format.")
		case declared.Type == "Boolean" && value != "true" && value != "false":
			return nonconforming(name + ": Attribute value is not a boolean")
		case declared.Type == "Number" && !isNumber(value):
			return nonconforming(name + ": Attribute value is not a number")
		}
	}
	return nil
}

func nonconforming(what string) error {
	return fail(InvalidParameter, "Attributes did not conform to the schema: "+what)
}

// printable keeps what somebody sent out of an error unless it is a name.
func printable(name string) string {
	if len(name) > 64 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:-") != "" {
		return "?"
	}
	return name
}

func isEmail(value string) bool {
	address, err := mail.ParseAddress(value)
	return err == nil && address.Address == value && !strings.ContainsAny(value, " \"\r\n")
}

func isNumber(value string) bool {
	_, err := strconv.ParseInt(value, 10, 64)
	return err == nil
}

// checkRequired checks that a new account has what the pool requires.
func (d *Directory) checkRequired(attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(d.schema)) {
		if d.schema[name].Required && name != "sub" && attributes[name] == "" {
			return nonconforming(name + ": The attribute is required\n")
		}
	}
	return nil
}

// checkMutable checks that attributes of an account may become what they are
// told.
func (d *Directory) checkMutable(u *account, attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		declared := d.schema[name]
		switch {
		case !declared.Mutable && u.attributes[name] != attributes[name]:
			return fail(InvalidParameter, "user."+name+": Attribute cannot be updated.\n")
		case declared.Required && attributes[name] == "":
			return nonconforming(name + ": The attribute is required\n")
		}
	}
	return nil
}

// checkWrite checks that a client may set attributes. Nobody but an operator
// says that an address is verified.
func (c *Client) checkWrite(attributes map[string]string) error {
	for name := range attributes {
		allowed := c.WriteAttributes
		if allowed == nil {
			allowed = assembly.StandardAttributes
		}
		if !slices.Contains(allowed, name) || name == "sub" || strings.HasSuffix(name, "_verified") {
			return fail(NotAuthorized, "A client attempted to write unauthorized attribute")
		}
	}
	return nil
}

// readable returns the attributes that a client sees of a user. Without a list
// it sees every standard one ("CreateUserPoolClient", Amazon Cognito API
// reference).
func (c *Client) readable(attributes map[string]string) map[string]string {
	allowed := c.ReadAttributes
	if allowed == nil {
		allowed = assembly.StandardAttributes
	}
	out := map[string]string{}
	for name, value := range attributes {
		if name == "sub" || slices.Contains(allowed, name) {
			out[name] = value
		}
	}
	return out
}

// usernamePattern is what a user name may hold: no blanks, no control characters
// ("SignUp", "AdminCreateUser", Amazon Cognito API reference).
const usernamePattern = `[\p{L}\p{M}\p{S}\p{N}\p{P}]+`

var usernames = regexp.MustCompile(`^` + usernamePattern + `$`)

// signInName checks a new user name and returns the attributes that it stands
// for ("Customizing sign-in attributes", Amazon Cognito developer guide).
func (d *Directory) signInName(username string, attributes map[string]string) (map[string]string, error) {
	if !usernames.MatchString(username) {
		return nil, fail(InvalidParameter, "1 validation error detected: Value at 'username' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: "+usernamePattern)
	}
	out := maps.Clone(attributes)
	if out == nil {
		out = map[string]string{}
	}
	email, phone := isEmail(username), phoneNumber.MatchString(username)
	mail, call := slices.Contains(d.pool.UsernameAttributes, "email"), slices.Contains(d.pool.UsernameAttributes, "phone_number")
	switch {
	case mail && email:
		out["email"] = username
	case call && phone:
		out["phone_number"] = username
	case mail && call:
		return nil, fail(InvalidParameter, "Username should be either an email or a phone number.")
	case mail:
		return nil, fail(InvalidParameter, "Username should be an email.")
	case call:
		return nil, fail(InvalidParameter, "Username should be a phone number.")
	case email && slices.Contains(d.pool.AliasAttributes, "email"):
		return nil, fail(InvalidParameter, "Username cannot be of email format, since user pool is configured for email alias.")
	case phone && slices.Contains(d.pool.AliasAttributes, "phone_number"):
		return nil, fail(InvalidParameter, "Username cannot be of phone number format, since user pool is configured for phone number alias.")
	}
	return out, nil
}

// taken returns the attribute of those that people sign in with that another
// account has already, or "". d.mu is held.
func (d *Directory) taken(u *account, attributes map[string]string) string {
	for _, name := range signInAttributes {
		if value := attributes[name]; value != "" {
			if other := d.find(value); other != nil && other != u {
				return name
			}
		}
	}
	return ""
}
