package hosted

import (
	"net/http"
	"net/url"
	"slices"
)

// call is a browser's request for a page, once its client and callback are
// known and nothing is wrong with the rest.
type call struct {
	*authorization
	r       *http.Request
	visit   visit // the zero value where the browser brought none
	form    url.Values
	cookies []string // for the answer
}

// step answers a call.
type step func(*call) Answer

// page serves a step to whoever follows a link.
func (s *Server) page(serve step) func(*http.Request) Answer {
	return func(r *http.Request) Answer {
		c, refused := s.read(r)
		if c == nil {
			return refused
		}
		return c.finish(serve(c))
	}
}

// form serves a step to the browser that was shown its form: a page of somebody
// else cannot sign a person in as its own user (RFC 9700 section 4.7).
func (s *Server) form(serve step) func(*http.Request) Answer {
	return func(r *http.Request) Answer {
		form, no := readForm(r)
		if no != nil {
			return errorPage(no.status, "This form cannot be read.", no.reason)
		}
		c, refused := s.read(r)
		if c == nil {
			return refused
		}
		if !c.visit.owns(form.Get("_csrf")) {
			return c.finish(c.tooOld())
		}
		c.form = form
		return c.finish(serve(c))
	}
}

// read returns no call but an answer where there is nothing to go on with.
func (s *Server) read(r *http.Request) (*call, Answer) {
	a, no, reason := s.readAuthorization(r.URL.RawQuery)
	switch {
	case a == nil:
		return nil, errorPage(http.StatusBadRequest, appMistake, reason)
	case no != nil:
		answer := redirect(r, a.failure(no))
		answer.Client, answer.Reason = a.client.Name, no.reason
		return nil, answer
	}
	c := &call{authorization: a, r: r}
	c.visit, _ = a.pool.visits.of(r)
	return c, Answer{}
}

// finish adds what every answer to a call has.
func (c *call) finish(a Answer) Answer {
	a.Client = c.client.Name
	for _, cookie := range c.cookies {
		a.Header.Add("Set-Cookie", cookie)
	}
	return a
}

// appMistake is what a person can do nothing about.
const appMistake = "The app that sent you here made a mistake."

// errorPage tells a person why there is nothing to see. It leads nowhere.
func errorPage(status int, text, reason string) Answer {
	a := show(status, page{Title: "This did not work", Alert: text, Intro: []string{"What is wrong: " + reason + "."}}, "")
	a.Reason = reason
	return a
}

// tooOld answers a form that was not shown to this browser, or too long ago.
func (c *call) tooOld() Answer {
	a := show(http.StatusForbidden, page{
		Title: "Please start again", App: c.client.Name, Pool: c.pool.Name,
		Alert: "This form is out of date, or it came from somewhere else.",
		Links: []link{{"Sign in", c.link(loginPath)}},
	}, "")
	a.Reason = "the form was not shown to this browser"
	return a
}

// show renders a page with forms of this browser, which gets a visit for them.
// Reason is why it is shown again, "" where that is not so.
func (c *call) show(p page, reason string) Answer {
	if c.visit.id == "" {
		c.visit = c.pool.visits.begin()
		c.cookies = append(c.cookies, c.pool.visits.setCookie(c.visit))
	}
	p.App, p.Pool = c.client.Name, c.pool.Name
	if p.Notice == "" {
		p.Notice = c.pending().notice
	}
	for i := range p.Forms {
		p.Forms[i].CSRF = c.visit.csrf
		focused := false
		for j := range p.Forms[i].Fields {
			f := &p.Forms[i].Fields[j]
			f.Focus = i == 0 && !focused && f.Value == ""
			focused = focused || f.Focus
		}
	}
	status := http.StatusOK
	if reason != "" {
		status = http.StatusBadRequest
		p.Notice = ""
	}
	a := show(status, p, c.redirectURI)
	a.Reason = reason
	return a
}

// pending is what the page before left for this one.
func (c *call) pending() pending {
	if c.visit.pending.clientID != c.client.ID {
		return pending{}
	}
	return c.visit.pending
}

// leave leaves something for the next page and sends the browser there.
func (c *call) leave(p pending, path string) Answer {
	c.remember(p)
	return redirect(c.r, c.link(path))
}

// remember keeps something for the next request of this browser.
func (c *call) remember(p pending) {
	p.clientID = c.client.ID
	c.visit.pending = p
	c.pool.visits.put(c.visit)
}

// missing returns the label of a field of the form that is empty.
func (c *call) missing(fields []field) string {
	i := slices.IndexFunc(fields, func(f field) bool { return c.form.Get(f.Name) == "" })
	if i < 0 {
		return ""
	}
	return fields[i].Label
}
