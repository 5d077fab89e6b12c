package report

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// TextOptions shape a report for people.
type TextOptions struct {
	Width  int  // of a line, in characters; 80 by default
	Colour bool // with terminal colours
}

// Text writes the report for people: for each API one line per route with a
// mark for each caller, then what else holds for each route.
func (r *Report) Text(w io.Writer, o TextOptions) error {
	if o.Width <= 0 {
		o.Width = 80
	}
	p := &page{o: o}
	for i, s := range r.Stages {
		if i > 0 {
			p.line("")
		}
		p.stage(s)
	}
	_, err := io.WriteString(w, p.out.String())
	return err
}

// Marks of the matrix.
const (
	markYes    = "●"
	markMaybe  = "◐"
	markKey    = "+" // behind either: with an API key besides
	markNobody = "nobody"
)

// page is text of a bounded width.
type page struct {
	out strings.Builder
	o   TextOptions
}

// control are the characters that steer a terminal. Of those only our own may
// reach it, and not what a template's texts hold.
var control = regexp.MustCompile(`\x1b\[[0-9]*m|[\x00-\x1f\x7f-\x{9f}]`)

func (p *page) line(text string) {
	text = control.ReplaceAllStringFunc(text, func(found string) string {
		if p.o.Colour && len(found) > 2 {
			return found
		}
		return ""
	})
	p.out.WriteString(strings.TrimRight(strings.ReplaceAll(text, noBreak, " "), " ") + "\n")
}

