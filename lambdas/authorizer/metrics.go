package main

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatewright/gatewright/internal/authn"
)

// Metrics are lines of the function's log from which CloudWatch reads numbers
// ("Specification: Embedded metric format"):
//
//	Allowed, Refused             calls
//	Latency                      of a decision, in microseconds
//	TableReads, KeySetReads      what decisions had to wait for
//	Refused, by Reason           calls
//
// They hold numbers, the function's name and reasons of a fixed set: nothing of
// a request.
//
// A line is written with a call, once a second at most, for all calls since the
// line before: one for each call would cost more than a decision does. What was
// counted last is written with the next call.
type metrics struct {
	out      io.Writer // nil for none
	function string
	now      func() time.Time

	tableReads, keySetReads atomic.Int64

	mu       sync.Mutex
	written  time.Time
	admitted int
	refusals map[authn.Reason]int
	latency  []int64 // microseconds
}

const (
	metricsNamespace = "Gatewright"
	metricsInterval  = time.Second
	maxLatencies     = 100 // values of one metric in one line
)

func (m *metrics) allowed(began time.Time) { m.count("", began) }

func (m *metrics) refused(reason authn.Reason, began time.Time) { m.count(reason, began) }

// count adds a call; no reason stands for one that was allowed.
func (m *metrics) count(reason authn.Reason, began time.Time) {
	if m.out == nil {
		return
	}
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if reason == "" {
		m.admitted++
	} else {
		if m.refusals == nil {
			m.refusals = map[authn.Reason]int{}
		}
		m.refusals[reason]++
	}
	m.latency = append(m.latency, now.Sub(began).Microseconds())
	if now.Sub(m.written) >= metricsInterval || len(m.latency) == maxLatencies {
		m.write(now)
	}
}

// metric is one of a line's numbers.
type metric struct {
	name, unit, value string
}

// write writes what was counted and begins anew.
func (m *metrics) write(now time.Time) {
	refused := 0
	for _, n := range m.refusals {
		refused += n
	}
	latency := append(make([]byte, 0, 8*maxLatencies), '[')
	for i, micros := range m.latency {
		if i > 0 {
			latency = append(latency, ',')
		}
		latency = strconv.AppendInt(latency, micros, 10)
	}
	latency = append(latency, ']')
	lines := m.line(now, "", []metric{
		{"Allowed", "Count", strconv.Itoa(m.admitted)},
		{"Refused", "Count", strconv.Itoa(refused)},
		{"Latency", "Microseconds", string(latency)},
		{"TableReads", "Count", strconv.FormatInt(m.tableReads.Swap(0), 10)},
		{"KeySetReads", "Count", strconv.FormatInt(m.keySetReads.Swap(0), 10)},
	})
	for _, reason := range slices.Sorted(maps.Keys(m.refusals)) {
		lines = append(lines, m.line(now, reason, []metric{{"Refused", "Count", strconv.Itoa(m.refusals[reason])}})...)
	}
	_, _ = m.out.Write(lines) // a log that cannot be written is no reason to refuse a call
	m.written, m.admitted, m.latency = now, 0, m.latency[:0]
	clear(m.refusals)
}

// line is one document, for the function as a whole or for a reason.
func (m *metrics) line(now time.Time, reason authn.Reason, values []metric) []byte {
	b := append(make([]byte, 0, 512), `{"_aws":{"Timestamp":`...)
	b = strconv.AppendInt(b, now.UnixMilli(), 10)
	b = append(b, `,"CloudWatchMetrics":[{"Namespace":"`+metricsNamespace+`","Dimensions":[["Function"`...)
	if reason != "" {
		b = append(b, `,"Reason"`...)
	}
	b = append(b, `]],"Metrics":[`...)
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"Name":"`+v.name+`","Unit":"`+v.unit+`"}`...)
	}
	b = append(b, `]}]},"Function":`...)
	b = appendString(b, m.function)
	if reason != "" {
		b = append(b, `,"Reason":`...)
		b = appendString(b, string(reason))
	}
	for _, v := range values {
		b = append(b, `,"`+v.name+`":`+v.value...)
	}
	return append(b, "}\n"...)
}
