package report

import (
	"io"
	"strings"
)

// Markdown writes the report as tables for a pull request or a wiki page.
func (r *Report) Markdown(w io.Writer) error {
	var out strings.Builder
	for _, s := range r.Stages {
		out.WriteString("# Stage " + markdown(s.ID) + "\n\n" + s.Region + ", account " + s.Account + "\n")
		if n := hiding(s.NotUnderstood); n > 0 {
			out.WriteString("\n**Incomplete:** " + incomplete(n) + "\n")
		}
		for _, api := range s.APIs {
			markdownAPI(&out, api, s.Callers)
		}
		if len(s.Callers) > 0 {
			out.WriteString("\n## Callers\n\n")
			table(&out, "Caller", "Who")
			for _, c := range s.Callers {
				row(&out, c.Name, explain(c))
			}
		}
		if len(s.NotUnderstood) > 0 {
			out.WriteString("\n## Not understood\n\n")
			for _, p := range s.NotUnderstood {
				mark := ""
				if p.Decides {
					mark = " (could change who may call)"
				}
				out.WriteString("- " + markdown(p.Path+": "+p.Text) + mark + "\n")
			}
		}
		out.WriteString("\n")
	}
	_, err := io.WriteString(w, strings.TrimRight(out.String(), "\n")+"\n")
	return err
}

func markdownAPI(out *strings.Builder, api API, callers []Caller) {
	out.WriteString("\n## " + api.Kind + " API " + markdown(api.Name) + "\n\n" + markdown(reachedBy(api)) + "\n\n")
	shown, _ := shownRoutes(api)
	columns := columnsOf(shown, callers)
	header := []string{"Route"}
	for _, c := range columns {
		header = append(header, c.Name)
	}
	table(out, header...)
	for _, r := range shown {
		cells := []string{r.Method + " " + r.Path}
		if len(r.Access) == 0 {
			cells[0] += " (" + markNobody + ")"
		}
		for _, c := range columns {
			cells = append(cells, markOf(r, c))
		}
		row(out, cells...)
	}
	out.WriteString("\n" + legend(shown) + "\n\n")
	table(out, "Route", "Asks for", "Open for", "Limits", "Checks", "Answered by")
	for _, r := range shown {
		words := map[string]string{}
		for _, d := range detailsOf(r) {
			words[d[0]] = d[1]
		}
		row(out, r.Method+" "+r.Path, words["asks for"], words["open for"], words["limits"], words["checks"], words["answered by"])
	}
}

func table(out *strings.Builder, header ...string) {
	row(out, header...)
	out.WriteString(strings.Repeat("|---", len(header)) + "|\n")
}

func row(out *strings.Builder, cells ...string) {
	for _, cell := range cells {
		out.WriteString("| " + markdown(cell) + " ")
	}
	out.WriteString("|\n")
}

// markdown escapes what a template's text could mean in a table, or in HTML.
var markdown = strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "`", "\\`", "\n", " ", "\r", " ", "[", `\[`).Replace
