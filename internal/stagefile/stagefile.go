// Package stagefile reads stages/*.yaml, one file per stage that the app
// deploys.
//
// It is strict: a key it does not know, a value that AWS would refuse and a
// second document are errors, and one reading reports all of them, each with
// the place of the value and what to write instead.
package stagefile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// DefaultTokenLifetime is how long access tokens are good for where a stage
// file leaves it open. It is a quarter of Cognito's own default, because an
// access token cannot be called back.
const DefaultTokenLifetime = 15 * time.Minute

// Stage is what one stage file says.
type Stage struct {
	Name    string // CDK stage id; the file's name without ".yaml"
	Region  string // "eu-west-1"
	Account string // 12 digits; empty for the account of whoever deploys

	// Origins are the web origins that may call the API from a browser. This
	// release takes at most one.
	Origins []string

	// TokenLifetime is the lifetime of access tokens in whole minutes, from
	// 5 minutes to 24 hours; DefaultTokenLifetime where the file has none.
	TokenLifetime time.Duration

	File string // where it was read from
}

// Read reads the stage file at path. Its error joins every problem of the file,
// one per line as "file:line:column: problem; mend".
func Read(path string) (Stage, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the caller names the file on purpose
	if err != nil {
		return Stage{}, fmt.Errorf("stage file: %w", err)
	}
	r := reader{
		file:  filepath.ToSlash(path),
		stage: Stage{File: path, TokenLifetime: DefaultTokenLifetime},
	}
	r.read(data)
	if len(r.problems) > 0 {
		return Stage{}, errors.Join(r.problems...)
	}
	return r.stage, nil
}

// ReadDir reads every *.yaml file of dir, sorted by stage name. Its error joins
// the problems of all files. A directory without a stage is an error, and so
// are two names that differ in case only, since state is kept in files by name.
func ReadDir(dir string) ([]Stage, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("stage files: %w", err)
	}
	var stages []Stage
	var problems []error
	files := make(map[string]string) // by name in lower case
	for _, entry := range entries {
		file := filepath.Join(dir, entry.Name())
		ext := filepath.Ext(file)
		if entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if ext == ".yml" {
			problems = append(problems, fmt.Errorf("%s: not read, because stage files end in .yaml; rename it", filepath.ToSlash(file)))
		}
		if ext != ".yaml" {
			continue
		}
		folded := strings.ToLower(entry.Name())
		if first, taken := files[folded]; taken {
			problems = append(problems, fmt.Errorf("%s: differs from %s in case only; rename one", filepath.ToSlash(file), filepath.ToSlash(first)))
		}
		files[folded] = file
		stage, err := Read(file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		stages = append(stages, stage)
	}
	if len(files) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("%s: no stage file in it; write one such as %s", filepath.ToSlash(dir), filepath.ToSlash(filepath.Join(dir, "dev.yaml"))))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	slices.SortFunc(stages, func(a, b Stage) int { return strings.Compare(a.Name, b.Name) })
	return stages, nil
}
