package assembly

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// stack is one CloudFormation stack of an assembly.
type stack struct {
	id           string // artifact id, unique within its assembly
	name         string // CloudFormation stack name
	path         string // construct path
	account      string
	region       string
	regionOpen   bool // the app leaves it open
	dependencies []string
	template     template
	assets       map[string]string // folder by S3 object key
}

// template is a CloudFormation template as far as it is read.
type template struct {
	Resources  map[string]resource       `json:"Resources"`
	Outputs    map[string]output         `json:"Outputs"`
	Parameters map[string]map[string]any `json:"Parameters"`
	Transform  any                       `json:"Transform"`
}

type resource struct {
	Type       string         `json:"Type"`
	Condition  string         `json:"Condition"`
	Transform  any            `json:"Fn::Transform"`
	Properties map[string]any `json:"Properties"`
	Metadata   map[string]any `json:"Metadata"`
}

type output struct {
	Value  any `json:"Value"`
	Export struct {
		Name any `json:"Name"`
	} `json:"Export"`
}

// What stands in place of an account or a Region that the app leaves open.
const (
	unknownAccount = "000000000000"
	unknownRegion  = "us-east-1"
)

func readStack(dir, id string, art artifact) (*stack, error) {
	file := filepath.Join(dir, art.Properties.TemplateFile)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &stack{id: id, name: art.Properties.StackName, path: art.DisplayName, dependencies: art.Dependencies}
	if s.name == "" {
		s.name = id
	}
	if s.path == "" {
		s.path = id
	}
	s.account, s.region = environment(art.Environment)
	s.regionOpen = strings.HasSuffix(art.Environment, "/unknown-region")
	// Numbers keep their text: 29000 must not come back as 2.9e+04.
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&s.template); err != nil {
		return nil, &InputError{fmt.Sprintf("%s: %v", file, err)}
	}
	return s, nil
}

// environment reads "aws://<account>/<region>".
func environment(text string) (account, region string) {
	account, region, _ = strings.Cut(strings.TrimPrefix(text, "aws://"), "/")
	if account == "" || account == "unknown-account" {
		account = unknownAccount
	}
	if region == "" || region == "unknown-region" {
		region = unknownRegion
	}
	return account, region
}

// readAssets notes where the code of the stack's functions lies.
func (s *stack) readAssets(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var assets struct {
		Files map[string]struct {
			Source struct {
				Path      string `json:"path"`
				Packaging string `json:"packaging"`
			} `json:"source"`
			Destinations map[string]struct {
				ObjectKey string `json:"objectKey"`
			} `json:"destinations"`
		} `json:"files"`
	}
	if err := json.Unmarshal(data, &assets); err != nil {
		return &InputError{fmt.Sprintf("%s: %v", file, err)}
	}
	s.assets = map[string]string{}
	for _, f := range assets.Files {
		path := f.Source.Path
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(file), path)
		}
		for _, destination := range f.Destinations {
			s.assets[destination.ObjectKey] = path
		}
	}
	return nil
}

func (s *stack) has(resourceType string) bool {
	return len(s.ofType(resourceType)) > 0
}

// ofType returns the logical ids of the stack's resources of a type, in order.
func (s *stack) ofType(resourceType string) []string {
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(s.template.Resources)) {
		if s.template.Resources[id].Type == resourceType {
			ids = append(ids, id)
		}
	}
	return ids
}

// place says where a resource is declared.
func (s *stack) place(logicalID string) Place {
	path, _ := s.template.Resources[logicalID].Metadata["aws:cdk:path"].(string)
	if path == "" {
		path = s.path + "/" + logicalID
	}
	return Place{Stack: s.id, LogicalID: logicalID, Path: path}
}
