package gateway

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/functions"
)

// A panic in a handler, be it an authorizer's or the backend's, is a refusal, and
// nothing that was sent shows in a log.
func TestSurvivePanic(t *testing.T) {
	t.Parallel()
	t.Run("53_panic_in_a_handler", func(t *testing.T) {
		t.Parallel()
		const module = "github.com/gatewright/gatewright"
		panicking := func(arn string) *assembly.Function {
			return &assembly.Function{
				Name: "panics", ARN: arn, Runtime: "provided.al2023", Handler: "bootstrap", Timeout: authorizerTimeout, ReservedConcurrency: -1,
				Source: &assembly.FunctionSource{Module: module, Package: module + "/internal/local/gateway/testdata/panics"},
			}
		}
		d := &deployed{logs: &lockedBuffer{}}
		var err error
		d.runner, err = functions.New(functions.Config{
			AppDir: "../../..", CacheDir: t.TempDir(), Region: "eu-west-1", Log: slog.New(slog.NewJSONHandler(d.logs, nil)),
			Functions: []*assembly.Function{panicking(callersARN), panicking(functionARN)},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.runner.Close(context.Background()) }()
		c := testConfig(proxy("GET", "/authorizer", custom(0, header)), proxy("GET", "/backend", open))
		c.Functions = both{d}
		g := serve(t, c)
		check(t, g.get("/authorizer", "Bearer planted"), 500, internalBody, "")
		check(t, g.get("/backend", "Bearer planted"), 502, internalBody, "InternalServerErrorException")
		if all := d.logs.String() + g.logged.String(); strings.Contains(all, "planted") || !strings.Contains(all, "boom") {
			t.Errorf("the log is\n%s", all)
		}
	})
}

// both runs the authorizer and the backend as processes.
type both struct{ *deployed }

func (b both) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, string, error) {
	result, err := b.runner.Invoke(ctx, arn, payload)
	return result.Payload, result.FunctionError, err
}
