package guard_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/local/guard"
)

var policy = guard.Policy{
	Hosts:   []string{"127.0.0.1:4010", "localhost:4010", "[::1]:4010", "*.execute-api.localhost:4010"},
	Origins: []string{"http://localhost:4013", "https://shop.example.com"},
}

// call sends headers to a guarded handler and returns the status and, for a
// refusal, its reason.
func call(t *testing.T, p guard.Policy, method, host string, headers ...string) string {
	t.Helper()
	r := httptest.NewRequest(method, "http://listener/v1/notes", nil)
	r.Host = host
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	var reason string
	served := false
	w := httptest.NewRecorder()
	guard.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served = true }), p,
		func(_ int, why string, _ *http.Request) { reason = why }).ServeHTTP(w, r)
	if served != (reason == "") {
		t.Fatalf("served: %v, reason %q", served, reason)
	}
	if served {
		return "served"
	}
	body := w.Body.String()
	if strings.Count(body, "\n") != 1 || !strings.HasSuffix(body, ".\n") || strings.Contains(body, "evil") {
		t.Errorf("not one plain line: %q", body)
	}
	if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	return fmt.Sprint(w.Code, " ", reason)
}

const (
	misdirected = "421 foreign host"
	foreign     = "403 foreign origin"
	crossSite   = "403 cross-site request"
)

