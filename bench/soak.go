package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// warmUp is how many requests are sent before anything is counted: by then
// there is a function process for each worker.
const warmUp = 2000

// measureSoak sends many requests to a token-protected route and compares the
// runtime's memory and goroutines before and after. The load is sent from the
// same process: what the client leaves behind would count too.
func measureSoak(ctx context.Context, requests int) (_ []measurement, err error) {
	stage, err := serve(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stage.stop()) }()
	client, err := stage.caller(ctx)
	if err != nil {
		return nil, err
	}
	if warm, err := client.load(ctx, warmUp); err != nil || warm.failed > 0 {
		return nil, fmt.Errorf("warming up: %w", errors.Join(err, warm.first))
	}
	goroutines, heap := settle(client, 0)
	result, err := client.load(ctx, requests)
	if err != nil {
		return nil, err
	}
	goroutinesAfter, heapAfter := settle(client, goroutines)
	what := fmt.Sprintf("%d requests, ", requests)
	lines := []measurement{
		info(what+"requests a second", result.perSecond, "/s"),
		atMost(what+"errors", float64(result.failed), "", 0),
		atMost(what+"memory gained, after collection", (heapAfter-heap)/(1<<20), "MB", 1),
		atMost(what+"goroutines gained", float64(goroutinesAfter-goroutines), "", 0),
	}
	if result.first != nil {
		lines[1].measured += " (" + result.first.Error() + ")"
	}
	return lines, nil
}

// settleTime is how long closed connections may take to be gone.
const settleTime = 5 * time.Second

// settle closes the client's connections, waits until their goroutines have
// ended, and returns how many are left and the memory that is reachable, in
// bytes. Where want is known it waits no longer than until it is reached.
func settle(client *caller, want int) (goroutines int, heap float64) {
	client.client.CloseIdleConnections()
	deadline := time.Now().Add(settleTime)
	for goroutines = runtime.NumGoroutine(); time.Now().Before(deadline); goroutines = runtime.NumGoroutine() {
		if want > 0 && goroutines <= want {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	runtime.GC()
	runtime.GC() // what finalizers freed
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return goroutines, float64(stats.HeapAlloc)
}
