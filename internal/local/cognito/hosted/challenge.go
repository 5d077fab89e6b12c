package hosted

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/local/cognito/directory"
)

// challenged returns what the sign-in waits for, if it is one of the given.
func (c *call) challenged(names ...string) (pending, bool) {
	p := c.pending()
	return p, p.session != "" && slices.Contains(names, p.challenge)
}

// startAgain leads to the login page whoever has nothing to answer here.
func (c *call) startAgain() Answer { return redirect(c.r, c.link(loginPath)) }

// again shows a page once more after a wrong answer, or the login page where the
// directory takes no other.
func (c *call) again(left pending, err error, show func(alert, reason string) Answer) Answer {
	text, reason := problem(err)
	if session := sessionOf(err); session != "" {
		left.session = session
		c.remember(left)
		return show(text, reason)
	}
	c.remember(pending{})
	if text == wrongDigits {
		text = startOver
	}
	return c.loginPage(left.username, text, reason)
}

// showNewPassword is the page for a password that somebody else has set.
func (s *Server) showNewPassword(c *call) Answer { return c.newPasswordPage("", "") }

func (c *call) newPasswordPage(alert, reason string) Answer {
	left, ok := c.challenged(directory.NewPasswordRequired)
	if !ok {
		return c.startAgain()
	}
	return c.show(page{
		Title: "Choose a new password", Alert: alert,
		Intro: []string{"Yours was set by somebody else and has to be changed before you go on."},
		Forms: []form{{Action: c.link(newPasswordPath), Submit: "Save and sign in", Fields: c.newPasswordFields(left)}},
	}, reason)
}

func (s *Server) newPassword(c *call) Answer {
	left, ok := c.challenged(directory.NewPasswordRequired)
	if !ok {
		return c.startAgain()
	}
	fields := c.newPasswordFields(left)
	if label := c.missing(fields); label != "" {
		return c.newPasswordPage("Fill in: "+label+".", "a field is missing")
	}
	next, err := c.pool.directory.AnswerNewPassword(c.r.Context(), c.client, left.session, c.form.Get("password"), c.attributes(fields), nil)
	if err != nil {
		return c.again(left, err, c.newPasswordPage)
	}
	return s.proceed(c, left.username, next)
}

// newPasswordFields are a password and what the account still lacks.
func (c *call) newPasswordFields(left pending) []field {
	fields := []field{c.newPasswordField()}
	for _, attribute := range left.lacking {
		fields = append(fields, c.attributeField(attribute))
	}
	return fields
}

// lacking are the attributes that a challenge asks for ("RespondToAuthChallenge",
// Amazon Cognito API reference: requiredAttributes).
func lacking(next *directory.Step) []string {
	var names []string
	if json.Unmarshal([]byte(next.Parameters["requiredAttributes"]), &names) != nil {
		return nil
	}
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, "userAttributes.")
	}
	return names
}

// showTOTP is the page for the code of an authenticator app, which comes with a
// secret where the app has to be set up first.
func (s *Server) showTOTP(c *call) Answer { return c.totpPage("", "") }

func (c *call) totpPage(alert, reason string) Answer {
	left, ok := c.challenged(directory.SoftwareTokenMFA, directory.MFASetup)
	if !ok {
		return c.startAgain()
	}
	p := page{
		Title: "Enter your code", Alert: alert, Links: []link{{"Start again", c.link(loginPath)}},
		Intro: []string{"Enter the six digits that your authenticator app shows now."},
		Forms: []form{{Action: c.link(mfaPath), Submit: "Sign in", Fields: []field{codeField}}},
	}
	if left.challenge == directory.MFASetup {
		if left.secret == "" {
			var err error
			if left.secret, left.session, err = c.pool.directory.AssociateTOTP(left.session); err != nil {
				return c.again(left, err, c.totpPage)
			}
			c.remember(left)
		}
		p.Title, p.Secret = "Set up an authenticator app", left.secret
		p.Intro = []string{"Signing in asks for a second factor. Add this key to an authenticator app, then enter the six digits that it shows:"}
	}
	return c.show(p, reason)
}

func (s *Server) totp(c *call) Answer {
	left, ok := c.challenged(directory.SoftwareTokenMFA, directory.MFASetup)
	if !ok {
		return c.startAgain()
	}
	code := c.form.Get("code")
	if code == "" {
		return c.totpPage("Enter the code, please.", "code is missing")
	}
	next, err := c.answerTOTP(left, code)
	if err != nil {
		return c.again(left, err, c.totpPage)
	}
	return s.proceed(c, left.username, next)
}

// answerTOTP takes a code of the app that the user has, or is setting up.
func (c *call) answerTOTP(left pending, code string) (*directory.Step, error) {
	if left.challenge == directory.SoftwareTokenMFA {
		return c.pool.directory.AnswerTOTP(c.r.Context(), c.client, left.session, code, nil)
	}
	session, err := c.pool.directory.VerifyTOTP(left.session, code)
	if err != nil {
		return nil, err
	}
	return c.pool.directory.AnswerMFASetup(c.r.Context(), c.client, session, nil)
}
