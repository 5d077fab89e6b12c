package hosted

import (
	"cmp"
)

// showForgot is the page for who has forgotten a password.
func (s *Server) showForgot(c *call) Answer { return c.forgotPage("", "") }

func (c *call) forgotPage(alert, reason string) Answer {
	return c.show(page{
		Title: "Reset your password", Alert: alert, Links: []link{{"Sign in", c.link(loginPath)}},
		Intro: []string{"Enter your user name. If the account exists, it is sent a code for a new password."},
		Forms: []form{{
			Action: c.link(forgotPath), Submit: "Send a code",
			Fields: []field{c.usernameField(cmp.Or(c.form.Get("username"), c.pending().username))},
		}},
	}, reason)
}

// forgot sends a code. The next page is the same whether or not there is such an
// account, and how many codes it was sent.
func (s *Server) forgot(c *call) Answer {
	username := c.form.Get("username")
	if username == "" {
		return c.forgotPage("Enter your user name, please.", "username is missing")
	}
	const notice = "If the account exists, a code is on its way."
	_, err := c.pool.directory.ForgotPassword(c.r.Context(), c.client, username, nil)
	a := c.leave(pending{username: username, notice: notice}, resetPath)
	a.Reason = codeOf(err)
	return a
}

// showReset is the page that takes the code and a new password.
func (s *Server) showReset(c *call) Answer { return c.resetPage("", "") }

func (c *call) resetPage(alert, reason string) Answer {
	return c.show(page{
		Title: "Choose a new password", Alert: alert,
		Links: []link{{"Send a new code", c.link(forgotPath)}, {"Sign in", c.link(loginPath)}},
		Forms: []form{{
			Action: c.link(resetPath), Submit: "Save the password",
			Fields: []field{
				c.usernameField(cmp.Or(c.form.Get("username"), c.pending().username)), codeField, c.newPasswordField(),
			},
		}},
	}, reason)
}

func (s *Server) reset(c *call) Answer {
	username, code, password := c.form.Get("username"), c.form.Get("code"), c.form.Get("password")
	if username == "" || code == "" || password == "" {
		return c.resetPage("Fill in all three, please.", "username, code or password is missing")
	}
	if err := c.pool.directory.ConfirmForgotPassword(c.r.Context(), c.client, username, code, password, nil); err != nil {
		text, reason := codeProblem(err)
		return c.resetPage(text, reason)
	}
	return c.leave(pending{username: username, notice: "Your password is changed. Sign in with it."}, loginPath)
}
