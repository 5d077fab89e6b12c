package iam

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What an index leaves out says nothing of the resource.
func TestIndexLeavesNothingOut(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"a", "ab", "b", "*", "?", "${x}", Unknown, "${*}", ""})
	slash := rapid.SampledFrom([]string{"/", ""})
	pattern := rapid.Custom(func(t *rapid.T) string {
		return "arn:" + part.Draw(t, "region") + ":" + part.Draw(t, "api") + "/" + part.Draw(t, "stage") + slash.Draw(t, "slash") + part.Draw(t, "path")
	})
	statement := rapid.Custom(func(t *rapid.T) Statement {
		s := Statement{Effect: rapid.SampledFrom([]string{Allow, Deny}).Draw(t, "effect"), Actions: []string{"*"}}
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
		case 1:
			s.NotResources = rapid.SliceOfN(pattern, 1, 2).Draw(t, "not")
		default:
			s.Resources = rapid.SliceOfN(pattern, 0, 3).Draw(t, "resources")
			if s.Resources == nil {
				s.Resources = []string{}
			}
		}
		return s
	})
	resource := rapid.Custom(func(t *rapid.T) string {
		of := rapid.SampledFrom([]string{"a", "ab", "b", "*", "**", ""})
		return "arn:" + of.Draw(t, "region") + ":" + of.Draw(t, "api") + "/" + of.Draw(t, "stage") + slash.Draw(t, "slash") + of.Draw(t, "path")
	})
	rapid.Check(t, func(t *rapid.T) {
		owners := rapid.SliceOfN(rapid.SliceOfN(statement, 0, 4), 1, 3).Draw(t, "owners")
		var x Index
		for _, statements := range owners {
			x.Add(statements)
		}
		q := Request{Action: "execute-api:Invoke", Resource: resource.Draw(t, "resource"), Context: map[string][]string{"x": {"a"}}}
		if rapid.Bool().Draw(t, "nothing of x known") {
			q.Context = nil
		}
		about := x.About(q.Resource)
		for owner, all := range owners {
			if got, want := Evaluate(about[owner], q), Evaluate(all, q); got != want {
				t.Fatalf("%v: %v by %v, %v by all", q.Resource, got, about[owner], want)
			}
			if got, want := Possible(about[owner], q), Possible(all, q); got != want {
				t.Fatalf("%v: possible %v by %v, %v by all", q.Resource, got, about[owner], want)
			}
		}
	})
}

// Of a thousand grants, in as many statements or in one, a request meets its own.
func TestIndexMeetsFew(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"arn:aws:execute-api:eu-west-1:1:api/v1/GET/r%d/*", "arn:aws:execute-api:eu-west-1:1:api/*/GET/r%d", "arn:aws:execute-api:*:*:api/*/*/r%d/*"} {
		meetsFew(t, func(i int) string { return fmt.Sprintf(form, i) })
	}
}

func meetsFew(t *testing.T, grant func(int) string) {
	t.Helper()
	one := Statement{Effect: Allow, Actions: []string{"execute-api:Invoke"}}
	var many []Statement
	for i := range 1000 {
		one.Resources = append(one.Resources, grant(i))
		many = append(many, Statement{Effect: Allow, Actions: one.Actions, Resources: []string{grant(i)}})
	}
	var x Index
	x.Add(many)
	x.Add([]Statement{one})
	for i := range 1000 {
		about := x.About(strings.Replace(strings.Replace(grant(i), "/*/", "/v1/", 1), "*:*", "eu-west-1:1", 1))
		for owner := range 2 {
			if len(about[owner]) != 1 || len(about[owner][0].Resources) != 1 || about[owner][0].Resources[0] != grant(i) {
				t.Fatalf("of %s: %v", grant(i), about[owner])
			}
		}
	}
	if len(one.Resources) != 1000 {
		t.Error("the statement itself has changed")
	}
}