// style writes text in a terminal's style: "1" is bold, "2" faint, "31" red.
func (p *page) style(code, text string) string {
	if !p.o.Colour || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// wrap writes words after a label, all of whose lines begin at the same column.
// A word that is longer than a line stands alone.
func (p *page) wrap(indent int, label, text string) {
	column, line := indent+utf8.RuneCountInString(label), strings.Repeat(" ", indent)+label
	width := column
	for i, word := range strings.FieldsFunc(text, isSpace) {
		n := utf8.RuneCountInString(word)
		if i > 0 && width+1+n > p.o.Width {
			p.line(line)
			line, width = strings.Repeat(" ", column), column
		} else if i > 0 {
			line, width = line+" ", width+1
		}
		line, width = line+word, width+n
	}
	p.line(line)
}

// isSpace leaves out the space that does not break.
func isSpace(c rune) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (p *page) stage(s Stage) {
	p.line(p.style("1", "Stage "+s.ID) + "   " + s.Region + ", account " + s.Account)
	if hidden := hiding(s.NotUnderstood); hidden > 0 {
		p.wrap(0, "Incomplete   ", incomplete(hidden)+" See the end.")
	}
	byID := map[string]Caller{}
	for _, c := range s.Callers {
		byID[c.ID] = c
	}
	if len(s.APIs) == 0 {
		p.line("")
		p.line("No API.")
	}
	for _, api := range s.APIs {
		p.api(api, s.Callers, byID)
	}
	p.callers(s)
	p.notUnderstood(s.NotUnderstood)
}

func (p *page) api(api API, callers []Caller, byID map[string]Caller) {
	p.line("")
	p.line(p.style("1", api.Kind+" API "+api.Name) + "   " + api.ID)
	p.wrap(0, "", reachedBy(api))
	shown, preflights := shownRoutes(api)
	if len(shown) > 0 {
		p.line("")
		columns := columnsOf(shown, callers)
		named, numbered := headers(columns)
		switch {
		case p.fits(shown, named):
			p.matrix(shown, columns, named)
		case p.fits(shown, numbered):
			p.matrix(shown, columns, numbered)
			p.line("")
			p.wrap(0, "", numbers(columns))
		default:
			p.list(shown, byID)
		}
		p.line("")
		p.wrap(0, "", legend(shown))
	}
	if preflights > 0 {
		p.wrap(0, "", fmt.Sprintf("Besides, API Gateway itself answers %d OPTIONS %s for anyone (CORS preflight).", preflights, plural(preflights, "route")))
	}
	for _, r := range shown {
		p.details(r, byID)
	}
}

func reachedBy(api API) string {
	ways := api.Hosts
	if api.ExecuteAPI {
		ways = append(slices.Clone(ways), "its execute-api host")
	}
	text := "Reached by " + strings.Join(ways, ", ")
	if len(ways) == 0 {
		text = "Reached by no host"
	}
	if api.Private {
		text += ", inside a VPC only"
	}
	text += "; " + plural(len(api.Stages), "stage") + " " + orNone(api.Stages) + "."
	if api.Policy {
		text += " A resource policy bounds who may call."
	}
	return text
}

// shownRoutes are all but preflights, which anyone may ask for and which say
// nothing.
func shownRoutes(api API) (shown []Route, preflights int) {
	for _, r := range api.Routes {
		if r.Preflight {
			preflights++
			continue
		}
		shown = append(shown, r)
	}
	return shown, preflights
}

// columnsOf are the callers who may call any of the routes.
func columnsOf(routes []Route, callers []Caller) []Caller {
	used := map[string]bool{}
	for _, r := range routes {
		for _, a := range r.Access {
			used[a.Caller] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(callers), func(c Caller) bool { return !used[c.ID] })
}

// widths returns those of the methods and of the paths.
func widths(routes []Route) (method, path int) {
	for _, r := range routes {
		method, path = max(method, utf8.RuneCountInString(r.Method)), max(path, utf8.RuneCountInString(r.Path))
	}
	return method, path
}

// headers are the columns' names, and numbers for where those are too long.
func headers(columns []Caller) (named, numbered []string) {
	for i, c := range columns {
		named, numbered = append(named, c.Name), append(numbered, strconv.Itoa(i+1))
	}
	return named, numbered
}

// numbers says whom each number stands for.
func numbers(columns []Caller) string {
	var parts []string
	for i, c := range columns {
		// What belongs together stays in one line.
		parts = append(parts, strconv.Itoa(i+1)+noBreak+strings.ReplaceAll(c.Name, " ", noBreak))
	}
	return strings.Join(parts, ", ") + "."
}

const noBreak = "\u00a0"

func (p *page) fits(routes []Route, headers []string) bool {
	method, path := widths(routes)
	width := method + 1 + path
	for _, header := range headers {
		width += 2 + max(markColumn, utf8.RuneCountInString(header))
	}
	return width <= p.o.Width
}

// markColumn is the width of the longest mark.
const markColumn = 2

func (p *page) matrix(routes []Route, columns []Caller, headers []string) {
	method, path := widths(routes)
	line := strings.Repeat(" ", method+1+path)
	for _, header := range headers {
		line += "  " + p.style("1", pad(header, markColumn))
	}
	p.line(line)
	for _, r := range routes {
		line := pad(r.Method, method) + " " + pad(r.Path, path)
		if len(r.Access) == 0 {
			p.line(line + "  " + p.style("31", markNobody))
			continue
		}
		for i, c := range columns {
			mark, n := markOf(r, c), max(markColumn, utf8.RuneCountInString(headers[i]))
			before := (n - 1) / 2
			line += "  " + strings.Repeat(" ", before) + p.coloured(mark, c) + strings.Repeat(" ", n-before-utf8.RuneCountInString(mark))
		}
		p.line(line)
	}
}

// coloured writes a mark, and tells who needs nothing from who does.
func (p *page) coloured(mark string, c Caller) string {
	if c.Kind == KindAnyone {
		return p.style("33", mark)
	}
	return p.style("32", mark)
}

// markOf is empty for a caller who may not call.
func markOf(r Route, c Caller) string {
	for _, a := range r.Access {
		if a.Caller != c.ID {
			continue
		}
		mark := markYes
		if a.Conditional {
			mark = markMaybe
		}
		if r.KeyRequired && c.Kind != KindKey {
			mark += markKey
		}
		return mark
	}
	return ""
}

// legend explains the marks that stand in a matrix.
func legend(routes []Route) string {
	words := []string{markYes + " may call"}
	some := func(is func(Route, Access) bool) bool {
		return slices.ContainsFunc(routes, func(r Route) bool {
			return slices.ContainsFunc(r.Access, func(a Access) bool { return is(r, a) })
		})
	}
	if some(func(_ Route, a Access) bool { return a.Conditional }) {
		words = append(words, markMaybe+" on conditions")
	}
	if some(func(r Route, a Access) bool { return r.KeyRequired && a.Caller != KindKey }) {
		words = append(words, markKey+" with an API key besides")
	}
	return strings.Join(words, ", ") + "."
}

// list stands in place of a matrix that is too wide.
func (p *page) list(routes []Route, byID map[string]Caller) {
	method, path := widths(routes)
	path = min(path, max(20, p.o.Width/2))
	for _, r := range routes {
		label := pad(r.Method, method) + " " + pad(r.Path, path) + "  "
		p.wrap(0, label, names(r, byID))
	}
}

// names lists who may call a route.
func names(r Route, byID map[string]Caller) string {
	if len(r.Access) == 0 {
		return markNobody
	}
	var out []string
	for _, a := range r.Access {
		name := byID[a.Caller].Name
		if len(a.Stages) > 0 {
			name += " (" + plural(len(a.Stages), "stage") + " " + strings.Join(a.Stages, ", ") + ")"
		}
		if a.Conditional {
			name += " " + markMaybe
		}
		out = append(out, name)
	}
	text := strings.Join(out, ", ")
	if r.KeyRequired && r.Access[0].Caller != KindKey {
		text += "; with an API key besides"
	}
	return text
}

func (p *page) details(r Route, byID map[string]Caller) {
	p.line("")
	p.line(p.style("1", r.Method+" "+r.Path))
	if slices.ContainsFunc(r.Access, func(a Access) bool { return len(a.Stages) > 0 }) {
		p.wrap(2, pad("callers", 13), names(r, byID))
	}
	for _, d := range detailsOf(r) {
		p.wrap(2, pad(d[0], 13), d[1])
	}
}

// callers explains the callers that a name does not.
func (p *page) callers(s Stage) {
	used := map[string]bool{}
	for _, api := range s.APIs {
		for _, r := range api.Routes {
			for _, a := range r.Access {
				used[a.Caller] = true
			}
		}
	}
	width := 0
	for _, c := range s.Callers {
		width = max(width, utf8.RuneCountInString(c.Name))
	}
	if len(s.Callers) > 0 {
		p.line("")
		p.line(p.style("1", "Callers"))
	}
	for _, c := range s.Callers {
		text := explain(c)
		if !used[c.ID] {
			text += "; may call no route"
		}
		p.wrap(2, pad(c.Name, min(width, 24))+"  ", text)
	}
}

func (p *page) notUnderstood(problems []Problem) {
	if len(problems) == 0 {
		return
	}
	p.line("")
	p.line(p.style("1", fmt.Sprintf("Not understood (%d)", len(problems))))
	for _, problem := range problems {
		mark := "  "
		if problem.Decides {
			mark = "! "
		}
		p.wrap(2, mark, problem.Path+": "+problem.Text)
	}
	if slices.ContainsFunc(problems, func(p Problem) bool { return p.Decides }) {
		p.wrap(0, "", "What is marked ! could change who may call.")
	}
}

// hiding counts what routes or callers may stand behind.
func hiding(problems []Problem) int {
	n := 0
	for _, p := range problems {
		if p.Hides {
			n++
		}
	}
	return n
}

// incomplete says what a count of such problems means.
func incomplete(n int) string {
	return fmt.Sprintf("%d %s of the template not understood: there may be more routes and callers.", n, plural(n, "part"))
}

func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
