package authn

import (
	"encoding/base64"
	"strings"
)

// credential is the one that a request brings: a token, or a key.
type credential struct {
	token string
	key   string
}

// credential finds the one credential of a request, or says why there is none.
// Two that differ are none: which of them counts is anybody's guess. A scheme's
// name is written in any case (RFC 9110 section 11.1).
func (a *Authorizer) credential(r Request) (credential, Reason) {
	var sent credential
	keys := r.APIKey
	if !a.keyHeader {
		keys = nil
	}
	switch {
	case r.CredentialInQuery || len(r.Authorization) > 1 || len(keys) > 1:
		return sent, ReasonCredential
	case len(r.Authorization) == 0 && len(keys) == 0:
		return sent, ReasonNoCredential
	}
	if len(r.Authorization) == 1 {
		var ok bool
		if sent, ok = a.authorization(r.Authorization[0]); !ok {
			return credential{}, ReasonCredential
		}
	}
	if len(keys) == 1 {
		if len(r.Authorization) == 1 && sent.key != keys[0] {
			return credential{}, ReasonCredential
		}
		sent.key = keys[0]
	}
	return sent, ""
}

// authorization reads an Authorization header: a bearer token or key (RFC 6750
// section 2.1), or Basic where keys are taken.
func (a *Authorizer) authorization(header string) (credential, bool) {
	scheme, text, ok := strings.Cut(header, " ")
	switch {
	case ok && strings.EqualFold(scheme, "Bearer"):
		if a.isKey(text) {
			return credential{key: text}, true
		}
		return credential{token: text}, true
	case ok && a.customers != nil && strings.EqualFold(scheme, "Basic"):
		key, ok := basic(text)
		return credential{key: key}, ok
	default:
		return credential{}, false
	}
}

// isKey tells a key from a token, which holds dots and no underscore so early.
func (a *Authorizer) isKey(text string) bool {
	return a.customers != nil && strings.HasPrefix(text, a.keys.Prefix) && strings.HasPrefix(text[len(a.keys.Prefix):], "_")
}

// maxBasicBytes bounds the credentials of a Basic header before they are decoded.
const maxBasicBytes = 2 * maxKeyLength

// basic returns the key that HTTP Basic holds (RFC 7617 section 2): its user and
// its password are the key, cut at the last underscore. The first colon ends the
// user; a key holds none.
func basic(encoded string) (key string, ok bool) {
	if len(encoded) > maxBasicBytes || strings.ContainsAny(encoded, "\r\n") { // which decoding would skip
		return "", false
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", false
	}
	user, password, ok := strings.Cut(string(decoded), ":")
	if !ok || user == "" || password == "" || strings.Contains(password, "_") {
		return "", false
	}
	return user + "_" + password, true
}
