package audit

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gatewright/gatewright/internal/assembly"
)

// MetadataKey is the key in a resource's Metadata, or in a template's own,
// whose value lists suppressions: {rule, reason, until}.
const MetadataKey = "gatewright:suppress"

// suppression says that findings of a rule are accepted, and why.
type suppression struct {
	at     string // where it is declared, for people
	rule   string
	reason string
	until  string // the last day, or empty

	covers func(Finding) bool
	used   bool
}

// dateForm is how a day is written.
const dateForm = "2006-01-02"

// expired reports whether the last day is over, everywhere on Earth or not: by
// UTC.
func (s suppression) expired(now time.Time) bool {
	return s.until != "" && now.UTC().Format(dateForm) > s.until
}

// suppress finds what suppresses a finding. Where that has expired, the
// finding says so instead.
func suppress(f *Finding, all []suppression, now time.Time) *suppression {
	var found, expired *suppression
	for i := range all {
		s := &all[i]
		if s.rule != f.Rule || !s.covers(*f) {
			continue
		}
		s.used = true
		switch {
		case s.expired(now):
			expired = s
		case found == nil:
			found = s
		}
	}
	if found == nil && expired != nil {
		f.Message += fmt.Sprintf(" (its suppression expired on %s: %s)", expired.until, expired.reason)
	}
	return found
}

// metadataSuppressions reads what the templates themselves suppress: a resource
// for itself, a template for all of its stack.
func metadataSuppressions(m *assembly.Model, rules []Rule) ([]suppression, error) {
	var out []suppression
	for _, res := range m.Resources {
		list, err := fromMetadata(res.Metadata[MetadataKey], res.Path, rules)
		if err != nil {
			return nil, err
		}
		for i := range list {
			list[i].covers = func(f Finding) bool { return f.stack == res.Stack && f.LogicalID == res.LogicalID }
		}
		out = append(out, list...)
	}
	for _, stack := range slices.Sorted(maps.Keys(m.Metadata)) {
		list, err := fromMetadata(m.Metadata[stack][MetadataKey], "Metadata of "+stack, rules)
		if err != nil {
			return nil, err
		}
		for i := range list {
			list[i].covers = func(f Finding) bool { return f.stack == stack }
		}
		out = append(out, list...)
	}
	return out, nil
}

func fromMetadata(value any, at string, rules []Rule) ([]suppression, error) {
	if value == nil {
		return nil, nil
	}
	entries, ok := value.([]any)
	if !ok {
		return nil, inputErrorf(`%s: %s is no list; write [{"rule": "…", "reason": "…"}]`, at, MetadataKey)
	}
	var out []suppression
	for i, entry := range entries {
		s := suppression{at: fmt.Sprintf("%s: %s[%d]", at, MetadataKey, i)}
		object, ok := entry.(map[string]any)
		if !ok {
			return nil, inputErrorf(`%s is no object; write {"rule": "…", "reason": "…"}`, s.at)
		}
		keys := map[string]*string{"rule": &s.rule, "reason": &s.reason, "until": &s.until}
		for _, key := range slices.Sorted(maps.Keys(object)) {
			text, isText := object[key].(string)
			if keys[key] == nil {
				return nil, inputErrorf("%s: unknown key %q; the keys are rule, reason, until", s.at, key)
			}
			if !isText || text == "" {
				return nil, inputErrorf("%s: %s is no text; write one", s.at, key)
			}
			*keys[key] = text
		}
		if _, problem := s.problem(rules); problem != "" {
			return nil, inputErrorf("%s: %s", s.at, problem)
		}
		out = append(out, s)
	}
	return out, nil
}

// problem says what is wrong with a suppression and the mend, and which key it
// is; empty where nothing is.
func (s suppression) problem(rules []Rule) (key, text string) {
	switch {
	case s.rule == "":
		return "rule", "no rule; it is required"
	case !slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == s.rule }):
		return "rule", UnknownRule(rules, s.rule)
	case strings.TrimSpace(s.reason) == "":
		return "reason", "no reason; write why the finding is acceptable"
	case s.until != "" && !isDate(s.until):
		return "until", fmt.Sprintf("until %q is no date; write the last day, such as 2027-01-31", s.until)
	}
	return "", ""
}

// UnknownRule says that there is no rule with an id, and how to find the right
// one.
func UnknownRule(rules []Rule, id string) string {
	if near := nearest(rules, id); near != "" {
		return fmt.Sprintf("no rule %q; did you mean %s?", id, near)
	}
	return fmt.Sprintf("no rule %q; gatewright audit --list-rules lists them", id)
}

// nearest returns the rule whose id shares the most words with the given one,
// for somebody who got it wrong; empty where none does.
func nearest(rules []Rule, id string) string {
	best, most := "", 0
	words := strings.Split(id, "-")
	for _, rule := range rules {
		shared := 0
		for word := range strings.SplitSeq(rule.ID, "-") {
			if slices.Contains(words, word) {
				shared++
			}
		}
		if shared > most {
			best, most = rule.ID, shared
		}
	}
	return best
}

func isDate(text string) bool {
	_, err := time.Parse(dateForm, text)
	return err == nil
}

// pathPattern compiles a glob on construct paths: * and ? stay within one part
// of the path, ** does not.
func pathPattern(glob string) *regexp.Regexp {
	pattern := regexp.QuoteMeta(glob)
	pattern = strings.ReplaceAll(pattern, `\*\*`, ".*")
	pattern = strings.ReplaceAll(pattern, `\*`, "[^/]*")
	pattern = strings.ReplaceAll(pattern, `\?`, "[^/]")
	return regexp.MustCompile("^" + pattern + "$")
}

// inputErrorf is a mistake of whoever wrote what is audited.
func inputErrorf(format string, arguments ...any) error {
	return &assembly.InputError{Text: fmt.Sprintf(format, arguments...)}
}
