package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// measureCommands runs report and audit, as whole commands, over a template
// with 1,000 routes.
func measureCommands(ctx context.Context) ([]measurement, error) {
	dir, err := os.MkdirTemp("", "gatewright-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	template := filepath.Join(dir, "template.json")
	if err := os.WriteFile(template, []byte(thousandRoutes()), 0o600); err != nil {
		return nil, err
	}
	var out []measurement
	for _, command := range []string{"report", "audit"} {
		var seconds []float64
		for range starts {
			began := time.Now()
			var stdout bytes.Buffer
			cmd := exec.CommandContext(ctx, gatewright, command, template)
			cmd.Stdout = &stdout
			err := cmd.Run()
			if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 1 {
				err = nil // findings
			}
			if err != nil {
				return nil, fmt.Errorf("gatewright %s: %w", command, err)
			}
			if !bytes.Contains(stdout.Bytes(), []byte("/orders-999")) {
				return nil, fmt.Errorf("gatewright %s says nothing of the last route", command)
			}
			seconds = append(seconds, time.Since(began).Seconds())
		}
		m, err := middle(seconds, command)
		if err != nil {
			return nil, err
		}
		out = append(out, atMost("gatewright "+command+", of 1,000 routes", m, "s", 1))
	}
	return out, nil
}

// thousandRoutes is a template of Resources and Methods, each open.
func thousandRoutes() string {
	var b strings.Builder
	b.WriteString(`{"Resources": {"API": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "shop"}},
"Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "API"}, "StageName": "v1"}}`)
	for i := range 1000 {
		fmt.Fprintf(&b, `,
"R%d": {"Type": "AWS::ApiGateway::Resource", "Properties": {"RestApiId": {"Ref": "API"}, "ParentId": {"Fn::GetAtt": ["API", "RootResourceId"]}, "PathPart": "orders-%d"}},
"M%d": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": {"Ref": "API"}, "ResourceId": {"Ref": "R%d"}, "HttpMethod": "GET", "AuthorizationType": "NONE", "Integration": {"Type": "MOCK"}}}`, i, i, i, i)
	}
	return b.String() + "}}"
}
