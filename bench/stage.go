package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/gatewright/gatewright/internal/local"
)

// protectedPath is a route that wants a token and does little else.
const protectedPath = "/v1/whoami"

// served is the dev stage, served within this process so that its memory and
// its goroutines can be counted.
type served struct {
	local.Ready
	assembly string
	state    string
	cancel   context.CancelFunc
	ended    chan error
}

// serve starts the stage from the assembly that `make up` left, with its
// throttles lifted, and waits until it is ready.
func serve(ctx context.Context) (*served, error) {
	ctx, cancel := context.WithCancel(ctx)
	dir, err := os.MkdirTemp("", "gatewright-bench-")
	if err != nil {
		cancel()
		return nil, err
	}
	s := &served{assembly: filepath.Join(dir, "cdk.out"), state: dir, cancel: cancel, ended: make(chan error, 1)}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *served) start(ctx context.Context) error {
	if err := os.CopyFS(s.assembly, os.DirFS(assembly)); err != nil {
		s.ended <- nil
		return fmt.Errorf("%w; run: make bench", err)
	}
	if err := unthrottle(s.assembly); err != nil {
		s.ended <- nil
		return err
	}
	log, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		s.ended <- nil
		return err
	}
	ready := filepath.Join(s.state, "ready.json")
	go func() {
		defer log.Close() //nolint:errcheck // nothing is kept
		s.ended <- local.Run(ctx, local.Config{
			Assembly: s.assembly, AppDir: ".", StateDir: s.state, Stage: "dev",
			Listen: "127.0.0.1:0", ReadyFile: ready, Stdout: io.Discard, Stderr: log,
		})
	}()
	for {
		select {
		case err := <-s.ended:
			s.ended <- nil
			return fmt.Errorf("the stage ended before it was ready: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
		data, err := os.ReadFile(ready)
		if err == nil {
			return json.Unmarshal(data, &s.Ready)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
}

func (s *served) stop() error {
	s.cancel()
	err := <-s.ended
	return errors.Join(err, os.RemoveAll(s.state))
}

var throttle = regexp.MustCompile(`("Throttling(?:Rate|Burst)Limit"):\s*[0-9.]+`)

// unthrottle lifts the limits that a stage's template sets, which a benchmark
// would otherwise measure.
func unthrottle(assembly string) error {
	root, err := os.OpenRoot(assembly)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // every file in it is closed
	return fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".template.json") {
			return err
		}
		data, err := root.ReadFile(path)
		if err != nil {
			return err
		}
		return root.WriteFile(path, throttle.ReplaceAll(data, []byte("$1: 1000000")), 0o600)
	})
}

// token is what the stage's first client with a secret gets.
func (s *served) token(ctx context.Context) (string, error) {
	for _, pool := range s.UserPools {
		for _, client := range pool.Clients {
			if client.Secret == "" {
				continue
			}
			config := clientcredentials.Config{ClientID: client.ID, ClientSecret: client.Secret, TokenURL: s.Auth + "/oauth2/token"}
			token, err := config.Token(ctx)
			if err != nil {
				return "", err
			}
			return token.AccessToken, nil
		}
	}
	return "", errors.New("the stage has no machine client")
}

// caller calls the stage's protected route.
func (s *served) caller(ctx context.Context) (*caller, error) {
	token, err := s.token(ctx)
	if err != nil {
		return nil, err
	}
	return newCaller(s.API+protectedPath, token)
}
