package apispec_test

import (
	"testing"

	"github.com/gatewright/gatewright/internal/apispec"
)

func TestCheckOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct{ origin, want string }{
		{"https://shop.example.com", ""},
		{"https://shop.example.com:8443", ""},
		{"https://xn--bcher-kva.example", ""},
		{"https://192.0.2.1", ""},
		{"http://localhost:4013", ""},
		{"http://app.localhost:4013", ""},
		{"http://127.0.0.1:4013", ""},
		{"http://[::1]:4013", ""},

		{"", `"" is no web origin; write scheme and host, such as https://shop.example.com`},
		{"null", `"null" is no web origin; write scheme and host, such as https://shop.example.com`},
		{"shop.example.com", `"shop.example.com" is no web origin; write scheme and host, such as https://shop.example.com`},
		{"ftp://shop.example.com", `"ftp://shop.example.com" is no web origin; write scheme and host, such as https://shop.example.com`},
		{"https://", `"https://" is no web origin; write scheme and host, such as https://shop.example.com`},
		{"https://a\tb", `"https://a\tb" is no web origin; write scheme and host, such as https://shop.example.com`},
		{"*", `"*" has a wildcard, which would open the API to other people's pages; write each origin out, such as https://shop.example.com`},
		{"https://*.example.com", `"https://*.example.com" has a wildcard, which would open the API to other people's pages; write each origin out, such as https://shop.example.com`},
		{"https://ann:hunter2@shop.example.com", `holds a user name or password; write scheme, host and port only, such as https://shop.example.com`},
		{"http://shop.example.com", `"http://shop.example.com" is not encrypted, which is for this machine only; write https://shop.example.com`},
		{"http://localhost.example.com", `"http://localhost.example.com" is not encrypted, which is for this machine only; write https://localhost.example.com`},
		{"http://0.0.0.0:4013", `"http://0.0.0.0:4013" is not encrypted, which is for this machine only; write https://0.0.0.0`},
		{"https://shop.example.com/", `"https://shop.example.com/" is never sent by a browser; write https://shop.example.com`},
		{"https://shop.example.com/app?x#y", `"https://shop.example.com/app?x#y" is never sent by a browser; write https://shop.example.com`},
		{"HTTPS://Shop.Example.com", `"HTTPS://Shop.Example.com" is never sent by a browser; write https://shop.example.com`},
		{"https://shop.example.com:443", `"https://shop.example.com:443" is never sent by a browser; write https://shop.example.com`},
		{"http://localhost:80", `"http://localhost:80" is never sent by a browser; write http://localhost`},
		{"http://localhost:", `"http://localhost:" is never sent by a browser; write http://localhost`},
		{"http://localhost:04013", `"http://localhost:04013" is never sent by a browser; write http://localhost:4013`},
		{"http://[0:0::1]:4013", `"http://[0:0::1]:4013" is never sent by a browser; write http://[::1]:4013`},
		{"http://localhost:0", `"http://localhost:0" has no valid port; write 1 to 65535 or leave it out`},
		{"http://localhost:70000", `"http://localhost:70000" has no valid port; write 1 to 65535 or leave it out`},
		{"https://bücher.example", `"https://bücher.example" has no valid host; write it as the browser's address bar shows it, in ASCII`},
		{"https://shop.example.com.", `"https://shop.example.com." has no valid host; write it as the browser's address bar shows it, in ASCII`},
		{"https://a,b", `"https://a,b" has no valid host; write it as the browser's address bar shows it, in ASCII`},
		{"http://[fe80::1%25eth0]:80", `"http://[fe80::1%25eth0]:80" has no valid host; write it as the browser's address bar shows it, in ASCII`},
	}
	for _, tt := range tests {
		t.Run(tt.origin, func(t *testing.T) {
			t.Parallel()
			var got string
			if err := apispec.CheckOrigin(tt.origin); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
