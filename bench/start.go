package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/gatewright/gatewright/internal/authconfig"
	"github.com/gatewright/gatewright/internal/gobuild"
)

const (
	authorizerPackage = module + "/lambdas/authorizer"
	barePackage       = module + "/bench/bare"
	module            = "github.com/gatewright/gatewright"
	functionStarts    = 41
)

// measureFunctionStart compares the time from the authorizer's start to its first
// request for work with that of a function that does nothing, in turn, and tells
// its slowest package's initialization and its size on AWS.
func measureFunctionStart(ctx context.Context) ([]measurement, error) {
	dir, err := os.MkdirTemp("", "gatewright-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	authorizer, bare, arm := filepath.Join(dir, "authorizer"), filepath.Join(dir, "bare"), filepath.Join(dir, "arm64")
	for out, build := range map[string]struct {
		pkg    string
		target gobuild.Target
	}{authorizer: {authorizerPackage, gobuild.Host()}, bare: {barePackage, gobuild.Host()}, arm: {authorizerPackage, gobuild.Lambda}} {
		if err := gobuild.Build(ctx, ".", gobuild.Source{Module: module, Package: build.pkg}, build.target, out); err != nil {
			return nil, err
		}
	}
	rules, err := authconfig.Rules{Routes: []authconfig.Route{{Method: "GET", Path: "/x", Key: &authconfig.Key{Scopes: []string{"a/b"}}}}}.Encode()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, authconfig.FileName), rules, 0o600); err != nil {
		return nil, err
	}
	var ratios []float64
	for range functionStarts {
		did, err := untilNext(ctx, authorizer)
		if err != nil {
			return nil, err
		}
		does, err := untilNext(ctx, bare)
		if err != nil {
			return nil, err
		}
		ratios = append(ratios, did.Seconds()/does.Seconds())
	}
	ratio, err := middle(ratios, "start")
	if err != nil {
		return nil, err
	}
	slowest, of, err := slowestInit(ctx, authorizer)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(arm)
	if err != nil {
		return nil, err
	}
	return []measurement{
		atMost("the authorizer, from start to its first request for work, against a function that does nothing", ratio, "×", 1.8),
		atMost("its slowest package to initialize, "+of, slowest, "ms", 0.6),
		atMost("its size for arm64", float64(info.Size())/(1<<20), "MB", 8),
	}, nil
}

// untilNext starts a function and waits until it asks for work.
func untilNext(ctx context.Context, function string) (time.Duration, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	asked := make(chan time.Time, 1)
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- time.Now():
		default:
		}
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(listener) }() // ends with the server
	defer func() { _ = server.Close() }()
	cmd, stderr := functionCommand(ctx, function, listener.Addr().String())
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	select {
	case at := <-asked:
		return at.Sub(began), nil
	case <-time.After(10 * time.Second):
		return 0, fmt.Errorf("%s does not start: %s", filepath.Base(function), stderr)
	}
}

func functionCommand(ctx context.Context, function, runtimeAPI string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, function)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	cmd.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + runtimeAPI, "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
		authconfig.EnvUserPools + "=[]", authconfig.EnvCustomers + `={"table":"t","prefix":"gw","tag":"dev"}`,
	}
	return cmd, &stderr
}

var initLine = regexp.MustCompile(`^init (\S+) @\S+ ms, ([0-9.]+) ms clock`)

// slowestInit returns the initialization of a package that takes longest, each at
// its best of several starts: what else the machine does only adds to one.
func slowestInit(ctx context.Context, function string) (milliseconds float64, of string, err error) {
	best := map[string]float64{}
	for range 15 {
		cmd, stderr := functionCommand(ctx, function, "127.0.0.1:1") // where nobody listens
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
		var ended *exec.ExitError
		if err := cmd.Run(); err != nil && !errors.As(err, &ended) {
			return 0, "", err
		}
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			match := initLine.FindStringSubmatch(lines.Text())
			if match == nil {
				continue
			}
			value, err := strconv.ParseFloat(match[2], 64)
			if err != nil {
				return 0, "", err
			}
			if before, known := best[match[1]]; !known || value < before {
				best[match[1]] = value
			}
		}
	}
	for pkg, value := range best {
		if value > milliseconds {
			milliseconds, of = value, pkg
		}
	}
	if of == "" {
		return 0, "", errors.New("the authorizer tells no package's initialization")
	}
	return milliseconds, of, nil
}
