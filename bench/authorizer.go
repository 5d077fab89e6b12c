package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// measureAuthorizer compares the Lambda authorizer's work for one event, from its
// bytes to the policy's, with one raw RSA-2048 verification, and refusals with
// acceptances.
func measureAuthorizer(ctx context.Context) ([]measurement, error) {
	out, err := benchmark(ctx, "./lambdas/authorizer", ".")
	if err != nil {
		return nil, err
	}
	var problem error
	number := func(benchmark, unit string) float64 {
		pattern := regexp.MustCompile(`(?m)^Benchmark` + benchmark + `(?:-\d+)?\s.*?\s([0-9.e+-]+) ` + regexp.QuoteMeta(unit) + `(?:\s|$)`)
		value, err := median(pattern, out)
		if err != nil && problem == nil {
			problem = err
		}
		return value
	}
	dearest := func(benchmark, of string) measurement {
		form := ""
		if named := regexp.MustCompile(`--- BENCH: Benchmark` + benchmark + `(?:-\d+)?\n.*the dearest refusal is (.*)`).FindSubmatch(out); named != nil {
			form = " (" + string(named[1]) + ")"
		}
		return atMost("the dearest refusal of "+of+form+", against an acceptance", number(benchmark, "x/acceptance"), "×", 1)
	}
	lines := []measurement{
		atMost("authorize an event with a new token, against one raw RSA-2048 verification", number("NewToken", "x/raw-rsa"), "×", 1.3),
		atMost("the same, allocations beyond the verification's own", number("NewTokenAllocations", "allocs/op")-number("RawAllocations", "allocs/op"), "allocations", 20),
		atMost("authorize an event with a token seen before", number("SeenToken", "x/raw-rsa"), "×", 0.1),
		atMost("authorize an event with a key that is remembered", number("Key/bearer", "ns/op")/1000, "µs", 5),
		atMost("the same as HTTP Basic", number("Key/basic", "ns/op")/1000, "µs", 5),
		exactly("a key that is not remembered, requests to the table", number("UncachedKey", "requests/op"), "requests", 1),
		exactly("the same, of them GetItem", number("UncachedKey", "GetItem/op"), "requests", 1),
		info("the same, time with a table on this machine", number("UncachedKey", "ns/op")/1000, "µs"),
		exactly("a key of a wrong form or of another stage, requests to anything", number("MalformedKey", "requests"), "requests", 0),
		dearest("Refusals", "a token"),
		dearest("KeyRefusals", "a key"),
	}
	if problem != nil {
		return nil, problem
	}
	return append(lines, measureJWTVerify(ctx)...), nil
}

// jwtVerify is the folder of the npm package that AWS offers for the same work.
const jwtVerify = "test/clients/node_modules/aws-jwt-verify"

// measureJWTVerify times aws-jwt-verify on one token in its own process, as a
// multiple of a raw verification there. It measures nothing where Node or the
// package is missing.
func measureJWTVerify(ctx context.Context) []measurement {
	if _, err := os.Stat(jwtVerify); err != nil {
		fmt.Fprintln(os.Stderr, "aws-jwt-verify is not installed; make clients installs it")
		return nil
	}
	script, err := filepath.Abs("bench/jwtverify.mjs")
	if err != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir, cmd.Stderr = "test/clients", os.Stderr
	out, err := cmd.Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "aws-jwt-verify was not measured:", err)
		return nil
	}
	fields := strings.Fields(string(out))
	if len(fields) != 2 {
		return nil
	}
	ratio, ratioErr := strconv.ParseFloat(fields[0], 64)
	micros, microsErr := strconv.ParseFloat(fields[1], 64)
	if ratioErr != nil || microsErr != nil {
		return nil
	}
	return []measurement{
		info("aws-jwt-verify on Node, a token against one raw RSA-2048 verification there", ratio, "×"),
		info("the same, for a token", micros, "µs"),
	}
}
