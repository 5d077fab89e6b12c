package main

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestNewVersion(t *testing.T) {
	t.Parallel()
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	tests := []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "(devel) "},
		{&debug.BuildInfo{}, "(devel) "},
		{&debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}, "v0.1.0 "},
		{&debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.revision", "1a2b"), setting("vcs.modified", "false")}}, "(devel) (commit 1a2b) "},
		{&debug.BuildInfo{Settings: []debug.BuildSetting{setting("vcs.revision", "1a2b"), setting("vcs.modified", "true")}}, "(devel) (commit 1a2b, modified) "},
	}
	for _, tt := range tests {
		if got := newVersion(tt.info).String(); got != tt.want+runtime.Version() {
			t.Errorf("got %q, want %q", got, tt.want+runtime.Version())
		}
	}
}
