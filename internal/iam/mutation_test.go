package iam

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestVerifyMutations changes one thing of a request that is signed well.
func TestVerifyMutations(t *testing.T) {
	t.Parallel()
	replace := func(old, repl string) func(*http.Request, *[]byte) {
		return func(r *http.Request, _ *[]byte) {
			before := r.RequestURI + strings.Join(r.Header["Authorization"], "")
			r.RequestURI = strings.Replace(r.RequestURI, old, repl, 1)
			for i, value := range r.Header["Authorization"] {
				r.Header["Authorization"][i] = strings.Replace(value, old, repl, 1)
			}
			if before == r.RequestURI+strings.Join(r.Header["Authorization"], "") {
				panic("nothing to replace: " + old)
			}
		}
	}
	header := func(name string, values ...string) func(*http.Request, *[]byte) {
		return func(r *http.Request, _ *[]byte) {
			r.Header[http.CanonicalHeaderKey(name)] = values
			if values == nil {
				r.Header.Del(name)
			}
		}
	}
	tests := map[string]struct {
		change func(*http.Request, *[]byte)
		want   Code
	}{
		"method":             {func(r *http.Request, _ *[]byte) { r.Method = "PUT" }, SignatureDoesNotMatch},
		"method's case":      {func(r *http.Request, _ *[]byte) { r.Method = "post" }, SignatureDoesNotMatch},
		"host":               {func(r *http.Request, _ *[]byte) { r.Host = "api.example.com" }, SignatureDoesNotMatch},
		"path":               {replace("/v1/notes", "/v1/votes"), SignatureDoesNotMatch},
		"dot segment":        {replace("/v1/notes", "/v1/./notes"), SignatureDoesNotMatch},
		"double slash":       {replace("/v1/notes", "/v1//notes"), SignatureDoesNotMatch},
		"encoded slash":      {replace("a%2Fb", "a/b"), SignatureDoesNotMatch},
		"encoding's case":    {replace("a%2Fb", "a%2fb"), SignatureDoesNotMatch},
		"needless encoding":  {replace("/v1/notes", "/v1/%6eotes"), SignatureDoesNotMatch},
		"query value":        {replace("limit=10", "limit=11"), SignatureDoesNotMatch},
		"query name":         {replace("limit=10", "Limit=10"), SignatureDoesNotMatch},
		"query plus":         {replace("tag=a%2Bb", "tag=a+b"), SignatureDoesNotMatch},
		"more query":         {replace("limit=10", "limit=10&x=1"), SignatureDoesNotMatch},
		"query with ;":       {replace("limit=10", "limit=10;x=1"), SignatureDoesNotMatch},
		"less query":         {replace("limit=10&", ""), SignatureDoesNotMatch},
		"broken pair added":  {replace("limit=10", "limit=10&%zz"), SignatureDoesNotMatch},
		"broken query":       {replace("limit=10", "limit=%zz"), SignatureDoesNotMatch},
		"empty pair":         {replace("limit=10&", "limit=10&&"), SignatureDoesNotMatch},
		"body":               {func(_ *http.Request, b *[]byte) { (*b)[3] ^= 1 }, SignatureDoesNotMatch},
		"more body":          {func(_ *http.Request, b *[]byte) { *b = append(*b, ' ') }, SignatureDoesNotMatch},
		"signed header":      {header("Content-Type", "text/plain"), SignatureDoesNotMatch},
		"header twice":       {header("Content-Type", "application/json", "application/json"), SignatureDoesNotMatch},
		"header gone":        {header("Content-Type"), SignatureDoesNotMatch},
		"x-amz header added": {header("X-Amz-Extra", "1"), SignatureDoesNotMatch},
		"signature":          {replace("Signature=", "Signature=0"), IncompleteSignature},
		"upper case":         {func(r *http.Request, _ *[]byte) { mapSignature(r, strings.ToUpper) }, IncompleteSignature},
		"other signature":    {func(r *http.Request, _ *[]byte) { mapSignature(r, flipFirst) }, SignatureDoesNotMatch},
		"empty signature":    {func(r *http.Request, _ *[]byte) { mapSignature(r, func(string) string { return "" }) }, IncompleteSignature},
		"scope's day":        {replace("20260301/", "20260302/"), SignatureDoesNotMatch},
		"scope's region":     {replace("eu-west-1", "eu-west-2"), SignatureDoesNotMatch},
		"scope's service":    {replace("execute-api", "sts"), SignatureDoesNotMatch},
		"scope's end":        {replace("aws4_request", "aws5_request"), IncompleteSignature},
		"algorithm":          {replace("HMAC-SHA256", "HMAC-SHA512"), IncompleteSignature},
		"host not signed":    {replace("host", "hosts"), SignatureDoesNotMatch},
	}
	v := newVerifier(t, region, now, longTerm)
	for form, presign := range map[string]bool{"header": false, "presigned": true} {
		for name, test := range tests {
			t.Run(form+"/"+name, func(t *testing.T) {
				t.Parallel()
				q := basic()
				q.presign = presign
				if presign {
					// The SDK turns the other X-Amz-* headers into query parameters.
					q.header = http.Header{"Content-Type": {"application/json"}}
				}
				r, body := q.signed(t)
				replaceSlashes(r, presign, name)
				test.change(r, &body)
				if _, err := v.Verify(r, body); CodeOf(err) != test.want {
					t.Errorf("%v, want %s", err, test.want)
				}
			})
		}
	}
}

