package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
	dir          string // folder of its template
	account      string
	region       string
	regionOpen   bool // the app leaves it open
	dependencies []string
	template     template
	assets       map[string]string // file or folder by S3 object key

	nested []*stack

	// Of a nested stack:
	parent   *stack
	parentID string // logical id of the AWS::CloudFormation::Stack
}

// What stands in place of an account or a Region that the app leaves open.
const (
	unknownAccount = "000000000000"
	unknownRegion  = "us-east-1"
)

func readStack(dir, id string, art artifact) (*stack, error) {
	file := filepath.Join(dir, art.Properties.TemplateFile)
	t, err := readTemplate(file)
	if err != nil {
		return nil, err
	}
	s := &stack{id: id, name: art.Properties.StackName, path: art.DisplayName, dir: filepath.Dir(file), dependencies: art.Dependencies, template: t}
	if s.name == "" {
		s.name = id
	}
	if s.path == "" {
		s.path = id
	}
	s.account, s.region = environment(art.Environment)
	s.regionOpen = strings.HasSuffix(art.Environment, "/unknown-region")
	if err := s.expand(); err != nil {
		return nil, &InputError{fmt.Sprintf("%s: %v", file, err)}
	}
	return s, nil
}

// extensions of a template's file, which are no part of its stack's name.
var extensions = []string{".json", ".yaml", ".yml", ".template"}

// readLoneTemplate reads a template outside of an assembly. An asset manifest
// that lies beside it, as in an assembly, says where assets are.
func readLoneTemplate(file string) (*stack, error) {
	t, err := readTemplate(file)
	if err != nil {
		return nil, err
	}
	if len(t.Resources) == 0 {
		return nil, &InputError{fmt.Sprintf("%s: no Resources; it is no CloudFormation template", file)}
	}
	name := filepath.Base(file)
	for slices.Contains(extensions, filepath.Ext(name)) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	s := &stack{id: name, name: name, path: name, dir: filepath.Dir(file), template: t, account: unknownAccount, region: unknownRegion}
	if err := s.expand(); err != nil {
		return nil, &InputError{fmt.Sprintf("%s: %v", file, err)}
	}
	if err := s.readAssets(filepath.Join(s.dir, name+".assets.json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return s, s.readNested()
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

// readAssets notes where the stack's files and its functions' code lie.
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
