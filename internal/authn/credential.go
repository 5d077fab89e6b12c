package authn

import (
	"bytes"
	"encoding/base64"
)

// Schemes of HTTP authentication, and what stands behind one.
var (
	bearer      = []byte("Bearer")
	basicScheme = []byte("Basic")
	space       = []byte(" ")
)

// credential is the one that a request brings: a token, or a key.
type credential struct {
	token []byte
	key   []byte
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
		if len(r.Authorization) == 1 && (len(sent.key) == 0 || !bytes.Equal(sent.key, keys[0])) {
			return credential{}, ReasonCredential
		}
		sent.key = keys[0]
	}
	return sent, ""
}

// authorization reads an Authorization header: a bearer token or key (RFC 6750
// section 2.1), or Basic where keys are taken.
func (a *Authorizer) authorization(header []byte) (credential, bool) {
	scheme, text, ok := bytes.Cut(header, space)
	switch {
	case ok && bytes.EqualFold(scheme, bearer):
		if a.isKey(text) {
			return credential{key: text}, true
		}
		return credential{token: text}, true
	case ok && a.customers != nil && bytes.EqualFold(scheme, basicScheme):
		key, ok := basic(text)
		return credential{key: key}, ok
	default:
		return credential{}, false
	}
}

// isKey tells a key from a token, which holds dots and no underscore so early.
func (a *Authorizer) isKey(text []byte) bool {
	n := len(a.keys.Prefix)
	return a.customers != nil && len(text) > n && string(text[:n]) == a.keys.Prefix && text[n] == '_'
}

// maxBasicBytes bounds the credentials of a Basic header before they are decoded.
const maxBasicBytes = 2 * maxKeyLength

// basic returns the key that HTTP Basic holds (RFC 7617 section 2): its user and
// its password are the key, cut at the last underscore. The first colon ends the
// user; a key holds none.
func basic(encoded []byte) (key []byte, ok bool) {
	if len(encoded) > maxBasicBytes || bytes.ContainsAny(encoded, "\r\n") { // which decoding would skip
		return nil, false
	}
	decoded, err := base64.StdEncoding.Strict().AppendDecode(nil, encoded)
	colon := bytes.IndexByte(decoded, ':')
	if err != nil || colon < 1 || colon == len(decoded)-1 || bytes.IndexByte(decoded[colon:], '_') >= 0 {
		return nil, false
	}
	decoded[colon] = '_'
	return decoded, true
}
