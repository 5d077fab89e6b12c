package hosted

import (
	"cmp"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// showSignUp is the page where a person makes an account.
func (s *Server) showSignUp(c *call) Answer { return c.signUpPage("", "") }

func (c *call) signUpPage(alert, reason string) Answer {
	if !c.pool.SelfSignUp {
		return c.show(page{
			Title: "No sign-up here", Alert: "Accounts of this pool are made by its operators.",
			Links: []link{{"Sign in", c.link(loginPath)}},
		}, "the pool has no self sign-up")
	}
	return c.show(page{Title: "Create an account", Alert: alert, Links: []link{{"Sign in instead", c.link(loginPath)}}, Forms: []form{{
		Action: c.link(signUpPath), Submit: "Sign up", Fields: c.signUpFields(),
	}}}, reason)
}

// signUp makes an account.
func (s *Server) signUp(c *call) Answer {
	fields := c.signUpFields()
	if label := c.missing(fields); label != "" {
		return c.signUpPage("Fill in: "+label+".", "a field is missing")
	}
	in := directory.SignUpInput{Username: c.form.Get("username"), Password: c.form.Get("password"), Attributes: c.attributes(fields)}
	result, err := c.pool.directory.SignUp(c.r.Context(), c.client, in)
	if err != nil {
		text, reason := problem(err)
		return c.signUpPage(text, reason)
	}
	if result.Confirmed {
		return c.leave(pending{username: in.Username, notice: "Your account is ready. Sign in."}, loginPath)
	}
	return c.leave(pending{username: in.Username, notice: sent(result.Delivery)}, confirmPath)
}

// showConfirm is the page that takes the code of a new account.
func (s *Server) showConfirm(c *call) Answer { return c.confirmPage("", "") }

func (c *call) confirmPage(alert, reason string) Answer {
	name := c.usernameField(cmp.Or(c.form.Get("username"), c.pending().username))
	return c.show(page{
		Title: "Confirm your account", Alert: alert, Links: []link{{"Sign in", c.link(loginPath)}},
		Intro: []string{"Your account has to be confirmed before you can sign in. Enter the code that you were sent."},
		Forms: []form{
			{Action: c.link(confirmPath), Submit: "Confirm", Fields: []field{name, codeField}},
			{Action: c.link(resendPath), Submit: "Send a new code", Minor: true, Fields: nil},
		},
	}, reason)
}

func (s *Server) confirm(c *call) Answer {
	username, code := c.form.Get("username"), c.form.Get("code")
	if username == "" || code == "" {
		return c.confirmPage("Enter both, please.", "username or code is missing")
	}
	if err := c.pool.directory.ConfirmSignUp(c.r.Context(), c.client, username, code, nil); err != nil {
		text, reason := codeProblem(err)
		return c.confirmPage(text, reason)
	}
	return c.leave(pending{username: username, notice: "Your account is confirmed. Sign in."}, loginPath)
}

// resend sends a new code to whom the page before was about, if there is such an
// account and it waits for one: nothing tells.
func (s *Server) resend(c *call) Answer {
	username := c.pending().username
	if username == "" {
		return c.confirmPage("Enter your user name by signing in first.", "nobody to send a code to")
	}
	_, err := c.pool.directory.ResendCode(c.r.Context(), c.client, username, nil)
	a := c.leave(pending{username: username, notice: "If the account exists and is not confirmed, a new code is on its way."}, confirmPath)
	a.Reason = codeOf(err)
	return a
}

// sent says where a code went.
func sent(d *directory.Delivery) string {
	if d == nil {
		return ""
	}
	return "A code is on its way to " + d.Destination + "."
}
