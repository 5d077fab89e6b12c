package directory

import (
	"context"
	"maps"
	"slices"
)

// SignUp makes an account that has to be confirmed, unless the trigger says that
// it is, and sends the code for it.
func (d *Directory) SignUp(ctx context.Context, c *Client, in SignUpInput) (SignUpResult, error) {
	if !d.pool.SelfSignUp {
		return SignUpResult{}, fail(NotAuthorized, "SignUp is not permitted for this user pool")
	}
	attributes, err := d.signInName(in.Username, in.Attributes)
	if err == nil {
		err = cmpError(c.checkWrite(in.Attributes), d.checkAttributes(attributes), d.checkRequired(attributes), d.checkPolicy(in.Password))
	}
	if err == nil {
		err = d.free(in.Username, attributes, "User already exists")
	}
	if err != nil {
		return SignUpResult{}, err
	}
	accepted, err := d.preSignUp(ctx, c.ID, "PreSignUp_SignUp", in, attributes)
	if err != nil {
		return SignUpResult{}, err
	}
	result, message, user, err := d.addSignUp(in, attributes, accepted.AutoConfirmUser, accepted.AutoVerifyEmail, accepted.AutoVerifyPhone)
	if err != nil {
		return SignUpResult{}, err
	}
	if result.Delivery != nil {
		d.config.Deliver(message)
	}
	if result.Confirmed {
		err = d.postConfirmation(ctx, c, "PostConfirmation_ConfirmSignUp", user, in.Metadata)
	}
	return result, err
}

// free says whether a new account may have a name and attributes.
func (d *Directory) free(username string, attributes map[string]string, exists string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.checkFree(username, attributes, exists)
}

// checkFree is free, with d.mu held.
func (d *Directory) checkFree(username string, attributes map[string]string, exists string) error {
	if len(d.pool.UsernameAttributes) == 0 && d.users[d.fold(username)] != nil {
		return fail("UsernameExistsException", exists)
	}
	if attribute := d.taken(nil, d.unique(attributes)); attribute != "" {
		return fail("UsernameExistsException", "An account with the given "+attribute+" already exists.")
	}
	return nil
}

// unique returns the attributes that no two accounts may share from the start.
func (d *Directory) unique(attributes map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range d.pool.UsernameAttributes {
		out[name] = attributes[name]
	}
	return out
}

// addSignUp checks the name again: somebody may have been faster.
func (d *Directory) addSignUp(in SignUpInput, attributes map[string]string, confirmed, email, phone bool) (SignUpResult, Message, *User, error) {
	identity := in.Username
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.checkFree(in.Username, attributes, "User already exists"); err != nil {
		return SignUpResult{}, Message{}, nil, err
	}
	u := d.newAccount(identity, attributes)
	u.password = d.newCredential(u.username, in.Password)
	if email && attributes["email"] != "" {
		u.attributes["email_verified"] = "true"
	}
	if phone && attributes["phone_number"] != "" {
		u.attributes["phone_number_verified"] = "true"
	}
	result := SignUpResult{Username: u.username, Subject: u.subject, Confirmed: confirmed}
	if confirmed {
		u.status = Confirmed
		return result, Message{}, d.user(u), nil
	}
	attribute := d.confirmable(u)
	if attribute == "" {
		return result, Message{}, d.user(u), nil
	}
	message, err := d.newCode(u, purposeSignUp, attribute)
	if err != nil {
		return result, Message{}, nil, err
	}
	result.Delivery = delivery(attribute, message.Destination)
	return result, message, d.user(u), nil
}

// confirmable returns the attribute that a sign-up's code goes to: the telephone
// where the pool verifies both ("Signing up and confirming user accounts", Amazon
// Cognito developer guide). "" for none: an operator confirms. d.mu is held.
func (d *Directory) confirmable(u *account) string {
	for _, attribute := range []string{"phone_number", "email"} {
		if slices.Contains(d.pool.AutoVerified, attribute) && u.attributes[attribute] != "" {
			return attribute
		}
	}
	return ""
}

