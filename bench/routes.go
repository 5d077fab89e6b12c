package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// size is what declaring an API of so many routes took, in one way of doing it.
type size struct {
	way     string // "gatewright", "cdk", or "compact": ours with @aws-cdk/core:suppressTemplateIndentation
	routes  int
	metrics map[string]float64
}

var routesLine = regexp.MustCompile(`(?m)^BenchmarkRoutes/(\w+)/(\d+)(?:-\d+)?\s+\d+\s+(.*)$`)

// measureRoutes declares and synthesizes APIs of several sizes beside the CDK's
// own tree of methods. The benchmark is a test, so that this program loads no
// jsii.
func measureRoutes(ctx context.Context) ([]measurement, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "./test", "-run", "^$", "-bench", "^BenchmarkRoutes$", "-benchtime", "1x", "-count", "3", "-timeout", "20m")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the benchmark of routes: %w\n%s", err, out)
	}
	var lines []measurement
	for _, s := range readSizes(string(out)) {
		lines = append(lines, s.measurements()...)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("no measurement in:\n%s", out)
	}
	return lines, nil
}

// readSizes takes the middle one of each metric's values.
func readSizes(out string) []size {
	var sizes []size
	values := map[string]map[string][]float64{} // by size and metric
	for _, match := range routesLine.FindAllStringSubmatch(out, -1) {
		routes, err := strconv.Atoi(match[2])
		if err != nil {
			continue
		}
		name := match[1] + "/" + match[2]
		if values[name] == nil {
			values[name] = map[string][]float64{}
			sizes = append(sizes, size{way: match[1], routes: routes, metrics: map[string]float64{}})
		}
		fields := strings.Fields(match[3])
		for i := 0; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				values[name][fields[i+1]] = append(values[name][fields[i+1]], value)
			}
		}
	}
	for _, s := range sizes {
		for metric, all := range values[s.way+"/"+strconv.Itoa(s.routes)] {
			s.metrics[metric] = center(all)
		}
	}
	return sizes
}

// title names a number of routes.
func (s size) title() string {
	if s.routes == 1 {
		return "1 route"
	}
	return fmt.Sprintf("%d routes", s.routes)
}

func (s size) measurements() []measurement {
	switch s.way {
	case "cdk":
		return s.tree()
	case "compact":
		// As cdk.json asks for it; the goal is CloudFormation's own limit.
		return []measurement{atMost(s.title()+", template", s.metrics["bytes"]/1e6, "MB", 1)}
	}
	at := s.title() + ", "
	define := s.metrics["define-ms"]
	lines := []measurement{info(at+"define", define, "ms")}
	if s.routes >= 100 { // below, what an API costs once counts for more
		lines = append(lines, atMost(at+"define, each", define/float64(s.routes), "ms", 0.5))
	}
	lines = append(lines,
		info(at+"synthesize", s.metrics["synth-ms"], "ms"),
		atMost(at+"API resources", s.metrics["resources"], "", 12))
	return append(lines, info(at+"template as the CDK indents it", s.metrics["bytes"]/1e6, "MB"))
}

// tree is the CDK's RestApi, which is measured for comparison.
func (s size) tree() []measurement {
	at := s.title() + " as the CDK's RestApi, "
	lines := []measurement{info(at+"define", s.metrics["define-ms"], "ms")}
	if s.metrics["refused"] > 0 {
		return append(lines, measurement{
			what:     at + "synthesize",
			measured: fmt.Sprintf("refused: %.0f resources, CloudFormation takes 500", s.metrics["resources"]),
		})
	}
	return append(lines,
		info(at+"synthesize", s.metrics["synth-ms"], "ms"),
		info(at+"API resources", s.metrics["resources"], ""),
		info(at+"template", s.metrics["bytes"]/1e6, "MB"))
}
