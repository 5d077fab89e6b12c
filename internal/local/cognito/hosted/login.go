package hosted

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// authorize serves /oauth2/authorize: a code for the browser that is signed in,
// the login page for any other.
func (s *Server) authorize(c *call) Answer {
	if c.visit.login != nil && !c.asks("login") && !c.asks("select_account") {
		// Another user may have the name by now.
		if user, ok := c.pool.directory.Active(c.visit.login.username); ok && user.Subject == c.visit.login.subject {
			return s.complete(c, user, *c.visit.login)
		}
	}
	if c.asks("none") {
		return c.fail(wrong(loginRequired, "nobody is signed in"))
	}
	return redirect(c.r, c.link(loginPath))
}

// showLogin is the login page.
func (s *Server) showLogin(c *call) Answer { return c.loginPage(c.hint, "", "") }

// loginPage is the login page, with what went wrong, and the reason for the log.
func (c *call) loginPage(username, alert, reason string) Answer {
	if username == "" {
		username = c.pending().username
	}
	links := []link{{"Forgot your password?", c.link(forgotPath)}}
	if c.pool.SelfSignUp {
		links = append(links, link{"Create an account", c.link(signUpPath)})
	}
	return c.show(page{Title: "Sign in", Alert: alert, Links: links, Forms: []form{{
		Action: c.link(loginPath), Submit: "Sign in",
		Fields: []field{c.usernameField(username), passwordField("Password", "current-password", "")},
	}}}, reason)
}

// signIn takes a password.
func (s *Server) signIn(c *call) Answer {
	username, password := c.form.Get("username"), c.form.Get("password")
	if username == "" || password == "" {
		return c.loginPage(username, "Enter both, please.", "username or password is missing")
	}
	next, err := c.pool.directory.CheckPassword(c.r.Context(), c.client, username, password, nil)
	if codeOf(err) == "UserNotConfirmedException" {
		return c.leave(pending{username: username}, confirmPath)
	}
	if err != nil {
		text, reason := problem(err)
		return c.loginPage(username, text, reason)
	}
	return s.proceed(c, username, next)
}

// proceed goes where a step of the sign-in leads.
func (s *Server) proceed(c *call, username string, next *directory.Step) Answer {
	left := pending{username: username, challenge: next.Challenge, session: next.Session, lacking: lacking(next)}
	switch next.Challenge {
	case "":
		return s.complete(c, next.User, login{username: next.User.Username, subject: next.User.Subject, at: c.pool.visits.now()})
	case directory.NewPasswordRequired:
		return c.leave(left, newPasswordPath)
	case directory.SoftwareTokenMFA, directory.MFASetup:
		return c.leave(left, mfaPath)
	default:
		return c.loginPage(username, "Your account asks for a way to sign in that these pages do not have.", "the challenge is not served")
	}
}

// complete sends a browser back with a code. Its tokens are made now, because a
// trigger that refuses them refuses the sign-in, and the callback hears why.
//
// Who has just signed in gets a new visit: whoever planted the old one's cookie
// holds nothing (OWASP "Session fixation").
func (s *Server) complete(c *call, user *directory.User, l login) Answer {
	tokens, err := c.pool.directory.Issue(c.r.Context(), c.client, directory.Grant{
		User: user, Scopes: c.scopes, Nonce: c.nonce, AuthTime: l.at, Source: directory.HostedAuth,
	})
	if err != nil {
		return c.fail(asParameterError(err))
	}
	if c.r.Method == http.MethodPost {
		c.pool.visits.end(c.visit)
		c.visit = c.pool.visits.begin()
		c.visit.login = &l
		c.pool.visits.put(c.visit)
		c.cookies = append(c.cookies, c.pool.visits.setCookie(c.visit))
	}
	code := s.codes.add(grant{clientID: c.client.ID, redirectURI: c.redirectURI, challenge: c.challenge, tokens: tokens})
	return redirect(c.r, c.callback(url.Values{"code": {code}}))
}

// fail sends a browser back with an error.
func (c *call) fail(no *parameterError) Answer {
	a := redirect(c.r, c.failure(no))
	a.Reason = no.reason
	return a
}

// logout serves /logout: it ends the browser's visit and goes to one of the
// client's sign-out addresses, or to the login page for a callback ("Logout
// endpoint", Amazon Cognito developer guide). Tokens stay good, as they do there.
func (s *Server) logout(r *http.Request) Answer {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > maxQueryBytes {
		return errorPage(http.StatusBadRequest, appMistake, "the request is not form-encoded or longer than 8 KiB")
	}
	for _, values := range query {
		if len(values) > 1 {
			return errorPage(http.StatusBadRequest, appMistake, "a parameter stands twice")
		}
	}
	p, c := s.client(query.Get("client_id"))
	if c == nil || !p.HasDomain() {
		return errorPage(http.StatusBadRequest, appMistake, "no app client with this client_id has sign-in pages")
	}
	a := s.afterLogout(r, c, query)
	a.Client = c.Name
	if a.Reason == "" {
		if v, ok := p.visits.of(r); ok {
			p.visits.end(v)
		}
		a.Header.Add("Set-Cookie", p.visits.dropCookie())
	}
	return a
}

// afterLogout is where a browser goes once it is signed out.
func (s *Server) afterLogout(r *http.Request, c *directory.Client, query url.Values) Answer {
	if query.Has("logout_uri") {
		if address := query.Get("logout_uri"); slices.Contains(c.Logouts, address) {
			return redirect(r, address)
		}
		return errorPage(http.StatusBadRequest, appMistake, "logout_uri is not a sign-out address of the app client")
	}
	if !query.Has("redirect_uri") {
		return errorPage(http.StatusBadRequest, appMistake, "neither logout_uri nor redirect_uri is there")
	}
	// The login page checks the rest and tells the callback what is wrong.
	if a, _, reason := s.readAuthorization(r.URL.RawQuery); a == nil {
		return errorPage(http.StatusBadRequest, appMistake, reason)
	}
	return redirect(r, loginPath+"?"+query.Encode())
}
