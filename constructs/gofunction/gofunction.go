// Package gofunction builds a Go main package into an AWS Lambda function.
//
//	orders := gofunction.New(stack, "Orders", gofunction.Props{Package: "./lambdas/orders"})
//
// The function is compiled during synthesis, for arm64 on provided.al2023, from
// the module that holds the package: an app's own, or one that its go.mod
// names. The same sources give the same bytes on every machine. A [Function]
// is a target for restapi's routes.
package gofunction

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/gatewright/gatewright/internal/gobuild"
)

// MetadataKey is where a function's template says which Go package it was
// built from, so that the local runtime can build it for the host.
const MetadataKey = "gatewright:function"

// Defaults of [Props].
const (
	DefaultMemoryMB = 256
	DefaultTimeout  = 10 * time.Second
)

// What Lambda takes ("Lambda quotas"; "CreateFunction", AWS Lambda).
const (
	maxDescription      = 256   // characters
	maxEnvironmentBytes = 4_096 // names and values together
)

// Props describes a function.
type Props struct {
	// Package is the main package to build: a path relative to the app's
	// directory ("./lambdas/orders") or an import path of a module that the
	// app's go.mod names. Required. One that is not found is an error, and so
	// is one that does not compile when its stack is bundled.
	Package string
	// Description says what the function does, in at most 256 characters; more
	// is an error. Default: none.
	Description string
	// Environment holds the function's environment variables, names and values
	// as one JSON object of at most 4,096 bytes ("Lambda quotas"); more is an
	// error. What is known only when the stack is deployed is not counted. A
	// name is two or more letters, digits and underscores, a letter first, and
	// none that Lambda sets itself; another is an error.
	// Anyone who may read the function reads them: no secrets. Default: none.
	Environment map[string]string
	// MemoryMB is the function's memory in megabytes, 128 to 10240; its share
	// of a processor grows with it. Another is an error. Default: 256.
	MemoryMB int
	// Timeout is how long one call may take, in whole seconds from one second
	// to 15 minutes. Another is an error. API Gateway gives up after 29
	// seconds. Default: 10 seconds.
	Timeout time.Duration
	// LogRetention is how long log lines are kept, one of the CDK's
	// RetentionDays. Default: one month.
	LogRetention awslogs.RetentionDays
	// ReservedConcurrency is how many calls the function may answer at once, at
	// most and for certain: a share of the account's concurrency that no other
	// function takes. More calls are refused by Lambda. Default: 0, no share and no
	// bound of its own. Negative is an error.
	ReservedConcurrency int
	// Files are put beside the executable, by name: in the folder that Lambda
	// names LAMBDA_TASK_ROOT, read-only. A name has 1 to 255 letters, digits and
	// . _ -, a letter or digit first; another, and bootstrap, which is the
	// executable itself, is an error. Anyone who may read the function's code
	// reads them: no secrets. Default: none.
	Files map[string][]byte
}

// Function is a Lambda function built from Go sources.
type Function struct {
	// Function, Role and LogGroup are the CDK's objects.
	Function awslambda.Function
	Role     awsiam.Role
	LogGroup awslogs.LogGroup
}

// New builds the package and declares its function, a role that may write the
// function's own log and nothing else, and that log. It panics with an error
// that names the construct where the props are unusable or the build fails.
func New(scope constructs.Construct, id string, p Props) *Function {
	this := constructs.NewConstruct(scope, jsii.String(id))
	f, err := build(this, p)
	if err != nil {
		panic(fmt.Errorf("%s: %w", *this.Node().Path(), err))
	}
	return f
}

