package gateway

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/gatewright/gatewright/internal/assembly"
)

// executeSuffix ends the host names that stand for *.execute-api.<region>.amazonaws.com.
const executeSuffix = ".execute-api.localhost"

// executeAPI returns the API's id in such a host name, in lower case.
func executeAPI(host string) (id string, ok bool) {
	host = strings.ToLower(host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.CutSuffix(strings.TrimSuffix(host, "."), executeSuffix)
}

// stages are all stages of an API.
type stages struct {
	first  *Gateway
	byName map[string]*Gateway
}

// All serves every stage of an API through its execute-api host, and the first
// one through every other host. The template says one thing of all stages'
// routes, as a deployment that has just been made does on AWS. It fails as
// [New] does, with what is not understood of any stage.
func All(c Config, declared []assembly.APIStage) (http.Handler, error) {
	s := stages{byName: map[string]*Gateway{}}
	var problems []string
	for _, stage := range declared {
		c.Stage = stage
		g, err := New(c)
		var unsupported *UnsupportedError
		switch {
		case errors.As(err, &unsupported):
			problems = append(problems, unsupported.Problems...)
			continue
		case err != nil:
			return nil, err
		case s.first == nil:
			s.first = g
		}
		s.byName[stage.Name] = g
	}
	if len(problems) > 0 {
		slices.Sort(problems) // most are of every stage
		return nil, &UnsupportedError{slices.Compact(problems)}
	}
	if s.first == nil {
		return nil, errors.New("gateway: the API has no stage")
	}
	return &s, nil
}

func (s *stages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g := s.first
	if _, execute := executeAPI(r.Host); execute {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
		if named := s.byName[name]; named != nil {
			g = named
		}
	}
	g.ServeHTTP(w, r)
}
