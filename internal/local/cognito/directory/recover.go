package directory

import (
	"context"
	"slices"
)

// ForgotPassword sends a code for a new password.
func (d *Directory) ForgotPassword(_ context.Context, c *Client, username string, _ map[string]string) (*Delivery, error) {
	d.mu.Lock()
	message, attribute, err := d.beginReset(c, username)
	d.mu.Unlock()
	switch {
	case err != nil:
		return nil, err
	case attribute == "":
		return d.decoyDelivery(username), nil
	}
	return d.deliver(message, attribute), nil
}

// beginReset makes the code. Where the client hides who is there, a user who
// cannot have one looks like nobody ("Managing user existence error responses",
// Amazon Cognito developer guide). d.mu is held.
func (d *Directory) beginReset(c *Client, username string) (message Message, attribute string, err error) {
	u := d.find(username)
	if u != nil {
		attribute = d.recovery(u)
	}
	switch {
	case u == nil && !c.HidesUsers:
		err = c.notFound()
	case c.HidesUsers && (u == nil || !u.enabled || attribute == "" || u.status == ForceChangePassword):
		_, err = d.newCode(d.ghost(username), purposeReset, "")
		return Message{}, "", err
	case !u.enabled:
		err = fail(NotAuthorized, "User is disabled.")
	case u.status == ForceChangePassword:
		err = fail(NotAuthorized, "User password cannot be reset in the current state.")
	case attribute == "" && slices.Contains(d.pool.Recovery, "admin_only"):
		err = fail(NotAuthorized, "Contact administrator to reset password.")
	case attribute == "":
		err = fail(InvalidParameter, "Cannot reset password for the user as there is no registered/verified email or phone_number")
	default:
		message, err = d.newCode(u, purposeReset, attribute)
	}
	return message, attribute, err
}

// recovery returns the attribute that a reset's code goes to: the first verified
// one of the pool's order. d.mu is held.
func (d *Directory) recovery(u *account) string {
	for _, mechanism := range d.pool.Recovery {
		for attribute, name := range map[string]string{"email": "verified_email", "phone_number": "verified_phone_number"} {
			if mechanism == name && u.verified(attribute) && u.attributes[attribute] != "" {
				return attribute
			}
		}
	}
	return ""
}

// ConfirmForgotPassword takes the code and the new password. A password that the
// policy refuses leaves the code as it is.
func (d *Directory) ConfirmForgotPassword(ctx context.Context, c *Client, username, code, password string, metadata map[string]string) error {
	if err := d.checkPolicy(password); err != nil {
		return err
	}
	d.mu.Lock()
	user, err := d.reset(c, username, code, password)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.postConfirmation(ctx, c, "PostConfirmation_ConfirmForgotPassword", user, metadata)
}

func (d *Directory) reset(c *Client, username, digits, password string) (*User, error) {
	u := d.find(username)
	switch {
	case c.HidesUsers && (u == nil || !u.enabled || u.codes[purposeReset] == nil):
		return nil, d.guess(username, purposeReset, digits)
	case u == nil:
		return nil, c.notFound()
	case !u.enabled:
		return nil, fail(NotAuthorized, "User is disabled.")
	}
	used, err := d.useCode(u, purposeReset, digits)
	if err != nil {
		return nil, err
	}
	if u.attributes[used.attribute] != used.value {
		return nil, expiredCode() // the address is another one by now
	}
	d.setPassword(u, d.newCredential(u.username, password), Confirmed)
	return d.user(u), nil
}

// ChangePassword changes the password of a user who is signed in. A wrong one
// counts as a failed sign-in.
func (d *Directory) ChangePassword(c *Caller, previous, proposed string) error {
	if err := d.checkPolicy(proposed); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.current(c.User.Username, c.User.Subject)
	switch {
	case u == nil || u.password == nil:
		return invalidAccessToken()
	case d.locked(u.subject):
		return limitExceeded()
	case !u.password.proves(d.srp(), previous):
		d.failed(u.subject)
		return wrongPassword()
	}
	d.setPassword(u, d.newCredential(u.username, proposed), Confirmed)
	return nil
}

// UpdateAttributes changes attributes of a user who is signed in, and sends a
// code to each address that changed and that the pool verifies.
func (d *Directory) UpdateAttributes(c *Caller, attributes map[string]string) ([]Delivery, error) {
	if err := cmpError(c.Client.checkWrite(attributes), d.checkAttributes(attributes)); err != nil {
		return nil, err
	}
	d.mu.Lock()
	messages, places, err := d.update(c, attributes)
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		d.config.Deliver(m)
	}
	return places, nil
}

func (d *Directory) update(c *Caller, attributes map[string]string) ([]Message, []Delivery, error) {
	u := d.current(c.User.Username, c.User.Subject)
	if u == nil {
		return nil, nil, invalidAccessToken()
	}
	if err := d.checkCompleted(u, attributes); err != nil {
		return nil, nil, err
	}
	before := map[string]string{"email": u.attributes["email"], "phone_number": u.attributes["phone_number"]}
	d.setAttributes(u, attributes)
	var messages []Message
	var places []Delivery
	for _, attribute := range []string{"email", "phone_number"} {
		if value := u.attributes[attribute]; value != "" && value != before[attribute] && slices.Contains(d.pool.AutoVerified, attribute) {
			m, err := d.newCode(u, purposeVerification+attribute, attribute)
			if err != nil {
				return nil, nil, err
			}
			messages, places = append(messages, m), append(places, *delivery(attribute, value))
		}
	}
	return messages, places, nil
}

// SendAttributeCode sends a code to an address of a user who is signed in.
func (d *Directory) SendAttributeCode(c *Caller, attribute string) (*Delivery, error) {
	d.mu.Lock()
	u := d.current(c.User.Username, c.User.Subject)
	var message Message
	var err error
	switch {
	case u == nil:
		err = invalidAccessToken()
	case attribute != "email" && attribute != "phone_number" || u.attributes[attribute] == "":
		err = fail(InvalidParameter, "The attribute cannot be verified.")
	default:
		message, err = d.newCode(u, purposeVerification+attribute, attribute)
	}
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.deliver(message, attribute), nil
}

// VerifyAttribute takes that code.
func (d *Directory) VerifyAttribute(c *Caller, attribute, digits string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.current(c.User.Username, c.User.Subject)
	if u == nil {
		return invalidAccessToken()
	}
	if d.aliasTaken(u, attribute) {
		return fail("AliasExistsException", "An account with the given "+attribute+" already exists.")
	}
	used, err := d.useCode(u, purposeVerification+attribute, digits)
	if err != nil {
		return err
	}
	if u.attributes[attribute] != used.value {
		return expiredCode()
	}
	u.attributes[attribute+"_verified"] = "true"
	d.change(u)
	return nil
}
