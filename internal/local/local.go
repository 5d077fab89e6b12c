// Package local serves one stage of a cloud assembly on a developer's machine:
// its API, its user pool's endpoints, and an AWS endpoint for SDKs and the AWS
// CLI. It knows the assembly and nothing else of the app, except that it builds
// functions from their Go sources.
package local

import (
	"cmp"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/awsapi"
	"github.com/gatewright/gatewright/internal/local/cognito"
	"github.com/gatewright/gatewright/internal/local/cognito/idp"
	"github.com/gatewright/gatewright/internal/local/functions"
	"github.com/gatewright/gatewright/internal/local/gateway"
	"github.com/gatewright/gatewright/internal/local/site"
	"github.com/gatewright/gatewright/internal/local/tables"
)

// Config says what to serve and how.
type Config struct {
	Assembly   string          // path of the cloud assembly
	AppDir     string          // where Go sources of functions are resolved from
	StateDir   string          // ".gatewright"
	Stage      string          // CDK Stage's or stack's id; optional where there is only one
	API        string          // REST API to serve; optional where there is only one
	Listen     string          // address of the API; the other listeners take the ports after it
	Expose     bool            // allows a Listen that is not loopback
	Site       string          // folder of a static website to serve beside it; empty for none
	ReadyFile  string          // where to describe the running stage; empty for nowhere else
	SigningKey *rsa.PrivateKey // signs the user pools' tokens; nil for a new one
	NoSeed     bool            // leaves out users and customers for trying things
	Stdout     io.Writer       // gets the banner
	Stderr     io.Writer       // gets the log
}

// stopTimeout is how long requests in flight may take when the runtime stops.
const stopTimeout = 2 * time.Second

// Run serves the stage until ctx ends, and returns nil once everything has
// stopped: no process, no listener and no state file is left behind.
func Run(ctx context.Context, c Config) error {
	if err := privateDir(c.StateDir); err != nil {
		return err
	}
	ports, err := listen(ctx, c.Listen, c.Expose, c.Site != "")
	if err != nil {
		return err
	}
	defer ports.close()
	s, err := newStage(c, ports)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.functions.Prepare(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		// Its routes answer 500 until it builds; the others work meanwhile.
		_, _ = fmt.Fprintf(c.Stderr, "%v\n", err)
	}
	return s.serve(ctx)
}

// stage is a stage while it is served.
type stage struct {
	config Config
	ports  *ports
	log    *slog.Logger

	model     *assembly.Model
	api       *assembly.RestAPI
	apiStage  assembly.APIStage  // that the API's own URL serves
	keys      []*assembly.APIKey // each with a value
	functions *functions.Runner
	cognito   *cognito.Server
	aws       *awsapi.Endpoint
	tables    *tables.Server
	gateway   http.Handler
	site      *site.Site // nil without a website
	users     []User     // who can sign in from the start
	customers []Customer // whose keys are good from the start

	printing sync.Mutex // codes come while others are printed
}