// replaceSlashes spells the scope of a presigned request with plain slashes,
// which mean the same there, so that one table serves both forms.
func replaceSlashes(r *http.Request, presigned bool, name string) {
	if presigned && strings.HasPrefix(name, "scope's") {
		r.RequestURI = strings.Replace(r.RequestURI, "%2F20260301%2F", "/20260301/", 1)
	}
}

func mapSignature(r *http.Request, change func(string) string) {
	edit := func(s string) string {
		i := strings.LastIndex(s, "Signature=") + len("Signature=")
		return s[:i] + change(s[i:])
	}
	if values := r.Header["Authorization"]; values != nil {
		values[0] = edit(values[0])
		return
	}
	r.RequestURI = edit(r.RequestURI)
}

func flipFirst(signature string) string {
	if signature[0] == '0' {
		return "1" + signature[1:]
	}
	return "0" + signature[1:]
}

// TestVerifyForm covers what only one of the two forms can get wrong.
func TestVerifyForm(t *testing.T) {
	t.Parallel()
	const credential = "Credential=AKIAEXAMPLE/20260301/eu-west-1/execute-api/aws4_request"
	digits := strings.Repeat("0", 64)
	set := func(value ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header["Authorization"] = value }
	}
	tests := map[string]struct {
		change func(*http.Request)
		want   Code
	}{
		"unsigned":            {set(), MissingAuthenticationToken},
		"unsigned, bad query": {func(r *http.Request) { r.Header.Del("Authorization"); r.RequestURI = "/?%zz" }, MissingAuthenticationToken},
		"bearer":              {set("Bearer planted"), IncompleteSignature},
		"empty":               {set(""), IncompleteSignature},
		"lower-case scheme":   {set("aws4-hmac-sha256 " + credential + ", SignedHeaders=host, Signature=" + digits), IncompleteSignature},
		"scheme only":         {set(algorithm), IncompleteSignature},
		"two headers":         {func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, IncompleteSignature},
		"both forms":          {func(r *http.Request) { r.RequestURI += "&X-Amz-Signature=" + digits }, IncompleteSignature},
		"no signed headers":   {set(algorithm + " " + credential + ", Signature=" + digits), IncompleteSignature},
		"credential twice":    {func(r *http.Request) { r.Header["Authorization"][0] += ", " + credential }, IncompleteSignature},
		"one field more":      {func(r *http.Request) { r.Header["Authorization"][0] += ", X=1" }, IncompleteSignature},
		"no equal-sign":       {func(r *http.Request) { r.Header["Authorization"][0] += ", X" }, IncompleteSignature},
		"headers unsorted":    {set(algorithm + " " + credential + ", SignedHeaders=x-amz-date;host, Signature=" + digits), IncompleteSignature},
		"header twice":        {set(algorithm + " " + credential + ", SignedHeaders=host;host, Signature=" + digits), IncompleteSignature},
		"upper-case header":   {set(algorithm + " " + credential + ", SignedHeaders=Host, Signature=" + digits), IncompleteSignature},
		"empty header name":   {set(algorithm + " " + credential + ", SignedHeaders=, Signature=" + digits), IncompleteSignature},
		"four scope parts":    {set(algorithm + " Credential=AKIAEXAMPLE/20260301/eu-west-1/aws4_request, SignedHeaders=host, Signature=" + digits), IncompleteSignature},
		"short date":          {set(algorithm + " Credential=A/2026/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=" + digits), IncompleteSignature},
		"long date":           {set(algorithm + " Credential=A/20260301T120000Z00/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=" + digits), IncompleteSignature},
		"no date":             {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, IncompleteSignature},
		"date twice":          {func(r *http.Request) { r.Header.Add("X-Amz-Date", r.Header.Get("X-Amz-Date")) }, IncompleteSignature},
		"fractional date":     {func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260301T120000.5Z") }, IncompleteSignature},
		"token twice":         {func(r *http.Request) { r.Header["X-Amz-Security-Token"] = []string{"a", "a"} }, IncompleteSignature},
	}
	v := newVerifier(t, region, now, longTerm)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, body := basic().signed(t)
			test.change(r)
			_, err := v.Verify(r, body)
			if CodeOf(err) != test.want {
				t.Errorf("%v, want %s", err, test.want)
			}
			if strings.Contains(fmt.Sprint(err), "planted") {
				t.Errorf("the error shows the request: %v", err)
			}
		})
	}
	q := basic()
	q.declare(hashOf(q.body))
	r, body := q.signed(t)
	r.Header.Add("X-Amz-Content-Sha256", hashOf(q.body))
	if _, err := v.Verify(r, body); CodeOf(err) != IncompleteSignature {
		t.Errorf("body hash twice: %v", err)
	}
	q.presign = true
	r, body = q.signed(t)
	r.Header.Set("Authorization", "Bearer planted")
	if _, err := v.Verify(r, body); CodeOf(err) != IncompleteSignature {
		t.Errorf("presigned, with an Authorization header: %v", err)
	}
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Security-Token"} {
		q := basic()
		q.presign, q.as = true, session
		r, body := q.signed(t)
		r.RequestURI += "&" + name + "=1"
		if _, err := newVerifier(t, region, now, session).Verify(r, body); CodeOf(err) != IncompleteSignature {
			t.Errorf("%s twice: %v", name, err)
		}
	}
}

