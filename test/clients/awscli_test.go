package clients

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/local"
)

// TestAWSCLI makes, finds, signs in, locks out and deletes a user with the AWS
// CLI, as an operator does.
func TestAWSCLI(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		missing(t, "the AWS CLI is not installed")
	}
	p := serve(t)
	c := &awsCLI{t: t, pool: p, id: p.UserPools[0].ID, home: t.TempDir()}
	c.create()
	access := c.signIn()
	c.findsGroups()
	c.ends(access)
	c.describes()
	p.checkLog(t)
}

const (
	cliUser   = "cli@example.com"
	temporary = "Correct-Horse-0"
	permanent = "Correct-Horse-1"
)

// awsCLI is an operator's shell.
type awsCLI struct {
	t        *testing.T
	pool     *pool
	id, home string
}

// object is a JSON document.
type object = map[string]any

// try runs a command of aws cognito-idp.
func (c *awsCLI) try(arguments ...string) (answer object, problem string) {
	c.t.Helper()
	arguments = append([]string{"cognito-idp"}, append(arguments, "--endpoint-url", c.pool.AWS, "--region", c.pool.Region, "--output", "json")...)
	cmd := exec.Command("aws", arguments...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.home, "AWS_MAX_ATTEMPTS=1",
		"AWS_ACCESS_KEY_ID=" + c.pool.AWSCredentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + c.pool.AWSCredentials.SecretAccessKey,
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, stderr.String()
	}
	if len(out) > 0 {
		if err := json.Unmarshal(out, &answer); err != nil {
			c.t.Fatal(err)
		}
	}
	return answer, ""
}

// run runs a command that has to succeed.
func (c *awsCLI) run(arguments ...string) object {
	c.t.Helper()
	answer, problem := c.try(arguments...)
	if problem != "" {
		c.t.Fatalf("%s: %s", arguments[0], problem)
	}
	return answer
}

// refused runs a command that has to fail with an error's name.
func (c *awsCLI) refused(want string, arguments ...string) {
	c.t.Helper()
	if _, problem := c.try(arguments...); !strings.Contains(problem, want) {
		c.t.Errorf("%s: %q, not %s", arguments[0], problem, want)
	}
}

// operator runs a command about the user.
func (c *awsCLI) operator(operation string, arguments ...string) object {
	c.t.Helper()
	return c.run(append([]string{operation, "--user-pool-id", c.id, "--username", cliUser}, arguments...)...)
}

func (c *awsCLI) create() {
	c.t.Helper()
	created := c.operator("admin-create-user", "--temporary-password", temporary, "--message-action", "SUPPRESS",
		"--user-attributes", "Name=email,Value="+cliUser, "Name=email_verified,Value=true")
	if status := part(c.t, created, "User", "UserStatus"); status != "FORCE_CHANGE_PASSWORD" {
		c.t.Errorf("a new user is %v", status)
	}
	c.refused("UsernameExistsException", "admin-create-user", "--user-pool-id", c.id, "--username", cliUser)
	c.refused("ResourceNotFoundException", "admin-get-user", "--user-pool-id", c.pool.Region+"_nobodys", "--username", cliUser)
}

// signIn signs in with the temporary password, and replaces it.
func (c *awsCLI) signIn() (access string) {
	c.t.Helper()
	desktop := c.pool.client(c.t, "desktop")
	hash := secretHash(desktop, cliUser)
	initiate := func(password string) []string {
		return []string{"initiate-auth", "--auth-flow", "USER_PASSWORD_AUTH", "--client-id", desktop.ID,
			"--auth-parameters", "USERNAME=" + cliUser + ",PASSWORD=" + password + ",SECRET_HASH=" + hash}
	}
	c.refused("NotAuthorizedException", initiate("Wrong-Horse-1")...)
	c.refused("InvalidParameterException", "initiate-auth", "--auth-flow", "USER_PASSWORD_AUTH",
		"--client-id", c.pool.client(c.t, "android").ID, "--auth-parameters", "USERNAME="+cliUser+",PASSWORD="+temporary)
	asked := c.run(initiate(temporary)...)
	if asked["ChallengeName"] != "NEW_PASSWORD_REQUIRED" {
		c.t.Fatalf("asked for %v", asked["ChallengeName"])
	}
	parameters := part(c.t, asked, "ChallengeParameters", "USER_ID_FOR_SRP")
	c.run("respond-to-auth-challenge", "--client-id", desktop.ID, "--challenge-name", "NEW_PASSWORD_REQUIRED", "--session", asked["Session"].(string),
		"--challenge-responses", "USERNAME="+parameters.(string)+",NEW_PASSWORD="+permanent+",SECRET_HASH="+secretHash(desktop, parameters.(string)))
	access, _ = part(c.t, c.run(initiate(permanent)...), "AuthenticationResult", "AccessToken").(string)
	if attributes := attributesOf(c.run("get-user", "--access-token", access)["UserAttributes"]); attributes["email"] != cliUser {
		c.t.Errorf("signed in as %v", attributes)
	}
	return access
}

