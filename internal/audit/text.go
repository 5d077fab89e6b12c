package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Text says how a result is printed for people.
type Text struct {
	Color bool
	Width int // of lines in columns; 0 to break none
}

var colors = map[Severity]string{Error: "31", Warning: "33", Note: "36"}

// Write prints a result: first what was not understood and could hide a finding,
// then the findings of each rule together with the mend, what else was not
// understood, and the counts.
func (t Text) Write(w io.Writer, r Result) error {
	p := printer{Text: t}
	p.unread(p.colored("33", "incomplete")+"  not understood, and so not audited; there may be more to find:", r.NotUnderstood, true)
	findings := slices.Clone(r.Findings)
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return compareRules(a, b)
	})
	for len(findings) > 0 {
		n := slices.IndexFunc(findings, func(f Finding) bool { return compareRules(f, findings[0]) != 0 })
		if n < 0 {
			n = len(findings)
		}
		p.group(findings[:n])
		findings = findings[n:]
	}
	p.unread("not understood, and so not audited:", r.NotUnderstood, false)
	for _, note := range r.Unused {
		p.wrapped("", "  ", note)
	}
	p.line("%s", r.Counts())
	_, err := io.WriteString(w, p.out.String())
	return err
}

func compareRules(a, b Finding) int {
	if c := a.Severity.rank() - b.Severity.rank(); c != 0 {
		return c
	}
	return strings.Compare(a.Rule, b.Rule)
}

// Counts is one line: "2 errors, 1 warning; 1 suppressed".
func (r Result) Counts() string {
	var counts []string
	for _, severity := range Severities {
		n := 0
		for _, f := range r.Findings {
			if f.Severity == severity {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, plural(n, string(severity)))
		}
	}
	line := strings.Join(counts, ", ")
	if line == "" {
		line = "nothing found"
		if r.Hidden() > 0 {
			line += " in what is understood"
		}
	}
	if n := len(r.Suppressed); n > 0 {
		line += fmt.Sprintf("; %d suppressed", n)
	}
	if n := len(r.NotUnderstood); n > 0 {
		line += "; " + plural(n, "part") + " not understood"
	}
	if n := r.Hidden(); n > 0 {
		line += fmt.Sprintf(", %d of which could hide more", n)
	}
	return line
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printer gathers lines.
type printer struct {
	Text
	out strings.Builder
}

// unread prints what was not understood and hides something, or does not.
func (p *printer) unread(title string, all []Unread, hides bool) {
	listed := slices.DeleteFunc(slices.Clone(all), func(u Unread) bool { return u.Hides != hides })
	if len(listed) == 0 {
		return
	}
	p.line("%s", title)
	for _, u := range listed {
		p.wrapped("  ", "    ", u.Path+": "+u.Text)
	}
	p.line("")
}

// group prints the findings of one rule, each place once.
func (p *printer) group(findings []Finding) {
	first := findings[0]
	p.line("%s  %s  %s", p.colored(colors[first.Severity], string(first.Severity)), p.colored("1", first.Rule), first.Title)
	place := ""
	for _, f := range findings {
		if at := f.Path + " (" + f.LogicalID + ")"; at != place {
			p.line("  %s", printable(at))
			place = at
		}
		p.wrapped("    ", "      ", f.Message)
	}
	p.wrapped("  mend  ", "        ", first.Fix)
	p.line("  why   gatewright audit --explain %s", first.Rule)
	p.line("")
}

func (p *printer) colored(code, text string) string {
	if !p.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (p *printer) line(format string, arguments ...any) {
	fmt.Fprintf(&p.out, format+"\n", arguments...)
}

// wrapped prints words in lines that fit, where there is a width.
func (p *printer) wrapped(first, rest, text string) {
	line, words := first, strings.Fields(printable(text))
	for i, word := range words {
		switch {
		case i == 0:
			line += word
		case p.Width > 0 && len([]rune(line))+1+len([]rune(word)) > p.Width:
			p.line("%s", line)
			line = rest + word
		default:
			line += " " + word
		}
	}
	p.line("%s", line)
}

// printable leaves out what a template could do to a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// WriteJSON prints a result as JSON.
func WriteJSON(w io.Writer, r Result) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// Explain prints a rule for people.
func (t Text) Explain(w io.Writer, rule Rule) error {
	p := printer{Text: t}
	p.line("%s  %s  %s", p.colored(colors[rule.Severity], string(rule.Severity)), p.colored("1", rule.ID), rule.Title)
	p.line("")
	p.wrapped("", "", rule.Why)
	p.line("")
	p.wrapped("mend    ", "        ", rule.Fix)
	p.line("source  %s", rule.Source.Title)
	p.line("        %s", rule.Source.URL)
	p.wrapped("accept  ", "        ", `with a reason, in the Metadata of the resource: "`+MetadataKey+`": [{"rule": "`+rule.ID+`", "reason": "…"}], or in `+ConfigFile)
	_, err := io.WriteString(w, p.out.String())
	return err
}
