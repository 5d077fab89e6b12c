package functions

import (
	"bytes"
	"log/slog"
)

// maxLogLine is where a line that does not end is cut.
const maxLogLine = 64 << 10

// lineWriter makes one log record of each line that a process prints.
type lineWriter struct {
	log      *slog.Logger
	function string
	partial  []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.partial = append(w.partial, p...)
	for {
		line, rest, found := bytes.Cut(w.partial, []byte("\n"))
		if !found && len(line) > maxLogLine {
			line, rest, found = line[:maxLogLine], line[maxLogLine:], true
		}
		if !found {
			return len(p), nil
		}
		w.record(line)
		w.partial = rest
	}
}

// flush records what the process did not end with a newline.
func (w *lineWriter) flush() {
	if len(w.partial) > 0 {
		w.record(w.partial)
		w.partial = nil
	}
}

func (w *lineWriter) record(line []byte) {
	w.log.Info(string(bytes.TrimRight(line, "\r")), "fn", w.function)
}
