package apispec

import (
	"strings"
	"testing"
)

func TestCheckDomain(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 53) // with ".example.com" one character too many
	tests := []struct{ name, zone, want string }{
		{"api.example.com", "example.com", ""},
		{"example.com", "example.com", ""},
		{"a.b.xn--bcher-kva.example", "xn--bcher-kva.example", ""},
		{long[1:] + ".example.com", "example.com", ""},
		{long + ".example.com", "example.com", `Name "` + long + `.example.com" has 65 characters; a certificate takes 64`},
		{"api.example.org", "example.com", `Name "api.example.org" is not in the zone "example.com"; write a name such as api.example.com`},
		{"badexample.com", "example.com", `Name "badexample.com" is not in the zone "example.com"; write a name such as api.example.com`},
		{"*.example.com", "example.com", `Name "*.example.com" has a wildcard; write one name out`},
		{"API.example.com", "example.com.", "Name \"API.example.com\" is not in the usual form; write api.example.com\nZone \"example.com.\" is not in the usual form; write example.com"},
		{"https://api.example.com", "example.com", `Name "https://api.example.com" is no domain name; write one such as example.com, without scheme and path`},
		{"api_1.example.com", "example.com", `Name "api_1.example.com" is no domain name; write one such as example.com, without scheme and path`},
		{"192.0.2.1", "example.com", `Name "192.0.2.1" is no domain name; write one such as example.com, without scheme and path`},
		{"", "com", "no Name; write a domain name such as example.com\nZone \"com\" is no domain name; write one such as example.com, without scheme and path"},
	}
	for _, tt := range tests {
		got := ""
		if err := CheckDomain("Name", tt.name, "Zone", tt.zone); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s in %s: got\n%s\nwant\n%s", tt.name, tt.zone, got, tt.want)
		}
	}
}
