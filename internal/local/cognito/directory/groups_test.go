package directory_test

import (
	"reflect"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// The template's groups are there from the start; an update changes what it
// names.
func TestGroupsOfTheTemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(p *assembly.UserPool) {
		p.Groups = []assembly.UserPoolGroup{{Name: "readers", Precedence: -1}, {Name: "editors", Description: "who write", RoleARN: "arn:role", Precedence: 0}}
	})
	zero := 0
	editors := directory.Group{Name: "editors", Description: "who write", RoleARN: "arn:role", Precedence: &zero, Created: start, Modified: start}
	if got := w.Groups(); len(got) != 2 || !reflect.DeepEqual(got[0], editors) || got[1].Precedence != nil {
		t.Errorf("the groups are %+v", got)
	}
	editors.Description = "who may write"
	got, err := w.UpdateGroup(directory.Group{Name: "editors", Description: "who may write"})
	if err != nil || !reflect.DeepEqual(got, editors) {
		t.Errorf("updated to %+v, %v", got, err)
	}
	if _, err := w.UpdateGroup(directory.Group{Name: "nobody"}); err == nil {
		t.Error("a group that is not there was updated")
	}
}
