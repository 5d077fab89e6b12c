package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

var ratio = regexp.MustCompile(`([0-9.]+) x/raw-rsa`)

var allocations = regexp.MustCompile(`(?m)^BenchmarkVerify(?:-\d+)?\s.*\s([0-9]+) allocs/op`)

// measureVerifier compares verifying a token with one raw RSA verification,
// in the same process and on one processor.
func measureVerifier(ctx context.Context) ([]measurement, error) {
	out, err := benchmark(ctx, "./internal/authn", "Verify$|Ratio")
	if err != nil {
		return nil, err
	}
	r, err := median(ratio, out)
	if err != nil {
		return nil, err
	}
	a, err := median(allocations, out)
	if err != nil {
		return nil, err
	}
	return []measurement{
		atMost("verify a token, against one raw RSA-2048 verification", r, "×", 1.15),
		info("verify a token, allocations", a, "allocations"),
	}, nil
}

// benchmark runs a package's benchmarks on one processor.
func benchmark(ctx context.Context, pkg, pattern string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "test", pkg, "-run", "^$", "-bench", pattern, "-benchmem", "-benchtime", "2s", "-count", "3", "-cpu", "1")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the benchmark of %s: %w\n%s", pkg, err, out)
	}
	return out, nil
}
