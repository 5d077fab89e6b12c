package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"time"

	read "github.com/gatewright/gatewright/internal/assembly"
	"github.com/gatewright/gatewright/internal/local/functions"
)

const (
	rounds        = 5
	roundRequests = 2000
)

// measureGateway loads a token-protected route of the stage and, in turn, a
// bare reverse proxy in front of the same function. Proxy and gateway share
// this process, and so everything but what they do.
func measureGateway(ctx context.Context) (_ []measurement, err error) {
	stage, err := serve(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stage.stop()) }()
	proxy, err := newBareProxy(ctx, stage)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, proxy.close()) }()
	gateway, err := stage.caller(ctx)
	if err != nil {
		return nil, err
	}
	bare, err := newCaller(proxy.url+protectedPath, gateway.token)
	if err != nil {
		return nil, err
	}
	var ratios, gatewaySpeeds, bareSpeeds, gatewayTails, bareTails []float64
	for round := range rounds + 1 {
		g, err := succeed(ctx, gateway, "the gateway")
		if err != nil {
			return nil, err
		}
		b, err := succeed(ctx, bare, "the bare proxy")
		if err != nil {
			return nil, err
		}
		if round == 0 {
			continue // warming up
		}
		ratios = append(ratios, g.perSecond/b.perSecond)
		gatewaySpeeds, bareSpeeds = append(gatewaySpeeds, g.perSecond), append(bareSpeeds, b.perSecond)
		gatewayTails, bareTails = append(gatewayTails, milliseconds(g.p99)), append(bareTails, milliseconds(b.p99))
	}
	return []measurement{
		info("token-protected route, requests a second", center(gatewaySpeeds), "/s"),
		info("bare reverse proxy to the same function", center(bareSpeeds), "/s"),
		atLeast("token-protected route, against the bare proxy", center(ratios), "×", 0.5),
		info("token-protected route, 99 of 100 within", center(gatewayTails), "ms"),
		info("bare reverse proxy, 99 of 100 within", center(bareTails), "ms"),
	}, nil
}

func succeed(ctx context.Context, c *caller, who string) (outcome, error) {
	got, err := c.load(ctx, roundRequests)
	if err == nil && got.failed > 0 {
		err = fmt.Errorf("%d of %d requests failed: %w", got.failed, roundRequests, got.first)
	}
	if err != nil {
		return outcome{}, fmt.Errorf("%s: %w", who, err)
	}
	return got, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// center is the middle one of values that are known to be there.
func center(values []float64) float64 {
	value, _ := middle(values, "rounds")
	return value
}

// bareProxy is a reverse proxy that hands each request to the function as it
// is: no route, no token, no event made from the request.
type bareProxy struct {
	url    string
	runner *functions.Runner
	server *http.Server
	ended  chan error
}

// event is what the gateway would send for the protected route, made once.
const event = `{"resource":"/v1/whoami","path":"/v1/whoami","httpMethod":"GET","headers":{},"multiValueHeaders":{},
"requestContext":{"authorizer":{"claims":{"sub":"c","client_id":"c","token_use":"access","scope":"notes/read"}},"httpMethod":"GET","path":"/v1/whoami"},"body":null}`

func newBareProxy(ctx context.Context, s *served) (*bareProxy, error) {
	function, region, err := protectedFunction(s.assembly)
	if err != nil {
		return nil, err
	}
	p := &bareProxy{ended: make(chan error, 1)}
	if p.runner, err = functions.New(functions.Config{
		Functions: []*read.Function{function}, AppDir: ".", CacheDir: filepath.Join(s.state, "functions"), Region: region,
	}); err != nil {
		return nil, err
	}
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, p.runner.Close(ctx))
	}
	p.url = "http://" + listener.Addr().String()
	target, err := url.Parse(p.url)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), p.runner.Close(ctx))
	}
	p.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: toFunction{p.runner, function.ARN},
	}}
	go func() { p.ended <- p.server.Serve(listener) }()
	return p, nil
}

func (p *bareProxy) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(p.server.Close(), p.runner.Close(ctx))
	if served := <-p.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// protectedFunction is what answers the protected route.
func protectedFunction(assembly string) (*read.Function, string, error) {
	a, err := read.Load(assembly)
	if err != nil {
		return nil, "", err
	}
	model, err := a.Model("dev", read.Options{Issuer: func(pool string) string { return "http://127.0.0.1/" + pool }})
	if err != nil {
		return nil, "", err
	}
	api, err := model.ChooseAPI("")
	if err != nil {
		return nil, "", err
	}
	for _, route := range api.Routes {
		for _, function := range model.Functions {
			if route.Method == http.MethodGet && route.Path == protectedPath && function.ARN == route.Integration.FunctionARN {
				return function, model.Region, nil
			}
		}
	}
	return nil, "", fmt.Errorf("no function answers GET %s", protectedPath)
}

// toFunction is a transport whose other end is a function's process.
type toFunction struct {
	runner *functions.Runner
	arn    string
}

func (f toFunction) RoundTrip(r *http.Request) (*http.Response, error) {
	result, err := f.runner.Invoke(r.Context(), f.arn, []byte(event))
	if err == nil && result.FunctionError != "" {
		err = fmt.Errorf("the function failed: %s", result.Payload)
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(result.Payload)),
		ContentLength: int64(len(result.Payload)),
	}, nil
}
