package test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
)

// fields returns what can be set of a Props type, by name: "Throttle.Rate". It
// goes into structs of the same package, and into those that its slices, maps
// and pointers hold; anything else is one thing.
func fields(props reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(props) {
		if !field.IsExported() || field.Tag.Get("yaml") == "-" { // the latter is not the user's to set
			continue
		}
		inner := field.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct || inner.PkgPath() != props.PkgPath() {
			names = append(names, field.Name)
			continue
		}
		for _, name := range fields(inner) {
			names = append(names, field.Name+"."+name)
		}
	}
	return names
}

// eachField changes one field after the other and fails where the app stays the
// same, where a field of Props has no change, and where a change is of no field.
func eachField[Props, Change any](t *testing.T, changes map[string]Change, unchanged Change, app func(Change) string) {
	t.Helper()
	all := fields(reflect.TypeFor[Props]())
	for _, name := range all {
		if _, ok := changes[name]; !ok {
			t.Errorf("%s: nothing changes %s", reflect.TypeFor[Props](), name)
		}
	}
	before := app(unchanged)
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if !slices.Contains(all, name) {
			t.Errorf("%s has no field %s", reflect.TypeFor[Props](), name)
		}
		if app(changes[name]) == before {
			t.Errorf("%s: %s changes nothing", reflect.TypeFor[Props](), name)
		}
	}
}

func TestFields(t *testing.T) {
	type inner struct{ A, B int }
	type props struct {
		One    string
		Many   map[string]inner
		Some   *inner
		Kind   reflect.Type
		hidden int
	}
	want := []string{"One", "Many.A", "Many.B", "Some.A", "Some.B", "Kind"}
	if got := fields(reflect.TypeFor[props]()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	_ = props{hidden: 1}
}
