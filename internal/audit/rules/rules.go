// Package rules holds the rules of the audit, each in a file of its own. A rule
// has templates that pass and that fail it in testdata.
package rules

import (
	"slices"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/audit"
)

// All are the rules in the order of the documentation.
var All = []audit.Rule{
	authorizerUnattached,
	methodOpen,
	methodWithoutScopes,
	scopeUngranted,
	scopeUndefined,
	scopeUnused,
	implicitGrant,
	callbackInsecure,
	publicClientSecret,
	publicClientPassword,
	adminScope,
	adminScopeSignup,
	tokenLifetime,
	userExistence,
	tokenRevocation,
	statefulUnretained,
	envSecret,
	corsMethods,
	corsWildcard,
	corsErrors,
	preflightAuthorized,
	keyOnly,
	keyWithoutPlan,
	planUnlimited,
	executeAPIOpen,
	tlsOld,
	authorizerCached,
	grantWildcard,
	grantCoversStricter,
	permissionWide,
	logCredentials,
	noAccessLog,
	noThrottling,
	proxyWidens,
}

// Find returns the rule with an id.
func Find(id string) (audit.Rule, bool) {
	i := slices.IndexFunc(All, func(r audit.Rule) bool { return r.ID == id })
	if i < 0 {
		return audit.Rule{}, false
	}
	return All[i], true
}

// Target says what to audit.
type Target struct {
	Path   string // an assembly's folder, or a template
	Stage  string // CDK Stage or stack; empty for all
	Config string // file of suppressions; empty for [audit.ConfigFile], where there is one
	Part   bool   // the assembly is only a part of the app
	Now    time.Time
}

// Audit applies all rules. It fails where the target, a suppression or the file
// of suppressions is malformed.
func Audit(t Target) (audit.Result, error) {
	config, err := audit.ReadConfig(t.Config, All)
	if err != nil {
		return audit.Result{}, err
	}
	a, err := assembly.Load(t.Path)
	if err != nil {
		return audit.Result{}, err
	}
	models, err := a.Models(t.Stage, assembly.Options{})
	if err != nil {
		return audit.Result{}, err
	}
	return audit.Run(models, All, audit.Options{Config: config, Now: t.Now, Partial: t.Part || t.Stage != ""})
}
