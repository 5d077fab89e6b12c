package functions

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatewright/gatewright/internal/gobuild"
)

// built is a function that is built from source, and again when that changes.
type built struct {
	function string
	source   gobuild.Source
	appDir   string
	cacheDir string

	mu      sync.RWMutex
	file    string // empty after a failure
	err     error
	seen    []stamp   // what file was built from, and file itself
	started time.Time // of the last attempt
}

// executable returns the last build as long as nothing has changed since. A
// build that failed is tried again for every event, because a mend may lie in
// a file that the last attempt could not know of; events that waited for an
// attempt share it.
func (p *built) executable(ctx context.Context) (string, error) {
	arrived := time.Now()
	p.mu.RLock()
	file, fresh := p.file, p.file != "" && unchanged(p.seen)
	p.mu.RUnlock()
	if fresh {
		return file, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started.After(arrived) || p.file != "" && unchanged(p.seen) {
		return p.file, p.err
	}
	p.started = time.Now()
	p.file, p.seen, p.err = p.build(ctx)
	if p.err != nil && ctx.Err() == nil {
		p.err = &BuildError{Function: p.function, Err: p.err}
	}
	return p.file, p.err
}

// build builds into the cache, under a name that stands for the content of all
// inputs, or finds that it was done before.
func (p *built) build(ctx context.Context) (file string, seen []stamp, err error) {
	const tries = 5 // a build during which a file is saved is worth nothing
	for range tries {
		inputs, err := gobuild.Inputs(ctx, p.appDir, p.source, gobuild.Host())
		if err != nil {
			return "", nil, err
		}
		seen = stampAll(inputs)
		entry := filepath.Join(p.cacheDir, p.key(inputs))
		file = filepath.Join(entry, "bootstrap")
		if _, err := os.Stat(file); err == nil {
			now := time.Now()
			_ = os.Chtimes(entry, now, now) // in use: pruneBuilds leaves it
			return file, append(seen, stampOf(file)), nil
		}
		if err := gobuild.Build(ctx, p.appDir, p.source, gobuild.Host(), file); err != nil {
			return "", nil, err
		}
		if unchanged(seen) {
			return file, append(seen, stampOf(file)), nil
		}
		if err := os.RemoveAll(entry); err != nil {
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("the sources of %s change faster than they build", p.source.Package)
}

// key names the content of all inputs.
func (p *built) key(inputs []string) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "1 %q %q\n", p.source, gobuild.Host())
	for _, input := range inputs {
		content, err := os.ReadFile(input)
		fmt.Fprintf(hash, "%q %t %x\n", input, err == nil, sha256.Sum256(content))
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// stamp is what a file looked like.
type stamp struct {
	file    string
	size    int64 // -1 where there is none
	changed time.Time
}

func stampOf(file string) stamp {
	info, err := os.Stat(file)
	if err != nil {
		return stamp{file: file, size: -1}
	}
	return stamp{file: file, size: info.Size(), changed: info.ModTime()}
}

func stampAll(files []string) []stamp {
	stamps := make([]stamp, len(files))
	for i, file := range files {
		stamps[i] = stampOf(file)
	}
	return stamps
}

func unchanged(stamps []stamp) bool {
	for _, old := range stamps {
		if now := stampOf(old.file); now.size != old.size || !now.changed.Equal(old.changed) {
			return false
		}
	}
	return true
}

// buildLifetime is how long a build stays in the cache after its last use.
const buildLifetime = 7 * 24 * time.Hour

// pruneBuilds removes builds that nobody has used for long. One that a runtime
// elsewhere still needs is noticed there, and built again.
func pruneBuilds(cacheDir string) {
	entries, err := os.ReadDir(cacheDir)
	if err != nil {
		return // nothing has been built
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && info.IsDir() && time.Since(info.ModTime()) > buildLifetime {
			_ = os.RemoveAll(filepath.Join(cacheDir, entry.Name())) // the next run tries again
		}
	}
}