// newStage reads the assembly and makes everything that serves it. Nothing
// runs yet. What is not understood of the template and what is not served of
// the API is listed at once.
func newStage(c Config, p *ports) (*stage, error) {
	s := &stage{config: c, ports: p, log: slog.New(slog.NewJSONHandler(c.Stderr, nil))}
	a, err := assembly.Load(c.Assembly)
	if err != nil {
		return nil, err
	}
	s.model, err = a.Model(c.Stage, assembly.Options{Issuer: func(poolID string) string {
		return p.auth.url() + "/" + poolID
	}})
	if err != nil {
		return nil, err
	}
	if err := refusal(s.model.Servable(), s.prepare()); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// refusal joins what is not understood of a template with why the rest of it
// cannot be served.
func refusal(template, rest error) error {
	var refused *assembly.UnsupportedError
	if !errors.As(template, &refused) {
		return cmp.Or(template, rest)
	}
	problems := refused.Problems
	var more *gateway.UnsupportedError
	if errors.As(rest, &more) {
		for _, problem := range more.Problems {
			if !slices.Contains(problems, problem) {
				problems = append(problems, problem)
			}
		}
	}
	return &assembly.UnsupportedError{Problems: problems}
}

// prepare makes what serves the model.
func (s *stage) prepare() (err error) {
	c, p := s.config, s.ports
	if s.api, err = s.model.ChooseAPI(c.API); err != nil {
		return err
	}
	if len(s.api.Stages) == 0 {
		return &assembly.InputError{Text: s.api.Path + ": no stage deploys the API"}
	}
	s.apiStage = s.api.Stages[0]
	s.keys = withValues(s.model.APIKeys)
	if s.cognito, err = s.newCognito(); err != nil {
		return err
	}
	if s.tables, err = tables.New(s.model.Tables); err != nil {
		return err
	}
	s.seed()
	if s.aws, err = awsapi.New(awsapi.Config{
		Account: s.api.Account, Region: s.api.Region, Log: s.listenerLog(p.aws),
		Services: map[string]awsapi.Service{"cognito-idp": idp.New(s.cognito.Directories()), "dynamodb": s.tables},
		Policies: s.policies,
	}); err != nil {
		return err
	}
	if s.functions, err = s.newFunctions(); err != nil {
		return err
	}
	if s.gateway, err = s.newGateway(); err != nil || c.Site == "" {
		return err
	}
	s.site, err = site.New(c.Site, s.siteSettings())
	return err
}

func (s *stage) newFunctions() (*functions.Runner, error) {
	return functions.New(functions.Config{
		Functions: s.model.Functions,
		AppDir:    s.config.AppDir,
		CacheDir:  filepath.Join(s.config.StateDir, "functions"),
		Region:    s.api.Region,
		Log:       s.log,
		Authorizes: func(arn string) bool {
			return slices.ContainsFunc(s.api.Routes, func(r assembly.Route) bool {
				return r.Authorization.Authorizer != nil && r.Authorization.Authorizer.FunctionARN == arn
			})
		},
		Progress: func(line string) { _, _ = fmt.Fprintln(s.config.Stderr, line) },
		Environment: func(f *assembly.Function) []string {
			role := s.aws.RoleCredential(f.RoleARN)
			return []string{
				"AWS_ENDPOINT_URL=" + s.ports.aws.url(),
				"AWS_ACCESS_KEY_ID=" + role.AccessKeyID,
				"AWS_SECRET_ACCESS_KEY=" + role.SecretAccessKey,
				"AWS_SESSION_TOKEN=" + role.SessionToken,
			}
		},
	})
}

func (s *stage) close() {
	if s.site != nil {
		_ = s.site.Close() // read only
	}
	if s.functions == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := s.functions.Close(ctx); err != nil {
		s.log.Error("a function did not stop", "error", err.Error())
	}
}

// serve answers until ctx ends. The stage is announced once every listener
// takes requests.
func (s *stage) serve(ctx context.Context) error {
	type listening struct {
		port    *port
		handler http.Handler
	}
	handlers := []listening{
		{s.ports.api, s.guard(s.ports.api, s.gateway)},
		{s.ports.auth, s.guard(s.ports.auth, s.cognito)},
		{s.ports.aws, s.guard(s.ports.aws, s.aws)},
	}
	if s.site != nil {
		handlers = append(handlers, listening{s.ports.site, s.guard(s.ports.site, s.site)})
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, h := range handlers {
		server := &http.Server{
			Handler:           h.handler,
			ReadHeaderTimeout: 10 * time.Second,
			ReadTimeout:       time.Minute,
			IdleTimeout:       2 * time.Minute,
			ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
			BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		}
		group.Go(func() error {
			if err := server.Serve(h.port.listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
		group.Go(func() error {
			<-ctx.Done()
			return stop(server)
		})
	}
	remove, err := s.announce()
	defer remove()
	if err != nil {
		group.Go(func() error { return err })
	}
	return group.Wait()
}

// stop lets requests in flight end, and then no longer.
func stop(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}
