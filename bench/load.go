package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// workers is how many requests are under way at once.
const workers = 8

// caller sends requests with a token to one URL of this machine.
type caller struct {
	url    string
	token  string
	client *http.Client
}

func newCaller(target, token string) (*caller, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if address := net.ParseIP(u.Hostname()); address == nil || !address.IsLoopback() {
		return nil, fmt.Errorf("%s is not on this machine; load goes nowhere else", target)
	}
	return &caller{url: target, token: token, client: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: workers},
		Timeout:   time.Minute,
	}}, nil
}

// outcome is how a number of requests went.
type outcome struct {
	perSecond float64
	p99       time.Duration
	failed    int
	first     error // why the first of the failed ones failed
}

// load sends so many requests and waits for all answers.
func (c *caller) load(ctx context.Context, requests int) (outcome, error) {
	took := make([]time.Duration, requests)
	var next, failed atomic.Int64
	var once sync.Once
	var first error
	var all sync.WaitGroup
	began := time.Now()
	for range workers {
		all.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(requests) {
					return
				}
				sent := time.Now()
				if err := c.call(ctx); err != nil {
					failed.Add(1)
					once.Do(func() { first = err })
				}
				took[i] = time.Since(sent)
			}
		})
	}
	all.Wait()
	seconds := time.Since(began).Seconds()
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	slices.Sort(took)
	return outcome{
		perSecond: float64(requests) / seconds,
		p99:       took[len(took)*99/100],
		failed:    int(failed.Load()),
		first:     first,
	}, nil
}

func (c *caller) call(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // read to its end
	n, err := io.Copy(io.Discard, response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("answered %s", response.Status)
	case n == 0:
		return errors.New("answered nothing")
	}
	return nil
}
