// Command bench measures what the project's goals speak of and prints each
// number beside its goal. A goal that is missed is reported, not failed: the
// numbers of a shared machine are no test. Everything it calls is on this
// machine, and it stops by itself.
//
//	go run ./bench                    (or: make bench)
//	go run ./bench -only soak -soak 20000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	soak := flag.Int("soak", 200_000, "requests of the soak")
	only := flag.String("only", "", "measure these alone: verifier, authorizer, start, routes, up, commands, gateway, soak; separated by commas")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *only, *soak)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string, soak int) error {
	measures := []struct {
		name    string
		measure func(context.Context) ([]measurement, error)
	}{
		{"verifier", measureVerifier},
		{"authorizer", measureAuthorizer},
		{"start", measureFunctionStart},
		{"routes", measureRoutes},
		{"up", measureUp},
		{"commands", measureCommands},
		{"gateway", measureGateway},
		{"soak", func(ctx context.Context) ([]measurement, error) { return measureSoak(ctx, soak) }},
	}
	chosen := strings.FieldsFunc(only, func(r rune) bool { return r == ',' })
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tmeasured\tgoal\t")
	for _, m := range measures {
		if at := slices.Index(chosen, m.name); len(chosen) > 0 && at < 0 {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s …\n", m.name)
		lines, err := m.measure(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		for _, line := range lines {
			fmt.Fprintln(table, line)
		}
	}
	return table.Flush()
}

// measurement is one line of the report.
type measurement struct {
	what     string
	measured string
	goal     string // empty for none
	met      bool
}

func atMost(what string, value float64, unit string, goal float64) measurement {
	return measurement{what, show(value, unit), "≤ " + show(goal, unit), value <= goal}
}

func atLeast(what string, value float64, unit string, goal float64) measurement {
	return measurement{what, show(value, unit), "≥ " + show(goal, unit), value >= goal}
}

func exactly(what string, value float64, unit string, goal float64) measurement {
	return measurement{what, show(value, unit), show(goal, unit), value == goal}
}

func info(what string, value float64, unit string) measurement {
	return measurement{what: what, measured: show(value, unit)}
}

func (m measurement) String() string {
	verdict := ""
	if m.goal != "" {
		if verdict = "met"; !m.met {
			verdict = "missed"
		}
	}
	return strings.Join([]string{m.what, m.measured, m.goal, verdict}, "\t")
}

// show writes a number with three digits, or a larger one in whole.
func show(value float64, unit string) string {
	text := strconv.FormatFloat(value, 'g', 3, 64)
	if value >= 1000 {
		text = strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strings.TrimSpace(text + " " + unit)
}

func median(pattern *regexp.Regexp, out []byte) (float64, error) {
	var values []float64
	for _, match := range pattern.FindAllSubmatch(out, -1) {
		value, err := strconv.ParseFloat(string(match[1]), 64)
		if err != nil {
			return 0, err
		}
		values = append(values, value)
	}
	return middle(values, pattern.String()+" in:\n"+string(out))
}

func middle(values []float64, what string) (float64, error) {
	if len(values) == 0 {
		return 0, errors.New("no measurement of " + what)
	}
	slices.Sort(values)
	return values[len(values)/2], nil
}