func build(this constructs.Construct, p Props) (*Function, error) {
	p, err := p.withDefaults()
	if err != nil {
		return nil, err
	}
	source, err := gobuild.Resolve(context.Background(), ".", p.Package)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gatewright-function-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to build in: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the assembly has its own copy by then
	if err := compile(this, source, dir); err != nil {
		return nil, err
	}
	if err := writeFiles(dir, p.Files); err != nil {
		return nil, err
	}

	logs := awslogs.NewLogGroup(this, jsii.String("Log"), &awslogs.LogGroupProps{Retention: p.LogRetention})
	role := awsiam.NewRole(this, jsii.String("Role"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	logs.GrantWrite(role)
	function := awslambda.NewFunction(this, jsii.String("Function"), &awslambda.FunctionProps{
		Architecture:                 awslambda.Architecture_ARM_64(),
		Code:                         awslambda.Code_FromAsset(jsii.String(dir), nil),
		Description:                  optional(p.Description),
		Environment:                  environment(p.Environment),
		Handler:                      jsii.String(executable),
		LogGroup:                     logs,
		MemorySize:                   jsii.Number(p.MemoryMB),
		ReservedConcurrentExecutions: reserved(p.ReservedConcurrency),
		Role:                         role,
		Runtime:                      awslambda.Runtime_PROVIDED_AL2023(),
		Timeout:                      awscdk.Duration_Seconds(jsii.Number(p.Timeout.Seconds())),
	})
	resource := function.Node().DefaultChild().(awslambda.CfnFunction)
	resource.AddMetadata(jsii.String(MetadataKey), map[string]string{
		"module":  source.Module,
		"version": source.Version,
		"package": source.Package,
	})
	return &Function{Function: function, Role: role, LogGroup: logs}, nil
}

func (p Props) withDefaults() (Props, error) {
	p.MemoryMB = cmp.Or(p.MemoryMB, DefaultMemoryMB)
	p.Timeout = cmp.Or(p.Timeout, DefaultTimeout)
	p.LogRetention = cmp.Or(p.LogRetention, awslogs.RetentionDays_ONE_MONTH)
	p.Environment = maps.Clone(p.Environment)
	var problems []error
	if p.Package == "" {
		problems = append(problems, errors.New(`no Package; name a main package, such as "./lambdas/orders"`))
	}
	if p.MemoryMB < 128 || p.MemoryMB > 10240 {
		problems = append(problems, fmt.Errorf("MemoryMB is %d; Lambda takes 128 to 10240", p.MemoryMB))
	}
	if p.Timeout < time.Second || p.Timeout > 15*time.Minute || math.Mod(p.Timeout.Seconds(), 1) != 0 {
		problems = append(problems, fmt.Errorf("Timeout is %s; Lambda takes whole seconds from 1s to 15m", p.Timeout))
	}
	if p.ReservedConcurrency < 0 {
		problems = append(problems, fmt.Errorf("ReservedConcurrency is %d calls at once; it cannot be negative", p.ReservedConcurrency))
	}
	if n := utf8.RuneCountInString(p.Description); n > maxDescription && !*awscdk.Token_IsUnresolved(p.Description) {
		problems = append(problems, fmt.Errorf("Description has %d characters; Lambda takes %d", n, maxDescription))
	}
	if n := environmentBytes(p.Environment); n > maxEnvironmentBytes {
		problems = append(problems, fmt.Errorf("Environment has %d bytes; Lambda takes %d", n, maxEnvironmentBytes))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Environment)) {
		if !variablePattern.MatchString(name) || slices.Contains(reservedVariables, name) {
			problems = append(problems, fmt.Errorf("Environment %q: no variable's name that Lambda takes", name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		if !filePattern.MatchString(name) || name == executable || name == placeholder {
			problems = append(problems, fmt.Errorf("Files %q: no name of a file beside the executable; 1 to 255 letters, digits and . _ -, such as rules.json", name))
		}
	}
	return p, errors.Join(problems...)
}

// Names of what the folder of a function's code holds already.
const (
	executable  = "bootstrap"
	placeholder = "unbundled" // stands in for it where nothing is compiled
)

// filePattern is a file's name that is one on every system.
var filePattern = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,254}$`)

// variablePattern is an environment variable's name ("CreateFunction", AWS Lambda).
var variablePattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)

// reservedVariables are those that Lambda sets itself ("Defined runtime
// environment variables", AWS Lambda).
var reservedVariables = []string{
	"AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
	"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
}

// environmentBytes measures what is known of the variables as Lambda does, as
// the JSON object that its error shows where there are too many.
func environmentBytes(variables map[string]string) int {
	known := maps.Clone(variables)
	for name, value := range known {
		if *awscdk.Token_IsUnresolved(value) {
			known[name] = ""
		}
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(known) // texts can always be encoded
	return len(bytes.TrimSpace(out.Bytes()))
}

// compile puts the function's code into a folder. Where the CDK asks for no
// bundling (tests, the local runtime, other stacks' deployments) the folder
// only names the source: such an assembly can be read, not deployed.
func compile(this constructs.Construct, source gobuild.Source, dir string) error {
	if !*awscdk.Stack_Of(this).BundlingRequired() {
		return os.WriteFile(filepath.Join(dir, placeholder), []byte(source.Package+"\n"), 0o600)
	}
	fmt.Fprintf(os.Stderr, "building %s for Lambda\n", source.Package)
	return gobuild.Build(context.Background(), ".", source, gobuild.Lambda, filepath.Join(dir, executable))
}

// writeFiles puts files into the folder, whether or not it holds an executable:
// the local runtime takes them from there. Lambda runs functions as a user of
// its own, which must be able to read them.
func writeFiles(dir string, files map[string][]byte) error {
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil { //nolint:gosec // no secrets: the doc of Files
			return err
		}
	}
	return nil
}

func environment(values map[string]string) *map[string]*string {
	if len(values) == 0 {
		return nil
	}
	out := map[string]*string{}
	for name, value := range values {
		out[name] = jsii.String(value)
	}
	return &out
}

func reserved(calls int) *float64 {
	if calls == 0 {
		return nil
	}
	return jsii.Number(calls)
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return jsii.String(text)
}
