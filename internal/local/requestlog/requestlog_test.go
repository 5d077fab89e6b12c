package requestlog

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// A credential that was pasted into a path shows in no log; an id does.
func TestWriteHidesCredentials(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln_-"
	secret := strings.Repeat("aB3", 16) + "z"
	for path, want := range map[string]string{
		"/v1/notes/06gvoi409i2jo0kjramj857nds":                        "/v1/notes/06gvoi409i2jo0kjramj857nds",
		"/v1/notes/gw_dev_Q7pk2mXtWc0aR9zL4e_" + secret:               "/v1/notes/gw_dev_Q7pk2mXtWc0aR9zL4e_(credential)",
		"/v1/" + secret + "/x":                                        "/v1/(credential)/x",
		"/v1/notes/" + token + "/x":                                   "/v1/notes/(credential)/x",
		"/v1/notes/" + token[:strings.LastIndex(token, ".")]:          "/v1/notes/(credential)",
		"/eu-west-1_3cuOiEEPZ/.well-known/jwks.json":                  "/eu-west-1_3cuOiEEPZ/.well-known/jwks.json",
		"/v1/keys/b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f0000/eyJ/and.more.": "/v1/keys/b8f0b2b1-6c59-4f2f-b7a1-3d5c7e9f0000/eyJ/and.more.",
	} {
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, nil))
		Write(log, httptest.NewRequest("GET", path, nil), Line{})
		Write(log, httptest.NewRequest("GET", "/", nil), Line{Path: path})
		for line := range strings.Lines(out.String()) {
			var got struct{ Path string }
			if err := json.Unmarshal([]byte(line), &got); err != nil || got.Path != want {
				t.Errorf("%s; want %s", line, want)
			}
		}
	}
}
