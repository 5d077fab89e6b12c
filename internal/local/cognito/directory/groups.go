package directory

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Group is a group of users.
type Group struct {
	Name        string
	Description string
	RoleARN     string
	Precedence  *int // the lower, the more important; nil comes last
	Created     time.Time
	Modified    time.Time
}

func (g *Group) rank() int {
	if g == nil || g.Precedence == nil {
		return math.MaxInt
	}
	return *g.Precedence
}

func groupNotFound() error { return fail("ResourceNotFoundException", "Group not found.") }

// CreateGroup adds a group.
func (d *Directory) CreateGroup(g Group) (Group, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.groups[g.Name] != nil {
		return Group{}, fail("GroupExistsException", "A group with the name already exists.")
	}
	g.Created = d.now()
	g.Modified = g.Created
	d.groups[g.Name] = &g
	return g, nil
}

// UpdateGroup changes what is given of a group.
func (d *Directory) UpdateGroup(changed Group) (Group, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.groups[changed.Name]
	if g == nil {
		return Group{}, groupNotFound()
	}
	g.Description, g.RoleARN = cmp.Or(changed.Description, g.Description), cmp.Or(changed.RoleARN, g.RoleARN)
	g.Precedence = cmp.Or(changed.Precedence, g.Precedence)
	g.Modified = d.now()
	return *g, nil
}

// Group returns a group.
func (d *Directory) Group(name string) (Group, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.groups[name] == nil {
		return Group{}, groupNotFound()
	}
	return *d.groups[name], nil
}

// DeleteGroup takes a group away, from its users too.
func (d *Directory) DeleteGroup(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.groups[name] == nil {
		return groupNotFound()
	}
	delete(d.groups, name)
	for _, u := range d.users {
		delete(u.groups, name)
	}
	return nil
}

// Groups returns all groups by name.
func (d *Directory) Groups() []Group {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Group
	for _, name := range slices.Sorted(maps.Keys(d.groups)) {
		out = append(out, *d.groups[name])
	}
	return out
}

// GroupsOf returns a user's groups, the most important first.
func (d *Directory) GroupsOf(username string) ([]Group, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.find(username)
	if u == nil {
		return nil, userNotFound()
	}
	var out []Group
	for _, name := range d.groupsOf(u) {
		out = append(out, *d.groups[name])
	}
	return out, nil
}

// SetMember puts a user into a group or takes it out.
func (d *Directory) SetMember(username, group string, member bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.find(username)
	switch {
	case d.groups[group] == nil:
		return groupNotFound()
	case u == nil:
		return userNotFound()
	case member:
		u.groups[group] = true
	default:
		delete(u.groups, group)
	}
	return nil
}

// Users returns the users for whom keep is true, by when they were made.
func (d *Directory) Users(keep func(*User) bool) []*User {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*User
	for _, u := range d.users {
		if user := d.user(u); keep == nil || keep(user) {
			out = append(out, user)
		}
	}
	slices.SortFunc(out, func(a, b *User) int {
		return cmp.Or(a.Created.Compare(b.Created), strings.Compare(a.Subject, b.Subject))
	})
	return out
}
