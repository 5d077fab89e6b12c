package gateway

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// notFound is the answer for a path or a method that has no route. API Gateway
// then looks for a signature as if IAM guarded what is not there [rec].
func (c *call) notFound() *failure {
	f := c.unsigned()
	if f.kind == accessDenied {
		// What AWS says of a signed call to an unknown route is not known [?].
		f = &failure{kind: missingToken}
	}
	f.reason = "no route"
	return f
}

// unsigned is the answer for a call that IAM does not admit. Signatures are not
// verified here, so it admits none.
func (c *call) unsigned() *failure {
	sent := c.request.Header.Values("Authorization")
	if len(sent) > 0 && sent[0] != "" {
		if message := c.incomplete(sent[0]); message != "" {
			return &failure{ // customized with all 4XX, by no type of its own [?]
				kind: default4XX, status: 403, message: message,
				errorType: "IncompleteSignatureException", reason: "not a complete signature",
			}
		}
	} else if _, presigned := c.query.last["X-Amz-Signature"]; !presigned {
		return &failure{kind: missingToken, reason: "not signed"}
	}
	return &failure{
		kind: accessDenied, message: c.notAuthorized(anonymous),
		reason: "signed, but signatures are not verified locally: no caller of an AWS_IAM method is admitted",
	}
}

// anonymous is what AWS calls a principal that it does not know [meas]. A
// signature that nobody has verified says nothing about who made it.
const anonymous = "anonymous"

// notAuthorized is what AWS says where IAM admits no call of a principal, with
// all of the account's number hidden but its end [meas].
func (c *call) notAuthorized(principal string) string {
	arn := c.methodARN()
	if account := c.config.Account; len(account) > 4 {
		arn = strings.Replace(arn, ":"+account+":", ":********"+account[len(account)-4:]+":", 1)
	}
	return "User: " + principal + " is not authorized to perform: execute-api:Invoke on resource: " + arn
}

// incomplete says what an Authorization header lacks to be one of Signature
// Version 4, in AWS's words, or nothing. The header itself shows in none of
// them, only its hash [meas].
func (c *call) incomplete(header string) string {
	hash := sha256.Sum256([]byte(header))
	shown := base64.StdEncoding.EncodeToString(hash[:])
	algorithm, rest, _ := strings.Cut(header, " ")
	if strings.Contains(algorithm, "=") {
		return "Authorization header must begin with the algorithm name, which cannot include an equal-sign"
	}
	given := map[string]bool{}
	for part := range strings.SplitSeq(rest, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, _, ok := strings.Cut(part, "=")
		if !ok {
			return fmt.Sprintf("Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '%s'.", shown)
		}
		given[name] = true
	}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if !given[name] {
			missing = append(missing, fmt.Sprintf("Authorization header requires '%s' parameter.", name))
		}
	}
	if c.request.Header.Get("X-Amz-Date") == "" && c.request.Header.Get("Date") == "" {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("%s (Hashed with SHA-256 and encoded with Base64) Authorization=%s", strings.Join(missing, " "), shown)
}
