package authn

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stricter lists the valid RS256 vectors that are refused on purpose.
var stricter = map[string]string{
	"json_web_signature_test.json 345": "the kid holds a dot and an @, which no Cognito key id does",
	"json_web_signature_test.json 349": "the kid holds a dot and an @, which no Cognito key id does",
}

// vectorFile holds what the four Wycheproof files have in common.
type vectorFile struct {
	TestGroups []struct {
		Comment string          `json:"comment"`
		Public  json.RawMessage `json:"public"`  // a JWK or a JWK Set
		KeyJWK  json.RawMessage `json:"keyJwk"`  // of the raw signature vectors
		Private json.RawMessage `json:"private"` // read where there is no public key
		Tests   []struct {
			ID      int             `json:"tcId"`
			Comment string          `json:"comment"`
			JWS     json.RawMessage `json:"jws"` // a string, or an object in JSON serialization
			Message string          `json:"msg"`
			Sig     string          `json:"sig"`
			Result  string          `json:"result"`
		} `json:"tests"`
	} `json:"testGroups"`
}

func readVectors(t *testing.T, name string) vectorFile {
	t.Helper()
	dir := os.Getenv("GATEWRIGHT_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	data, err := os.ReadFile(filepath.Join(dir, "jose", name))
	if os.IsNotExist(err) && os.Getenv("CI") != "true" {
		t.Skip("no Wycheproof vectors; set GATEWRIGHT_VECTORS to the directory that holds jose/" + name)
	}
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// asSet makes a JWK Set of a JWK.
func asSet(keys json.RawMessage) []byte {
	if strings.Contains(string(keys), `"keys"`) {
		return keys
	}
	return fmt.Appendf(nil, `{"keys":[%s]}`, keys)
}

// verifyJWS verifies a token without reading its claims.
func verifyJWS(keys KeySource, token string) error {
	var j jws
	if err := j.parse([]byte(token)); err != nil {
		return err
	}
	_, err := j.verify(context.Background(), keys)
	return err
}

func TestWycheproofJWS(t *testing.T) {
	t.Parallel()
	for name, least := range map[string]struct{ accepted, refusedRS256, all int }{
		"json_web_signature_test.json": {6, 220, 401},
		"json_web_crypto_test.json":    {1, 13, 49},
		"json_web_key_test.json":       {1, 3, 26},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var accepted, refusedRS256, all int
			for _, group := range readVectors(t, name).TestGroups {
				public := group.Public
				if public == nil {
					public = group.Private
				}
				keys, err := ParseJWKS(asSet(public))
				if err != nil {
					t.Fatalf("group %s: %v", group.Comment, err)
				}
				rs256 := strings.Contains(string(public), `"RS256"`)
				for _, test := range group.Tests {
					if test.JWS == nil { // a JWE
						continue
					}
					all++
					token := string(test.JWS)
					if test.JWS[0] == '"' {
						if err := json.Unmarshal(test.JWS, &token); err != nil {
							t.Fatal(err)
						}
					}
					id := fmt.Sprintf("%s %d", name, test.ID)
					want := rs256 && test.Result == "valid" && stricter[id] == ""
					if err := verifyJWS(keys, token); (err == nil) != want {
						t.Errorf("%s %s (%s): got %v", id, test.Comment, test.Result, err)
					}
					switch {
					case want:
						accepted++
					case rs256:
						refusedRS256++
					}
				}
			}
			if accepted < least.accepted || refusedRS256 < least.refusedRS256 || all < least.all {
				t.Errorf("%d accepted, %d refused of RS256, %d in all; want at least %+v", accepted, refusedRS256, all, least)
			}
		})
	}
}

// TestWycheproofRSA gives the raw PKCS #1 v1.5 vectors to the signature check.
func TestWycheproofRSA(t *testing.T) {
	t.Parallel()
	decode := func(text string) []byte {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	results := map[string]int{}
	for _, group := range readVectors(t, "rsa_signature_2048_sha256_test.json").TestGroups {
		keys, err := ParseJWKS(asSet(group.KeyJWK))
		if err != nil || len(keys) != 1 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, test := range group.Tests {
			j := jws{signed: decode(test.Message), kid: "none", signature: decode(test.Sig)}
			// The "acceptable" one lacks the NULL of the digest's parameters.
			if _, err := j.verify(t.Context(), keys); (err == nil) != (test.Result == "valid") {
				t.Errorf("%d %s (%s): got %v", test.ID, test.Comment, test.Result, err)
			}
			results[test.Result]++
		}
	}
	if results["valid"] < 9 || results["invalid"] < 249 {
		t.Errorf("exercised only %v", results)
	}
}

// TestWycheproofKeys names the vectors whose signature is genuine and whose key
// is the trouble, so that no other reason can refuse them unnoticed.
func TestWycheproofKeys(t *testing.T) {
	t.Parallel()
	var seen []int
	for _, group := range readVectors(t, "json_web_key_test.json").TestGroups {
		for _, test := range group.Tests {
			if !slices.Contains([]int{6, 7, 8, 9, 24}, test.ID) {
				continue
			}
			seen = append(seen, test.ID)
			keys, err := ParseJWKS(asSet(group.Public))
			if err != nil || len(keys) != 0 {
				t.Errorf("%d %s: %d usable keys, %v", test.ID, test.Comment, len(keys), err)
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("exercised only %v", seen)
	}
}
