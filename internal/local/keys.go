package local

import (
	"cmp"
	"crypto/rand"
	"slices"

	"github.com/gatewright/gatewright/internal/assembly"
)

// madeKeyLength is how long the values are that API Gateway makes up.
const madeKeyLength = 40

// withValues returns the keys with values of this run where the template has
// none. The model keeps what the template says.
func withValues(declared []*assembly.APIKey) []*assembly.APIKey {
	var keys []*assembly.APIKey
	for _, key := range declared {
		k := *key
		if k.Value == "" {
			k.Value = (rand.Text() + rand.Text())[:madeKeyLength]
		}
		keys = append(keys, &k)
	}
	return keys
}

// openKeys are the enabled keys that open the served stage.
func (s *stage) openKeys() []APIKey {
	keys := []APIKey{}
	for _, key := range s.keys {
		if plans := s.plansOf(key); key.Enabled && len(plans) > 0 {
			keys = append(keys, APIKey{Name: cmp.Or(key.Name, key.LogicalID), ID: key.ID, Value: key.Value, Plans: plans})
		}
	}
	return keys
}

// plansOf names the usage plans by which a key opens the served stage.
func (s *stage) plansOf(key *assembly.APIKey) []string {
	var names []string
	for _, plan := range s.model.UsagePlans {
		covers := slices.ContainsFunc(plan.Stages, func(p assembly.UsagePlanStage) bool {
			return p.APIID == s.api.ID && p.Stage == s.apiStage.Name
		})
		if covers && slices.Contains(plan.KeyIDs, key.ID) {
			names = append(names, cmp.Or(plan.Name, plan.LogicalID))
		}
	}
	return names
}