func (c *awsCLI) findsGroups() {
	c.t.Helper()
	listed := c.run("list-users", "--user-pool-id", c.id, "--filter", `email = "`+cliUser+`"`)
	if users, _ := listed["Users"].([]any); len(users) != 1 || attributesOf(users[0].(object)["Attributes"])["email"] != cliUser {
		c.t.Errorf("found %d users", len(users))
	}
	c.run("create-group", "--user-pool-id", c.id, "--group-name", "editors")
	c.operator("admin-add-user-to-group", "--group-name", "editors")
	groups, _ := c.operator("admin-list-groups-for-user")["Groups"].([]any)
	if len(groups) != 1 || groups[0].(object)["GroupName"] != "editors" {
		c.t.Errorf("the user is in %d groups", len(groups))
	}
}

// ends signs the user out, locks the user out, and deletes the user.
func (c *awsCLI) ends(access string) {
	c.t.Helper()
	c.operator("admin-user-global-sign-out")
	c.refused("NotAuthorizedException", "get-user", "--access-token", access)
	c.operator("admin-disable-user")
	if enabled := c.operator("admin-get-user")["Enabled"]; enabled != false {
		c.t.Errorf("a disabled user is %v", enabled)
	}
	desktop := c.pool.client(c.t, "desktop")
	c.refused("NotAuthorizedException", "initiate-auth", "--auth-flow", "USER_PASSWORD_AUTH", "--client-id", desktop.ID,
		"--auth-parameters", "USERNAME="+cliUser+",PASSWORD="+permanent+",SECRET_HASH="+secretHash(desktop, cliUser))
	c.operator("admin-delete-user")
	c.refused("UserNotFoundException", "admin-get-user", "--user-pool-id", c.id, "--username", cliUser)
}

func (c *awsCLI) describes() {
	c.t.Helper()
	desktop := c.pool.client(c.t, "desktop")
	described := c.run("describe-user-pool-client", "--user-pool-id", c.id, "--client-id", desktop.ID)
	if part(c.t, described, "UserPoolClient", "ClientSecret") != desktop.Secret {
		c.t.Error("the client has another secret")
	}
	if name := part(c.t, c.run("describe-user-pool", "--user-pool-id", c.id), "UserPool", "Name"); name != "users" {
		c.t.Errorf("the pool is called %v", name)
	}
	listed := c.run("list-user-pool-clients", "--user-pool-id", c.id)
	if clients, _ := listed["UserPoolClients"].([]any); len(clients) != len(c.pool.UserPools[0].Clients) {
		c.t.Errorf("the pool has %d clients", len(clients))
	}
}

// secretHash proves that a client has its secret ("Computing secret hash
// values", Amazon Cognito developer guide).
func secretHash(c local.Client, username string) string {
	mac := hmac.New(sha256.New, []byte(c.Secret))
	mac.Write([]byte(username + c.ID))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// part is a member of an object's member.
func part(t *testing.T, answer object, of, name string) any {
	t.Helper()
	inner, ok := answer[of].(object)
	if !ok {
		t.Fatalf("the answer has no %s", of)
	}
	return inner[name]
}

// attributesOf turns a list of names and values into a map.
func attributesOf(list any) map[string]any {
	attributes := map[string]any{}
	entries, _ := list.([]any)
	for _, entry := range entries {
		attributes[entry.(object)["Name"].(string)] = entry.(object)["Value"]
	}
	return attributes
}
