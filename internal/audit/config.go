package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/gatewright/gatewright/internal/strictyaml"
)

// ConfigFile is where an app keeps its suppressions, in the folder of cdk.json.
const ConfigFile = ".gatewright.yaml"

// Config is what [ConfigFile] says.
type Config struct {
	suppressions []suppression
}

// ReadConfig reads a file of suppressions. An empty name is [ConfigFile], which
// need not be there. Its error joins every problem, one per line as
// "file:line:column: problem; mend".
func ReadConfig(file string, rules []Rule) (Config, error) {
	data, err := os.ReadFile(orConfigFile(file))
	if file == "" && errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, inputErrorf("suppressions: %v", err)
	}
	r := configReader{Reader: strictyaml.NewReader(orConfigFile(file)), rules: rules}
	r.Document(data, "write suppressions or remove it", "suppressions: [{rule: …, path: …, reason: …}]", "keep everything in one",
		[]strictyaml.Field{{Key: "suppressions", Read: r.suppressions}}, "suppressions")
	if len(r.Problems) > 0 {
		return Config{}, inputErrorf("%v", errors.Join(r.Problems...))
	}
	return r.config, nil
}

func orConfigFile(file string) string {
	if file == "" {
		return ConfigFile
	}
	return file
}

type configReader struct {
	*strictyaml.Reader
	rules  []Rule
	config Config
}

func (r *configReader) suppressions(value ast.Node) {
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		r.At(value, "suppressions is not a list; write [{rule: …, path: …, reason: …}]")
		return
	}
	for i, item := range list.Values {
		r.suppression(fmt.Sprintf("suppressions[%d]", i), item)
	}
}

func (r *configReader) suppression(key string, value ast.Node) {
	s := suppression{at: fmt.Sprintf("%s:%s: %s", r.File, strictyaml.Place(start(value)), key)}
	places := map[string]*token.Token{}
	text := func(name string, into *string, example string) strictyaml.Field {
		return strictyaml.Field{Key: name, Read: func(n ast.Node) {
			*into, _ = r.Text(n, key+"."+name, example)
			places[name] = n.GetToken()
		}}
	}
	var path string
	before := len(r.Problems)
	r.Object(value, key, "{rule: …, path: …, reason: …}", []strictyaml.Field{
		text("rule", &s.rule, "method-open"), text("path", &path, "dev/Api/**"),
		text("reason", &s.reason, "why the finding is acceptable"), text("until", &s.until, "2027-01-31"),
	}, "rule", "path", "reason")
	if len(r.Problems) > before {
		return
	}
	if name, problem := s.problem(r.rules); problem != "" {
		r.Report(places[name], "%s: %s", key, problem)
		return
	}
	pattern := pathPattern(path)
	s.covers = func(f Finding) bool { return pattern.MatchString(f.Path) }
	r.config.suppressions = append(r.config.suppressions, s)
}

// start is the first key of a mapping: its own token is the colon after that.
func start(value ast.Node) *token.Token {
	if mapping, ok := value.(*ast.MappingNode); ok && len(mapping.Values) > 0 {
		return mapping.Values[0].Key.GetToken()
	}
	return value.GetToken()
}
