package directory

import "time"

// User is what the pool knows of a user, as it was when it was asked.
type User struct {
	Username   string // the pool's own name for the user; a UUID where people sign in with an attribute
	Subject    string
	Attributes map[string]string // with sub; verified flags are "true" or "false"
	Groups     []string          // by precedence, then by name
	Status     string
	Enabled    bool
	TOTP       bool // an authenticator app is asked for
	Created    time.Time
	Modified   time.Time
}

// Statuses of a [User] ("UserType", Amazon Cognito API reference).
const (
	Unconfirmed         = "UNCONFIRMED"
	Confirmed           = "CONFIRMED"
	ForceChangePassword = "FORCE_CHANGE_PASSWORD" //nolint:gosec // a status, no credential
	ResetRequired       = "RESET_REQUIRED"
)

// SignUpInput is who wants an account.
type SignUpInput struct {
	Username   string
	Password   string
	Attributes map[string]string
	Validation map[string]string // for the trigger before a sign-up
	Metadata   map[string]string // for triggers
}

// SignUpResult is a new account. Delivery is nil where no code was sent.
type SignUpResult struct {
	Username  string
	Subject   string
	Confirmed bool
	Delivery  *Delivery
}

// Challenges of a [Step] ("RespondToAuthChallenge", Amazon Cognito API
// reference).
const (
	NewPasswordRequired = "NEW_PASSWORD_REQUIRED" //nolint:gosec // a challenge, no credential
	SoftwareTokenMFA    = "SOFTWARE_TOKEN_MFA"
	MFASetup            = "MFA_SETUP"
	PasswordVerifier    = "PASSWORD_VERIFIER"
)

// Step is where a sign-in stands: finished, with its user, or at a challenge.
type Step struct {
	Challenge  string            // empty once finished
	Parameters map[string]string // of the challenge
	// Session answers the challenge: opaque, for one answer, for three minutes or
	// as long as the client says. Empty for PASSWORD_VERIFIER, whose
	// SECRET_BLOCK serves.
	Session string

	User   *User  // once finished
	Source string // for [Grant]: how it was finished
	// Metadata is what the client sent for triggers with its last answer.
	Metadata map[string]string
}

// Sources of a [Grant]: what the pre-token trigger is told ("Pre token
// generation Lambda trigger", Amazon Cognito developer guide).
const (
	HostedAuth           = "TokenGeneration_HostedAuth"
	Authentication       = "TokenGeneration_Authentication"
	NewPasswordChallenge = "TokenGeneration_NewPasswordChallenge" //nolint:gosec // a source, no credential
	RefreshTokens        = "TokenGeneration_RefreshTokens"
	machineCredentials   = "TokenGeneration_ClientCredentials"
)

// Grant is what tokens are issued for.
type Grant struct {
	User *User
	// Scopes are those of the sign-in page's request. None for a sign-in with an
	// SDK, whose token may manage the user's own account.
	Scopes   []string
	Nonce    string
	AuthTime time.Time // default: now
	Source   string    // default: Authentication
	Metadata map[string]string
}

// Tokens are an answer of the token endpoint. Those that the grant does not
// give are empty.
type Tokens struct {
	Access    string
	ID        string
	Refresh   string
	ExpiresIn time.Duration // of the access token

	minted time.Time
}
