package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

var client = &http.Client{Timeout: 30 * time.Second}

// session is a user who signed in. A real app keeps the refresh token in the
// device's keychain; this one keeps everything in memory.
type session struct {
	api, auth, clientID, callback string
	scopes                        []string

	tokens *oauth2.Token // nil before the sign-in
	email  string
}

func (s *session) config() *oauth2.Config {
	return &oauth2.Config{
		ClientID: s.clientID, RedirectURL: s.callback, Scopes: s.scopes, // a public client: no secret
		Endpoint: oauth2.Endpoint{AuthURL: s.auth + "/oauth2/authorize", TokenURL: s.auth + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams},
	}
}

// signIn sends the user to the system's browser, never to a page within the app
// (RFC 8252 section 8.12), and waits for the answer at the callback.
func (s *session) signIn(ctx context.Context, lines *bufio.Scanner, stdout io.Writer) error {
	state, nonce, verifier := rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	page := s.config().AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", nonce))
	fmt.Fprintf(stdout, "sign in here:\n\n  %s\n\n", page)
	receive := s.listen
	if !strings.HasPrefix(s.callback, "http://") {
		receive = s.paste
	}
	answer, err := receive(ctx, lines, stdout)
	switch {
	case err != nil:
		return err
	case subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(state)) != 1:
		return errors.New("the answer belongs to another sign-in")
	case answer.Get("error") != "":
		return fmt.Errorf("the sign-in page refuses: %q", answer.Get("error"))
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	tokens, err := s.config().Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return refused(err)
	}
	// It came straight from the token endpoint, which is as good as a signature
	// (OpenID Connect Core 1.0, section 3.1.3.7).
	var claims struct{ Nonce, Email string }
	id, _ := tokens.Extra("id_token").(string)
	if err := readClaims(id, &claims); err != nil {
		return err
	}
	if claims.Nonce != nonce {
		return errors.New("the ID token belongs to another sign-in")
	}
	s.tokens, s.email = tokens, claims.Email
	return nil
}

// listen takes the answer at a loopback port (RFC 8252 section 7.3).
func (s *session) listen(ctx context.Context, _ *bufio.Scanner, _ io.Writer) (url.Values, error) {
	address, err := url.Parse(s.callback)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address.Host)
	if err != nil {
		return nil, err
	}
	answers := make(chan url.Values, 1)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != address.Host || r.URL.Path != address.Path {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintln(w, "Done. Go back to the app.")
		select {
		case answers <- r.URL.Query():
		default: // a second answer is nobody's
		}
	})}
	go func() { _ = server.Serve(listener) }() // ends with the server
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // the page has been answered
	}()
	select {
	case answer := <-answers:
		return answer, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// paste stands for the system handing the app a URL of its own scheme (RFC 8252
// section 7.1).
func (s *session) paste(_ context.Context, lines *bufio.Scanner, stdout io.Writer) (url.Values, error) {
	fmt.Fprintf(stdout, "then paste the address that begins with %s\n> ", s.callback)
	if !lines.Scan() {
		return nil, errors.New("no answer came")
	}
	return query(lines.Text(), s.callback)
}

// refresh replaces the tokens; the refresh token works once.
func (s *session) refresh(ctx context.Context) error {
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client)
	tokens, err := s.config().TokenSource(ctx, &oauth2.Token{RefreshToken: s.tokens.RefreshToken}).Token()
	if err != nil {
		return refused(err)
	}
	s.tokens = tokens
	return nil
}

// signOut revokes the refresh token, and with it what it could still obtain.
func (s *session) signOut(ctx context.Context) error {
	form := url.Values{"token": {s.tokens.RefreshToken}, "client_id": {s.clientID}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.auth+"/oauth2/revoke", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	s.tokens = nil
	if answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the session was not revoked: %s", answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}

// refused is what the token endpoint said, without the rest of its answer.
func refused(err error) error {
	var no *oauth2.RetrieveError
	if errors.As(err, &no) && no.ErrorCode != "" {
		return fmt.Errorf("the token endpoint refuses: %s", no.ErrorCode)
	}
	return err
}

func readClaims(token string, claims any) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("the answer has no ID token; ask for the scope openid")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return errors.New("the ID token is malformed")
	}
	return json.Unmarshal(data, claims)
}
