package hosted

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // of the template and the stylesheet
	"encoding/base64"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// page is everything that a person sees. One template renders all of them.
type page struct {
	Title  string
	App    string // name of the app client that a person goes on to
	Pool   string // name of the user pool
	Alert  string // what went wrong; read out at once
	Notice string // what went well
	Intro  []string
	Secret string // to be typed into an authenticator app
	Forms  []form
	Links  []link

	Style template.CSS
}

// form is a form that posts back to this server.
type form struct {
	Action string
	CSRF   string
	Submit string // the button
	Minor  bool   // beside another that most people want
	Fields []field
}

// field is an input with its label. All are required.
type field struct {
	Name, Label, Type, Value string
	Autocomplete             string // of the HTML standard, for password managers
	InputMode                string // which keyboard a phone shows
	Hint                     string
	Literal                  bool // no capitals, no spelling
	Focus                    bool
}

// link is a way to another page.
type link struct{ Text, Address string }

var (
	//go:embed pages/page.html
	pageSource string
	//go:embed pages/style.css
	style string

	pageTemplate = template.Must(template.New("page").Parse(pageSource))

	// styleSource lets the browser apply the page's one stylesheet, by its hash
	// (Content Security Policy Level 3 section 2.3.1).
	styleSource = func() string {
		sum := sha256.Sum256([]byte(style))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}()
)

// show renders a page. Its forms may be sent here and, because Chromium applies
// form-action to the redirects that follow, go on to the callback, which is ""
// where there is none.
func show(status int, p page, callback string) Answer {
	p.Style = template.CSS(style) //nolint:gosec // our own file
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, p); err != nil {
		return Answer{Status: http.StatusInternalServerError, Reason: "the page cannot be rendered", Header: pageHeader("'none'")}
	}
	actions := "'none'"
	if len(p.Forms) > 0 {
		actions = strings.TrimSpace("'self' " + cspSource(callback))
	}
	a := Answer{Status: status, Header: pageHeader(actions), Body: body.Bytes()}
	a.Header.Set("Content-Type", "text/html; charset=utf-8")
	return a
}

// pageHeader keeps a page out of frames (RFC 9700 section 4.16), out of caches,
// and its address, which holds an authorization request, out of what other sites
// learn by Referer (section 4.2).
func pageHeader(formAction string) http.Header {
	return http.Header{
		"Content-Security-Policy": {"default-src 'none'; style-src " + styleSource + "; img-src data:; form-action " + formAction +
			"; frame-ancestors 'none'; base-uri 'none'"},
		"X-Frame-Options": {"DENY"},
		// With no-referrer, browsers say "Origin: null" of the page's own forms
		// (Fetch standard, "append a request Origin header").
		"Referrer-Policy": {"same-origin"},
		"Cache-Control":   {"no-store"},
		"Pragma":          {"no-cache"},
	}
}

// cspSource is what form-action has to list for a redirect to address: its
// origin, or its scheme where it has no host or one that a policy cannot name,
// such as an IPv6 address (Content Security Policy Level 3 section 2.3.1).
func cspSource(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return ""
	}
	isHost := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-:", r)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Contains(u.Hostname(), ":") || strings.TrimFunc(u.Host, isHost) != "" {
		return u.Scheme + ":" // url.Parse took it: letters, digits, +, - and .
	}
	return u.Scheme + "://" + u.Host
}

// redirect sends a browser on. After a form that is 303, so that what was sent
// with it, a password for one, is not sent along (RFC 9700 section 4.12).
func redirect(r *http.Request, address string) Answer {
	status := http.StatusFound
	if r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	a := Answer{Status: status, Header: pageHeader("'none'")}
	a.Header.Set("Location", address)
	return a
}
