package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version says which build this is.
type version struct {
	Version  string `json:"version"`            // module version; "(devel)" for a build without one
	Commit   string `json:"commit,omitempty"`   // empty where the build has none
	Modified bool   `json:"modified,omitempty"` // the commit is not all there is in it
	Go       string `json:"go"`
}

// String implements fmt.Stringer: "v0.1.0 (commit 1a2b3c…, modified) go1.26.0".
func (v version) String() string {
	commit := ""
	if v.Commit != "" {
		commit = " (commit " + v.Commit
		if v.Modified {
			commit += ", modified"
		}
		commit += ")"
	}
	return v.Version + commit + " " + v.Go
}

// newVersion reads what the linker noted of a build; nil where there is nothing.
func newVersion(info *debug.BuildInfo) version {
	v := version{Version: "(devel)", Go: runtime.Version()}
	if info == nil {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Commit = setting.Value
		case "vcs.modified":
			v.Modified = setting.Value == "true"
		}
	}
	return v
}

func newVersionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version, its commit and the Go release it was built with",
		Example: "  gatewright version --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			v := newVersion(info)
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "gatewright", v)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