// ConfirmSignUp takes the code of a sign-up.
func (d *Directory) ConfirmSignUp(ctx context.Context, c *Client, username, code string, metadata map[string]string) error {
	d.mu.Lock()
	user, err := d.confirm(c, username, code)
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.postConfirmation(ctx, c, "PostConfirmation_ConfirmSignUp", user, metadata)
}

func (d *Directory) confirm(c *Client, username, digits string) (*User, error) {
	u := d.find(username)
	switch {
	case c.HidesUsers && (u == nil || u.status != Unconfirmed || u.codes[purposeSignUp] == nil):
		return nil, d.guess(username, purposeSignUp, digits)
	case u == nil:
		return nil, c.notFound()
	case u.status != Unconfirmed:
		return nil, fail(NotAuthorized, "User cannot be confirmed. Current status is "+u.status)
	}
	if sent := u.codes[purposeSignUp]; sent != nil && d.aliasTaken(u, sent.attribute) {
		return nil, fail("AliasExistsException", "An account with the given "+sent.attribute+" already exists.")
	}
	used, err := d.useCode(u, purposeSignUp, digits)
	if err != nil {
		return nil, err
	}
	if u.attributes[used.attribute] == used.value {
		u.attributes[used.attribute+"_verified"] = "true"
	}
	u.status = Confirmed
	d.change(u)
	return d.user(u), nil
}

// aliasTaken reports whether another account signs in with what an account is
// about to have verified. d.mu is held.
func (d *Directory) aliasTaken(u *account, attribute string) bool {
	return slices.Contains(d.pool.AliasAttributes, attribute) &&
		d.taken(u, map[string]string{attribute: u.attributes[attribute]}) != ""
}

// ResendCode sends another code for a sign-up.
func (d *Directory) ResendCode(_ context.Context, c *Client, username string, _ map[string]string) (*Delivery, error) {
	d.mu.Lock()
	u := d.find(username)
	var err error
	attribute := ""
	switch {
	case c.HidesUsers && (u == nil || u.status != Unconfirmed):
		_, err = d.newCode(d.ghost(username), purposeSignUp, "")
		d.mu.Unlock()
		if err != nil {
			return nil, err
		}
		return d.decoyDelivery(username), nil
	case u == nil:
		err = c.notFound()
	case u.status != Unconfirmed:
		err = fail(InvalidParameter, "User is already confirmed.")
	default:
		if attribute = d.confirmable(u); attribute == "" {
			err = fail("CodeDeliveryFailureException", "Auto verification not turned on.")
		}
	}
	var message Message
	if err == nil {
		message, err = d.newCode(u, purposeSignUp, attribute)
	}
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return d.deliver(message, attribute), nil
}

// setAttributes changes attributes; an empty value takes one away. An address
// that changes is verified no more. d.mu is held.
func (d *Directory) setAttributes(u *account, attributes map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		value := attributes[name]
		if (name == "email" || name == "phone_number") && u.attributes[name] != value {
			delete(u.attributes, name+"_verified")
			delete(u.codes, purposeVerification+name)
			if value != "" {
				u.attributes[name+"_verified"] = "false"
			}
		}
		if value == "" {
			delete(u.attributes, name)
			continue
		}
		u.attributes[name] = value
	}
	d.change(u)
}

// checkCompleted checks that a user may have the attributes, and has every
// required one then. d.mu is held.
func (d *Directory) checkCompleted(u *account, attributes map[string]string) error {
	all := maps.Clone(u.attributes)
	maps.Copy(all, attributes)
	if err := d.checkMutable(u, attributes); err != nil {
		return err
	}
	if attribute := d.taken(u, d.unique(attributes)); attribute != "" {
		return fail("AliasExistsException", "An account with the given "+attribute+" already exists.")
	}
	return d.checkRequired(all)
}