func TestSurvive(t *testing.T) {
	t.Parallel()
	t.Run("56_web_page_on_the_machine", func(t *testing.T) {
		t.Parallel()
		const own = "127.0.0.1:4010"
		for _, test := range []struct {
			name, method, host string
			headers            []string
			want               string
		}{
			{"curl", "GET", own, nil, "served"},
			{"another own name", "GET", "localhost:4010", nil, "served"},
			{"IPv6", "GET", "[::1]:4010", nil, "served"},
			{"upper case", "GET", "LocalHost:4010", nil, "served"},
			{"open label", "GET", "abc123.execute-api.localhost:4010", nil, "served"},
			{"rebound name", "GET", "evil.example:4010", nil, misdirected},
			{"name of the own address", "GET", "127.0.0.1.evil.example:4010", nil, misdirected},
			{"own name as a prefix", "GET", "localhost:4010.evil.example", nil, misdirected},
			{"another port", "GET", "127.0.0.1:4011", nil, misdirected},
			{"no port", "GET", "127.0.0.1", nil, misdirected},
			{"trailing dot", "GET", "localhost.:4010", nil, misdirected},
			{"empty host", "GET", "", nil, misdirected},
			{"user part", "GET", "evil@127.0.0.1:4010", nil, misdirected},
			{"two labels", "GET", "a.b.execute-api.localhost:4010", nil, misdirected},
			{"empty label", "GET", ".execute-api.localhost:4010", nil, misdirected},
			{"no label", "GET", "execute-api.localhost:4010", nil, misdirected},
			{"the pattern itself", "GET", "*.execute-api.localhost:4010", nil, misdirected},
			{"forwarded host", "GET", "evil.example", []string{"X-Forwarded-Host: " + own, "Forwarded: host=" + own}, misdirected},
			{"forwarded foreign host", "GET", own, []string{"X-Forwarded-Host: evil.example"}, "served"},

			{"own origin", "POST", own, []string{"Origin: http://127.0.0.1:4010"}, "served"},
			{"own origin, other name", "POST", own, []string{"Origin: http://localhost:4010"}, "served"},
			{"own origin, open label", "POST", own, []string{"Origin: http://abc.execute-api.localhost:4010"}, "served"},
			{"allowed origin", "POST", own, []string{"Origin: https://shop.example.com"}, "served"},
			{"allowed origin, cross-site", "GET", own, []string{"Origin: https://shop.example.com", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}, "served"},
			{"foreign origin", "POST", own, []string{"Origin: https://evil.example"}, foreign},
			{"foreign preflight", "OPTIONS", own, []string{"Origin: https://evil.example", "Access-Control-Request-Method: GET"}, foreign},
			{"foreign navigation", "POST", own, []string{"Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}, foreign},
			{"null origin", "GET", own, []string{"Origin: null"}, foreign},
			{"empty origin", "GET", own, []string{"Origin: "}, foreign},
			{"two origins", "GET", own, []string{"Origin: http://127.0.0.1:4010", "Origin: https://evil.example"}, foreign},
			{"origin list", "GET", own, []string{"Origin: http://127.0.0.1:4010 https://evil.example"}, foreign},
			{"own name by https", "GET", own, []string{"Origin: https://127.0.0.1:4010"}, foreign},
			{"own name, other port", "GET", own, []string{"Origin: http://127.0.0.1:5173"}, foreign},
			{"allowed origin with a path", "GET", own, []string{"Origin: https://shop.example.com/"}, foreign},
			{"allowed origin as a suffix", "GET", own, []string{"Origin: https://evil.example?https://shop.example.com"}, foreign},
			{"only a scheme", "GET", own, []string{"Origin: http://"}, foreign},

			{"cross-site image", "GET", own, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, crossSite},
			{"cross-site, mode unknown", "GET", own, []string{"Sec-Fetch-Site: cross-site"}, crossSite},
			{"cross-site, two modes", "GET", own, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: no-cors"}, crossSite},
			{"site unknown", "GET", own, []string{"Sec-Fetch-Site: Cross-Site", "Sec-Fetch-Mode: no-cors"}, crossSite},
			{"two sites", "GET", own, []string{"Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"}, crossSite},
			{"link from elsewhere", "GET", own, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, "served"},
			{"frame elsewhere", "GET", own, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, crossSite},
			{"form elsewhere", "POST", own, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, crossSite},
			{"navigation to nowhere", "GET", own, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}, crossSite},
			{"another port of this machine", "GET", own, []string{"Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: no-cors"}, crossSite},
			{"typed address", "GET", own, []string{"Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"}, "served"},
			{"own page", "GET", own, []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"}, "served"},
		} {
			if got := call(t, policy, test.method, test.host, test.headers...); got != test.want {
				t.Errorf("%s: %s, want %s", test.name, got, test.want)
			}
		}
	})
}

func TestAnyOrigin(t *testing.T) {
	t.Parallel()
	open := guard.Policy{Hosts: []string{"127.0.0.1:4010"}, Origins: []string{"*"}}
	for want, headers := range map[string][]string{
		"served":    {"Origin: https://anywhere.example"},
		foreign:     {"Origin: https://a.example", "Origin: https://b.example"},
		misdirected: nil,
	} {
		host := open.Hosts[0]
		if want == misdirected {
			host = "evil.example"
		}
		if got := call(t, open, "GET", host, headers...); got != want {
			t.Errorf("%v: %s, want %s", headers, got, want)
		}
	}
	for _, header := range []string{"Origin: null", "Sec-Fetch-Site: cross-site"} {
		if got := call(t, open, "GET", open.Hosts[0], header); got != "served" {
			t.Errorf("%s: %s", header, got)
		}
	}
}

func TestImpliedPortAndZeroPolicy(t *testing.T) {
	t.Parallel()
	eighty := guard.Policy{Hosts: []string{"localhost:80"}}
	for host, want := range map[string]string{"localhost": "served", "localhost:80": "served", "localhost:8080": misdirected} {
		if got := call(t, eighty, "GET", host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	if got := call(t, eighty, "GET", "localhost", "Origin: http://localhost"); got != "served" {
		t.Errorf("own origin: %s", got)
	}
	if got := call(t, guard.Policy{}, "GET", "localhost"); got != misdirected {
		t.Errorf("zero policy: %s", got)
	}
	if got := call(t, guard.Policy{Hosts: []string{""}}, "GET", ""); got != misdirected {
		t.Errorf("empty name: %s", got)
	}
}

// TestOnTheWire sends what no client library would to a real server.
func TestOnTheWire(t *testing.T) {
	t.Parallel()
	served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") })
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	own := server.Listener.Addr().String()
	handler = guard.Wrap(served, guard.Policy{Hosts: []string{own}}, nil)

	for name, test := range map[string]struct {
		head string
		want int
	}{
		"own":                      {"GET / HTTP/1.1\r\nHost: " + own, 200},
		"foreign":                  {"GET / HTTP/1.1\r\nHost: evil.example", 421},
		"two hosts":                {"GET / HTTP/1.1\r\nHost: " + own + "\r\nHost: evil.example", 400},
		"no host":                  {"GET / HTTP/1.1", 400},
		"no host, HTTP/1.0":        {"GET / HTTP/1.0", 421},
		"empty host":               {"GET / HTTP/1.1\r\nHost: ", 421},
		"absolute form, own":       {"GET http://" + own + "/ HTTP/1.1\r\nHost: evil.example", 200},
		"absolute form, foreign":   {"GET http://evil.example/ HTTP/1.1\r\nHost: " + own, 421},
		"authority form, foreign":  {"CONNECT evil.example:443 HTTP/1.1\r\nHost: " + own, 421},
		"folded line after a name": {"GET / HTTP/1.1\r\nHost: " + own + "\r\nOrigin: http://" + own + "\r\n .evil.example", 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			connection, err := net.Dial("tcp", own)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = connection.Close() })
			if _, err := io.WriteString(connection, test.head+"\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(connection), nil)
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != test.want {
				t.Errorf("%s, want %d", response.Status, test.want)
			}
			_ = response.Body.Close()
		})
	}
}
