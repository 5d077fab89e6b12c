package audit

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown prints a result as a table, for a comment on a pull request.
func WriteMarkdown(w io.Writer, r Result) error {
	var out strings.Builder
	fmt.Fprintf(&out, "**gatewright audit:** %s\n", r.Counts())
	for _, u := range r.NotUnderstood {
		if u.Hides {
			fmt.Fprintf(&out, "\n**Incomplete:** not understood, and so not audited: %s\n", plain(u.Path+": "+u.Text))
		}
	}
	if len(r.Findings) > 0 {
		out.WriteString("\n| severity | rule | where | what | mend |\n|---|---|---|---|---|\n")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&out, "| %s | [%s](%s) | %s | %s | %s |\n", f.Severity, f.Rule, f.Source, plain(f.Path), plain(f.Message), plain(f.Fix))
	}
	var suppressed, unread []string
	for _, s := range r.Suppressed {
		line := fmt.Sprintf("%s: %s: %s. Reason: %s", s.Rule, plain(s.Path), plain(s.Message), plain(s.Reason))
		if s.Until != "" {
			line += " (until " + s.Until + ")"
		}
		suppressed = append(suppressed, line)
	}
	for _, u := range r.NotUnderstood {
		if !u.Hides {
			unread = append(unread, plain(u.Path+": "+u.Text))
		}
	}
	folded(&out, "suppressed", suppressed)
	folded(&out, "not understood, and so not audited", unread)
	_, err := io.WriteString(w, out.String())
	return err
}

func folded(out *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(out, "\n<details><summary>%d %s</summary>\n\n", len(lines), title)
	for _, line := range lines {
		fmt.Fprintf(out, "- %s\n", line)
	}
	out.WriteString("\n</details>\n")
}

// plain writes text of a template so that it is text in Markdown, too: no
// markup, no mention, no second cell.
func plain(text string) string {
	var out strings.Builder
	for _, r := range printable(text) {
		if strings.ContainsRune("\\`*_[]<>#|&@~", r) {
			fmt.Fprintf(&out, "&#%d;", r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}
