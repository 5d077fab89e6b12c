package directory

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// account is a user as the pool keeps it. Whoever reads or changes one holds
// the directory's lock.
type account struct {
	username   string
	subject    string
	attributes map[string]string
	status     string
	enabled    bool
	created    time.Time
	modified   time.Time

	password     *credential // nil for none; another one once it is changed
	temporary    time.Time   // until when a temporary password works
	codes        map[string]*code
	groups       map[string]bool
	epoch        int       // counts the global sign-outs
	signedOut    time.Time // the last one; zero for never
	totpPending  string    // secret of an app that is being set up
	totpSecret   string    // of the app that has proved itself
	totpRequired bool      // the app is asked for
	totpStep     int64     // the last one used, so that no code works twice
}

// newAccount adds an account. d.mu is held.
func (d *Directory) newAccount(username string, attributes map[string]string) *account {
	now := d.now()
	u := &account{
		subject: uuid.NewString(), attributes: maps.Clone(attributes), status: Unconfirmed, enabled: true,
		created: now, modified: now, codes: map[string]*code{}, groups: map[string]bool{},
	}
	u.username = username
	if len(d.pool.UsernameAttributes) > 0 {
		u.username = u.subject
	}
	if u.attributes == nil {
		u.attributes = map[string]string{}
	}
	u.attributes["sub"] = u.subject
	d.users[d.fold(u.username)] = u
	return u
}

// fold returns what a name is compared by.
func (d *Directory) fold(name string) string {
	if d.pool.CaseSensitive {
		return name
	}
	return strings.ToLower(name)
}

// find returns the account that somebody means by a name: the pool's own name,
// or an attribute that people sign in with, or one that is an alias once it is
// verified. nil for nobody. d.mu is held.
func (d *Directory) find(name string) *account {
	if u := d.users[d.fold(name)]; u != nil {
		return u
	}
	for _, u := range d.users {
		for _, attribute := range signInAttributes {
			value := u.attributes[attribute]
			if value == "" || d.fold(value) != d.fold(name) {
				continue
			}
			if slices.Contains(d.pool.UsernameAttributes, attribute) ||
				slices.Contains(d.pool.AliasAttributes, attribute) && (attribute == "preferred_username" || u.verified(attribute)) {
				return u
			}
		}
	}
	return nil
}

// signInAttributes can stand for a user name ("Customizing sign-in attributes",
// Amazon Cognito developer guide).
var signInAttributes = []string{"email", "phone_number", "preferred_username"}

// current returns the account that somebody was before, or nil if it is gone,
// disabled, or another's by now. d.mu is held.
func (d *Directory) current(username, subject string) *account {
	u := d.users[d.fold(username)]
	if u == nil || u.subject != subject || !u.enabled {
		return nil
	}
	return u
}

func (u *account) verified(attribute string) bool {
	return u.attributes[attribute+"_verified"] == "true"
}

// user returns what others see of an account. d.mu is held.
func (d *Directory) user(u *account) *User {
	return &User{
		Username: u.username, Subject: u.subject, Attributes: maps.Clone(u.attributes), Groups: d.groupsOf(u),
		Status: u.status, Enabled: u.enabled, TOTP: u.totpRequired, Created: u.created, Modified: u.modified,
	}
}

// groupsOf returns the names of a user's groups, the most important first.
// d.mu is held.
func (d *Directory) groupsOf(u *account) []string {
	return slices.SortedFunc(maps.Keys(u.groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(d.groups[a].rank(), d.groups[b].rank()), cmp.Compare(a, b))
	})
}

// change notes that an account is another one than it was.
func (d *Directory) change(u *account) { u.modified = d.now() }

// Active returns a user who may use what an earlier sign-in gave, by
// [User.Username]; false if there is none, or if it is disabled or must change
// its password.
func (d *Directory) Active(username string) (*User, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.users[d.fold(username)]
	if u == nil || !u.enabled || u.status != Confirmed {
		return nil, false
	}
	return d.user(u), true
}
