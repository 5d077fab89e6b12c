package gateway

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
)

// BenchmarkRoute finds the last of 1,000 routes: a fixed and a variable part.
func BenchmarkRoute(b *testing.B) {
	root := &node{}
	for i := range 500 {
		for _, path := range []string{fmt.Sprintf("/v1/thing%d", i), fmt.Sprintf("/v1/thing%d/{id}", i)} {
			if err := root.add(&route{Route: assembly.Route{Method: "GET", Path: path}}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if r, _ := root.find("GET", "/v1/thing499/42"); r == nil {
			b.Fatal("not found")
		}
	}
}

// BenchmarkProxyRequest takes a request with a token through the whole gateway
// to a function that answers at once.
func BenchmarkProxyRequest(b *testing.B) {
	c := testConfig(proxy("GET", "/v1/notes/{id}", cognito("notes/read")))
	c.Functions = &fakeFunctions{}
	c.Log = slog.New(slog.DiscardHandler)
	g, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/notes/42?q=1", nil)
	r.Header.Set("Authorization", "Bearer access-read")
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		if g.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
