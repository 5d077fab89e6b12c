// Package audit says what is wrong with what a CDK app, or any CloudFormation
// template, deploys. A [Rule] looks at a model that internal/assembly has read
// and reports each mistake with its place, the reason and the mend; [Run]
// applies rules and suppressions. The rules are in internal/audit/rules.
package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// Severity says how bad a finding is.
type Severity string

// Severities, the worst first.
const (
	Error   Severity = "error"   // someone who should not may call, or nobody can be served as declared
	Warning Severity = "warning" // a weakness or a trap
	Note    Severity = "note"    // worth knowing
)

// Severities are all of them, the worst first.
var Severities = []Severity{Error, Warning, Note}

// rank orders severities, the worst first.
func (s Severity) rank() int { return slices.Index(Severities, s) }

// Reaches reports whether s is as bad as other, or worse.
func (s Severity) Reaches(other Severity) bool { return s.rank() <= other.rank() }

// Rule finds one kind of mistake. It is a pure function of the model.
type Rule struct {
	ID       string   // "method-open": stable, because suppressions name it
	Severity Severity // of its findings, unless one is worse
	Title    string   // the mistake in one line, without a full stop
	Why      string   // what comes of it, and exactly what counts; sentences
	Fix      string   // the mend, as an instruction; sentences
	Source   Source
	Check    func(m *assembly.Model, r *Report)
}

// Source says who says so.
type Source struct {
	Title string // of a page or an RFC
	URL   string
}

// Finding is one mistake at one place.
type Finding struct {
	Rule      string   `json:"rule"`
	Severity  Severity `json:"severity"`
	Title     string   `json:"title"`
	Path      string   `json:"path"`      // construct path, or stack and logical id
	LogicalID string   `json:"logicalId"` // of the resource
	Message   string   `json:"message"`   // what is there, and what it does
	Fix       string   `json:"fix"`
	Source    string   `json:"source"` // address

	stack string
}

// Suppressed is a finding that somebody has accepted.
type Suppressed struct {
	Finding
	Reason string `json:"reason"`
	Until  string `json:"until"` // the last day, "2027-01-31"; empty for no end
}

// Unread is a part of a template that was not understood, and so not audited.
type Unread struct {
	Path string `json:"path"`
	Text string `json:"text"`
	// Hides is set where resources or routes stand behind it that nobody has read,
	// so that there may be more to find.
	Hides bool `json:"hides"`
}

// Result is what an audit found. Its JSON form is stable.
type Result struct {
	Findings      []Finding    `json:"findings"` // by severity, path, rule and message
	Suppressed    []Suppressed `json:"suppressed"`
	NotUnderstood []Unread     `json:"notUnderstood"`

	// Unused describes each suppression that suppresses nothing.
	Unused []string `json:"-"`
}

// Report gathers what one rule finds.
type Report struct {
	rule     Rule
	findings []Finding
}

// Find reports a mistake at a place, of the rule's own severity. The message is
// a clause without a full stop and holds no credential.
func (r *Report) Find(at assembly.Place, format string, arguments ...any) {
	r.FindAs(r.rule.Severity, at, format, arguments...)
}

// FindAs reports a mistake of another severity.
func (r *Report) FindAs(severity Severity, at assembly.Place, format string, arguments ...any) {
	r.findings = append(r.findings, Finding{
		Rule: r.rule.ID, Severity: severity, Title: r.rule.Title,
		Path: at.Path, LogicalID: at.LogicalID, Message: fmt.Sprintf(format, arguments...),
		Fix: r.rule.Fix, Source: r.rule.Source.URL, stack: at.Stack,
	})
}

// Options say how to audit.
type Options struct {
	Config Config
	Now    time.Time // decides which suppressions have expired

	// Partial is set where the models are only some of those that Config speaks
	// of: what it suppresses elsewhere is then no suppression without use.
	Partial bool
}

// Run applies rules to models. It fails where the Metadata of a template holds
// a suppression that is malformed.
func Run(models []*assembly.Model, rules []Rule, o Options) (Result, error) {
	result := Result{Findings: []Finding{}, Suppressed: []Suppressed{}, NotUnderstood: []Unread{}}
	var found []Finding
	suppressions := slices.Clone(o.Config.suppressions)
	if o.Partial {
		for i := range suppressions {
			suppressions[i].used = true
		}
	}
	for _, m := range models {
		inTemplates, err := metadataSuppressions(m, rules)
		if err != nil {
			return Result{}, err
		}
		suppressions = append(suppressions, inTemplates...)
		for _, rule := range rules {
			r := &Report{rule: rule}
			rule.Check(m, r)
			found = append(found, r.findings...)
		}
		for _, p := range m.NotUnderstood {
			result.NotUnderstood = append(result.NotUnderstood, Unread{Path: p.Path, Text: p.Text, Hides: p.Hides})
		}
	}
	slices.SortStableFunc(found, compare)
	for _, f := range slices.Compact(found) {
		if s := suppress(&f, suppressions, o.Now); s != nil {
			result.Suppressed = append(result.Suppressed, Suppressed{Finding: f, Reason: s.reason, Until: s.until})
		} else {
			result.Findings = append(result.Findings, f)
		}
	}
	for _, s := range suppressions {
		if !s.used {
			result.Unused = append(result.Unused, fmt.Sprintf("%s: suppresses nothing; remove it", s.at))
		}
	}
	return result, nil
}

func compare(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Severity.rank(), b.Severity.rank()),
		cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message),
		cmp.Compare(a.LogicalID, b.LogicalID),
	)
}

// Hidden counts what was not understood and hides what there may be to find.
func (r Result) Hidden() int {
	n := 0
	for _, u := range r.NotUnderstood {
		if u.Hides {
			n++
		}
	}
	return n
}

// Reaches counts the findings of a severity, and of any that is worse.
func (r Result) Reaches(severity Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity.Reaches(severity) {
			n++
		}
	}
	return n
}
