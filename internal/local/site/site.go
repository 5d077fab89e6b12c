// Package site serves a folder of static files, as the host of a website does,
// and tells the page what it has to know of the stage.
//
// What a folder holds by accident is not served: names that begin with a dot,
// and whatever a symbolic link reaches outside of it.
//
//	handler, err := site.New("examples/website", site.Settings{API: "http://127.0.0.1:4010"})
//	...
//	http.Serve(listener, guard.Wrap(handler, policy, nil))
package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strings"
	"time"
)

// SettingsPath is where the page finds its [Settings].
const SettingsPath = "/gatewright.json"

// index is the page of a folder, and of every path without a file or an
// extension: a page that keeps its state in memory answers for all of them.
const index = "index.html"

// Settings are what a page needs to sign its user in and to call the API. None
// of it is secret.
type Settings struct {
	API  string `json:"api"`  // where the API's paths begin
	Auth string `json:"auth"` // the user pool's domain
	// ClientID and RedirectURI are empty where no client returns to this site.
	ClientID    string   `json:"clientId"`
	RedirectURI string   `json:"redirectUri"`
	LogoutURI   string   `json:"logoutUri"` // empty where the client has none here
	Scopes      []string `json:"scopes"`
}

// Site serves a folder. It is safe for concurrent use.
type Site struct {
	root     *os.Root
	settings []byte
}

var _ http.Handler = (*Site)(nil)

// New returns a Site, or an error if dir is no folder with an index.html.
func New(dir string, s Settings) (*Site, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the website: %w", err)
	}
	if _, err := root.Stat(index); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("%s is no website: it has no %s", dir, index)
	}
	settings, err := json.Marshal(s)
	return &Site{root, settings}, err
}

// Close lets go of the folder.
func (s *Site) Close() error { return s.root.Close() }

// ServeHTTP implements [http.Handler].
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store") // files change while they are worked on
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer") // a callback's address holds a code
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case r.URL.Path == SettingsPath:
		h.Set("Content-Type", "application/json")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.settings))
	default:
		s.file(w, r)
	}
}

func (s *Site) file(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	f, info, err := s.open(name)
	if err != nil && path.Ext(name) == "" {
		f, info, err = s.open(index)
	}
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer func() { _ = f.Close() }() // read only
	http.ServeContent(w, r, info.Name(), info.ModTime(), f)
}

// open opens a file that may be served.
func (s *Site) open(name string) (*os.File, fs.FileInfo, error) {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return nil, nil, fs.ErrNotExist
		}
	}
	if name == "" {
		name = index
	}
	f, err := s.root.Open(name)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}