// TestVerifyWellSignedButWrong holds what a signature covers and yet must not
// pass: each request is signed anew after the change, with the right secret.
func TestVerifyWellSignedButWrong(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*http.Request)
		want   Code
	}{
		"nothing changed":    {func(*http.Request) {}, ""},
		"scope of yesterday": {editAuthorization("/20260301/", "/20260228/"), SignatureDoesNotMatch},
		"host not signed":    {editAuthorization("host;", ""), SignatureDoesNotMatch},
		"another body hash":  {func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", hashOf("x")) }, SignatureDoesNotMatch},
		"absent header":      {editAuthorization("x-note", "x-nope"), SignatureDoesNotMatch},
		"both forms":         {func(r *http.Request) { r.RequestURI += "&X-Amz-Credential=1" }, IncompleteSignature},
	}
	v := newVerifier(t, region, now, longTerm)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := basic()
			q.declare(hashOf(q.body))
			q.header.Set("X-Note", "1")
			r, body := q.signed(t)
			parsed, err := readSignature(r)
			if err != nil {
				t.Fatal(err)
			}
			test.change(r)
			_, rawQuery := target(r)
			parsed.query, _ = parseQuery(rawQuery)
			authorization := r.Header.Get("Authorization")
			parsed.date = strings.Split(authorization, "/")[1]
			_, list, _ := strings.Cut(authorization, "SignedHeaders=")
			list, _, _ = strings.Cut(list, ",")
			parsed.signedHeaders = strings.Split(list, ";")
			signature := parsed.sign(parsed.canonicalRequest(r, hashOf(string(body))), longTerm.SecretAccessKey)
			mapSignature(r, func(string) string { return signature })
			if _, err := v.Verify(r, body); CodeOf(err) != test.want || (err == nil) != (test.want == "") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func editAuthorization(old, repl string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header["Authorization"][0] = strings.Replace(r.Header["Authorization"][0], old, repl, 1)
	}
}
