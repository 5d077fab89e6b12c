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

	"github.com/gatewright/gatewright/internal/apispec"
)

// Defaults of what a stage file may leave open.
const (
	// DefaultTokenLifetime is a quarter of Cognito's own, because an access
	// token cannot be called back.
	DefaultTokenLifetime = 15 * time.Minute
	// DefaultRefreshTokenLifetime is a working day, or the TokenLifetime where
	// that is longer.
	DefaultRefreshTokenLifetime = 12 * time.Hour
	// DefaultLogRetentionDays is one month.
	DefaultLogRetentionDays = 30
)

// Stage is what one stage file says. Its yaml tags are the file's keys; those
// without omitempty are required. stages/stage.schema.json says the same to
// editors, and a test keeps the two equal.
type Stage struct {
	Name    string `yaml:"name"`              // CDK stage id; the file's name without ".yaml"
	Region  string `yaml:"region"`            // "eu-west-1"
	Account string `yaml:"account,omitempty"` // 12 digits; empty for the account of whoever deploys

	// Origins are the web origins whose pages may call the API from a browser.
	Origins []string `yaml:"origins,omitempty"`

	// Callbacks are where a user's browser returns to after signing in: the
	// redirect URIs of the stage's browser client.
	Callbacks []string `yaml:"callbacks,omitempty"`

	// Logouts are where a browser may go after its user signed out. They need
	// Callbacks.
	Logouts []string `yaml:"logouts,omitempty"`

	// MobileCallbacks are where the mobile app gets its user back after signing
	// in: the redirect URIs of the stage's mobile client, own schemes included.
	MobileCallbacks []string `yaml:"mobileCallbacks,omitempty"`

	// SelfSignUp lets anyone make a user.
	SelfSignUp bool `yaml:"selfSignUp,omitempty"`

	// TokenLifetime is the lifetime of access tokens in whole minutes, from
	// 5 minutes to 24 hours; DefaultTokenLifetime where the file has none.
	TokenLifetime time.Duration `yaml:"tokenLifetime,omitempty"`

	// RefreshTokenLifetime is how long a user of the website stays signed in,
	// in whole minutes from one hour to ten years and not less than
	// TokenLifetime; DefaultRefreshTokenLifetime where the file has none.
	RefreshTokenLifetime time.Duration `yaml:"refreshTokenLifetime,omitempty"`

	// Retain keeps users and notes when their stack is deleted. A reading
	// without the key gives true.
	Retain bool `yaml:"retain,omitempty"`

	// Throttle bounds the requests to each route.
	Throttle Throttle `yaml:"throttle,omitempty"`

	// LogRetentionDays is how long logs are kept, one of the numbers that
	// CloudWatch takes; DefaultLogRetentionDays where the file has none.
	LogRetentionDays int `yaml:"logRetention,omitempty"`

	// Domain is the API's own host name; nil for the execute-api host.
	Domain *Domain `yaml:"domain,omitempty"`

	File string `yaml:"-"` // where it was read from
}

// Throttle bounds how many requests a route takes. Zero is the default of
// constructs/restapi.
type Throttle struct {
	Rate  float64 `yaml:"rate,omitempty"`  // requests a second, steadily
	Burst int     `yaml:"burst,omitempty"` // requests at once
}

// Domain is a host name of the stage's own. It needs the stage's Account.
type Domain struct {
	Zone   string `yaml:"zone"`             // public hosted zone: "example.com"
	ZoneID string `yaml:"zoneId,omitempty"` // empty to look it up when the CDK CLI synthesizes
	API    string `yaml:"api"`              // host name of the API: "api.example.com"
}

// Read reads the stage file at path. Its error joins every problem of the file,
// one per line as "file:line:column: problem; mend".
func Read(path string) (Stage, error) {
	r, err := read(path)
	if err != nil {
		return Stage{}, err
	}
	return r.stage, nil
}

func read(path string) (*reader, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the caller names the file on purpose
	if err != nil {
		return nil, fmt.Errorf("stage file: %w", err)
	}
	r := newReader(path)
	r.read(data)
	if len(r.Problems) > 0 {
		return nil, errors.Join(r.Problems...)
	}
	return r, nil
}

// ReadStage reads the named stage of dir. Of the other files it only minds
// whether their domains overlap with this stage's; whatever else is wrong with
// one of them stops nobody from deploying this. A name that cannot be a
// stage's, such as a path, is an error.
func ReadStage(dir, name string) (Stage, error) {
	if !namePattern.MatchString(name) {
		return Stage{}, fmt.Errorf("%q is no stage name; write the name of a file in %s without .yaml", name, filepath.ToSlash(dir))
	}
	file := filepath.Join(dir, name+".yaml")
	r, err := read(file)
	if errors.Is(err, os.ErrNotExist) {
		return Stage{}, fmt.Errorf("no stage %q: %s does not exist", name, filepath.ToSlash(file))
	}
	if err != nil {
		return Stage{}, err
	}
	others, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return Stage{}, fmt.Errorf("stage files: %w", err)
	}
	var problems []error
	for _, other := range others {
		if o, err := read(other); err == nil && other != file {
			problems = append(problems, r.overlap(o))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return Stage{}, err
	}
	return r.stage, nil
}

// ReadDir reads every *.yaml file of dir, sorted by stage name. Its error joins
// the problems of all files. A directory without a stage is an error, and so
// are two names that differ in case only, since state is kept in files by name,
// and two domains that overlap.
func ReadDir(dir string) ([]Stage, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("stage files: %w", err)
	}
	var readers []*reader
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
		r, err := read(file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		readers = append(readers, r)
	}
	if len(files) == 0 && len(problems) == 0 {
		problems = append(problems, fmt.Errorf("%s: no stage file in it; write one such as %s", filepath.ToSlash(dir), filepath.ToSlash(filepath.Join(dir, "dev.yaml"))))
	}
	for i, r := range readers {
		for _, other := range readers[:i] {
			problems = append(problems, r.overlap(other))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	var stages []Stage
	for _, r := range readers {
		stages = append(stages, r.stage)
	}
	slices.SortFunc(stages, func(a, b Stage) int { return strings.Compare(a.Name, b.Name) })
	return stages, nil
}

// overlap reports where the domains of two stages cannot both work: the same
// name, or one in a zone that the other's name servers answer for.
func (r *reader) overlap(other *reader) error {
	mine, theirs := r.stage.Domain, other.stage.Domain
	if mine == nil || theirs == nil {
		return nil
	}
	switch {
	case mine.API == theirs.API:
		return r.Problem(r.places["domain.api"], "domain.api %q is also that of %s; give each stage its own", mine.API, other.File)
	case shadows(theirs, mine):
		return r.Problem(r.places["domain.api"], "domain.api %q lies in the zone %q of %s, whose name servers answer for it; use that zone, or another name", mine.API, theirs.Zone, other.File)
	case shadows(mine, theirs):
		return other.Problem(other.places["domain.api"], "domain.api %q lies in the zone %q of %s, whose name servers answer for it; use that zone, or another name", theirs.API, mine.Zone, r.File)
	}
	return nil
}

// shadows reports whether a zone is cut out of another domain's zone and takes
// its name along.
func shadows(zone, domain *Domain) bool {
	return zone.Zone != domain.Zone && apispec.InZone(zone.Zone, domain.Zone) && apispec.InZone(domain.API, zone.Zone)
}
