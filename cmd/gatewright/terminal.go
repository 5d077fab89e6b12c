package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// progress shows how a long step goes: in one line that is overwritten on a
// terminal, in a line each elsewhere.
type progress struct {
	w     io.Writer
	width int  // of the terminal; 0 elsewhere
	open  bool // the line on the terminal has no end yet
}

func (p *progress) show(line string) {
	if p.width == 0 {
		_, _ = fmt.Fprintln(p.w, line)
		return
	}
	// A line that wraps could not be overwritten.
	if text := []rune(line); len(text) >= p.width {
		line = string(text[:p.width-1])
	}
	_, _ = fmt.Fprint(p.w, "\r\x1b[K"+line)
	p.open = true
}

// end leaves the last line as it is and lets others write below it.
func (p *progress) end() {
	if p.open {
		_, _ = fmt.Fprintln(p.w)
		p.open = false
	}
}

// terminalWidth returns the number of columns of a terminal, 80 where it does
// not tell, and 0 for everything that is no terminal.
func terminalWidth(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) { //nolint:gosec // a descriptor fits an int
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd())) //nolint:gosec // as above
	if err != nil || width == 0 {
		return 80
	}
	return width
}
