package directory

import (
	"context"
	"maps"
	"slices"
)

func userNotFound() error { return fail(UserNotFound, "User does not exist.") }

// Add makes a user who may sign in at once: a seed. Its addresses count as
// verified.
func (d *Directory) Add(username, password string, attributes map[string]string) (*User, error) {
	full, err := d.signInName(username, attributes)
	if err == nil {
		err = cmpError(d.checkAttributes(full), d.checkPolicy(password))
	}
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"email", "phone_number"} {
		if full[name] != "" {
			full[name+"_verified"] = "true"
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.checkFree(username, full, "User account already exists"); err != nil {
		return nil, err
	}
	u := d.newAccount(username, full)
	d.setPassword(u, d.newCredential(u.username, password), Confirmed)
	return d.user(u), nil
}

// CreateInput is whom an operator makes an account for.
type CreateInput struct {
	Username   string
	Password   string // temporary; default: a random one
	Attributes map[string]string
	Validation map[string]string
	Metadata   map[string]string
	Suppress   bool // sends no invitation
	Resend     bool // sends another invitation to a user that is there
}

// Create makes a user who has to change the temporary password, and sends it.
func (d *Directory) Create(ctx context.Context, in CreateInput) (*User, error) {
	if in.Password == "" {
		in.Password = temporaryPassword()
	}
	if in.Resend {
		return d.invite(in)
	}
	attributes, err := d.signInName(in.Username, in.Attributes)
	if err == nil {
		err = cmpError(d.checkAttributes(attributes), d.checkPolicy(in.Password))
	}
	if err == nil && attributes["sub"] != "" {
		err = fail(InvalidParameter, "Cannot modify an already provided attribute: sub")
	}
	if err == nil {
		err = d.free(in.Username, attributes, "User account already exists")
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.preSignUp(ctx, "CLIENT_ID_NOT_APPLICABLE", "PreSignUp_AdminCreateUser",
		SignUpInput{Username: in.Username, Validation: in.Validation, Metadata: in.Metadata}, attributes); err != nil {
		return nil, err
	}
	d.mu.Lock()
	if err := d.checkFree(in.Username, attributes, "User account already exists"); err != nil {
		d.mu.Unlock()
		return nil, err
	}
	u := d.newAccount(in.Username, attributes)
	user := d.setTemporary(u, in.Password)
	d.mu.Unlock()
	d.sendInvitation(in, user)
	return user, nil
}

// invite gives somebody who never changed the temporary password another one.
func (d *Directory) invite(in CreateInput) (*User, error) {
	if err := d.checkPolicy(in.Password); err != nil {
		return nil, err
	}
	d.mu.Lock()
	u := d.find(in.Username)
	switch {
	case u == nil:
		d.mu.Unlock()
		return nil, userNotFound()
	case u.status != ForceChangePassword:
		d.mu.Unlock()
		return nil, fail("UnsupportedUserStateException", "Resend not possible. "+u.username+" status is not FORCE_CHANGE_PASSWORD")
	}
	user := d.setTemporary(u, in.Password)
	d.mu.Unlock()
	d.sendInvitation(in, user)
	return user, nil
}

// setTemporary sets a password that has to be changed. d.mu is held.
func (d *Directory) setTemporary(u *account, password string) *User {
	d.setPassword(u, d.newCredential(u.username, password), ForceChangePassword)
	u.temporary = d.now().Add(d.pool.PasswordPolicy.TemporaryLifetime)
	return d.user(u)
}

func (d *Directory) sendInvitation(in CreateInput, u *User) {
	to := u.Attributes["email"]
	if to == "" {
		to = u.Attributes["phone_number"]
	}
	if !in.Suppress && to != "" {
		d.config.Deliver(Message{Pool: d.pool.Name, Username: u.Username, Destination: to, Kind: purposeInvitation, Code: in.Password})
	}
}

// Get returns a user by any name that people sign in with.
func (d *Directory) Get(username string) (*User, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.find(username)
	if u == nil {
		return nil, userNotFound()
	}
	return d.user(u), nil
}

// edit changes a user.
func (d *Directory) edit(username string, change func(*account) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.find(username)
	if u == nil {
		return userNotFound()
	}
	if err := change(u); err != nil {
		return err
	}
	d.change(u)
	return nil
}

// SetPassword sets a user's password, for good or until the next sign-in.
func (d *Directory) SetPassword(username, password string, permanent bool) error {
	if err := d.checkPolicy(password); err != nil {
		return err
	}
	return d.edit(username, func(u *account) error {
		if permanent {
			d.setPassword(u, d.newCredential(u.username, password), Confirmed)
			return nil
		}
		d.setTemporary(u, password)
		return nil
	})
}

// ResetPassword makes a user choose a new password with a code, which it sends.
func (d *Directory) ResetPassword(username string) error {
	var message Message
	err := d.edit(username, func(u *account) error {
		attribute := d.recovery(u)
		if attribute == "" {
			return fail(InvalidParameter, "Cannot reset password for the user as there is no registered/verified email or phone_number")
		}
		var err error
		if message, err = d.newCode(u, purposeReset, attribute); err == nil {
			u.status = ResetRequired
		}
		return err
	})
	if err == nil {
		d.config.Deliver(message)
	}
	return err
}

// SetEnabled lets a user sign in, or no more; its tokens then count no more.
func (d *Directory) SetEnabled(username string, enabled bool) error {
	return d.edit(username, func(u *account) error {
		if u.enabled = enabled; !enabled {
			d.signOut(u)
		}
		return nil
	})
}

// Confirm confirms a sign-up without a code.
func (d *Directory) Confirm(ctx context.Context, username string, metadata map[string]string) error {
	var user *User
	err := d.edit(username, func(u *account) error {
		if u.status != Unconfirmed {
			return fail(NotAuthorized, "User cannot be confirmed. Current status is "+u.status)
		}
		u.status = Confirmed
		user = d.user(u)
		return nil
	})
	if err != nil {
		return err
	}
	return d.postConfirmation(ctx, &Client{}, "PostConfirmation_ConfirmSignUp", user, metadata)
}

// SetAttributes sets attributes as an operator may, verified flags among them.
func (d *Directory) SetAttributes(username string, attributes map[string]string) error {
	if err := d.checkAttributes(attributes); err != nil {
		return err
	}
	return d.edit(username, func(u *account) error {
		all := maps.Clone(u.attributes)
		maps.Copy(all, attributes)
		if err := d.checkMutable(u, attributes); err != nil {
			return err
		}
		if attribute := d.taken(u, d.unique(attributes)); attribute != "" {
			return fail("AliasExistsException", "An account with the given "+attribute+" already exists.")
		}
		for _, name := range signInAttributes {
			if all[name+"_verified"] == "true" && slices.Contains(d.pool.AliasAttributes, name) && d.taken(u, map[string]string{name: all[name]}) != "" {
				return fail("AliasExistsException", "An account with the given "+name+" already exists.")
			}
		}
		d.setAttributes(u, attributes)
		for _, name := range []string{"email_verified", "phone_number_verified"} {
			if value := attributes[name]; value != "" {
				u.attributes[name] = value // after the address, which resets it
			}
		}
		return nil
	})
}

// EndSessions ends every sign-in of a user.
func (d *Directory) EndSessions(username string) error {
	return d.edit(username, func(u *account) error { d.signOut(u); return nil })
}

// Delete takes a user away.
func (d *Directory) Delete(username string) error {
	return d.edit(username, func(u *account) error {
		d.signOut(u)
		delete(d.users, d.fold(u.username))
		return nil
	})
}
