package assembly

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// maxNested bounds the stacks below one, because a template may nest itself.
const maxNested = 200

// readNested reads the templates of the stacks below one, as far as they lie
// in the assembly.
func (s *stack) readNested() error {
	below := []*stack{s}
	for i := 0; i < len(below); i++ {
		outer := below[i]
		for _, id := range outer.ofType(typeNestedStack) {
			file := outer.nestedTemplate(id)
			if file == "" {
				continue
			}
			if len(below) > maxNested {
				return &InputError{fmt.Sprintf("%s has more than %d nested stacks", s.path, maxNested)}
			}
			t, err := readTemplate(file)
			if err != nil {
				return err
			}
			inner := outer.nest(id, t)
			inner.dir = filepath.Dir(file)
			if err := inner.expand(); err != nil {
				return &InputError{fmt.Sprintf("%s: %v", file, err)}
			}
			outer.nested = append(outer.nested, inner)
			below = append(below, inner)
		}
	}
	return nil
}

// nest makes the stack of a template that another one holds. CDK declares a
// stack "Shop/Search" as "Shop/Search.NestedStack/Search.NestedStackResource".
func (s *stack) nest(id string, t template) *stack {
	construct, _, ok := strings.Cut(s.place(id).Path, ".NestedStack/")
	if !ok {
		construct = s.path + "/" + id
	}
	return &stack{
		id: s.id + "/" + id, name: s.generatedName(id, 128), path: construct, account: s.account, region: s.region,
		assets: s.assets, template: t, parent: s, parentID: id,
	}
}

// nestedTemplate returns the file of a nested stack's template: the asset that
// its TemplateURL names, what CDK says in its Metadata, or a path as the
// package command of the AWS CLI takes it. It is empty where there is none.
func (s *stack) nestedTemplate(id string) string {
	res := s.template.Resources[id]
	url, _ := newResolver(nil, Options{}).resolve(s, res.Properties["TemplateURL"], "").(string)
	if file, ok := s.assets[path.Base(url)]; ok {
		return file
	}
	local, _ := res.Metadata["aws:asset:path"].(string)
	if local == "" && !strings.Contains(url, ":") {
		local = url
	}
	file := filepath.Join(s.dir, filepath.FromSlash(local))
	if info, err := os.Stat(file); local == "" || err != nil || info.IsDir() {
		return ""
	}
	return file
}

// inner returns the nested stack that a resource declares, or nil.
func (r *resolver) inner(s *stack, id string) *stack {
	i := slices.IndexFunc(r.stacks, func(other *stack) bool { return other.parent == s && other.parentID == id })
	if i < 0 {
		return nil
	}
	return r.stacks[i]
}

// withNested returns a stack and all below it, each after the one around it.
func (s *stack) withNested() []*stack {
	all := []*stack{s}
	for _, inner := range s.nested {
		all = append(all, inner.withNested()...)
	}
	return all
}

// object reads a file of the assembly by its place in S3, which is
// "s3://bucket/key" or {"Bucket": …, "Key": …}, as the asset manifest has it.
func (s *stack) object(location any) ([]byte, error) {
	key := objectKey(location)
	file, ok := s.assets[key]
	if !ok {
		return nil, fmt.Errorf("no asset of the assembly has the key %q", key)
	}
	return readFile(file, maxTemplate)
}

func objectKey(location any) string {
	if members, ok := location.(map[string]any); ok {
		return text(members["Key"])
	}
	key := text(location)
	if rest, ok := strings.CutPrefix(key, "s3://"); ok {
		_, key, _ = strings.Cut(rest, "/")
	}
	return key
}

// transform is Fn::Transform, of which AWS::Include is understood: the content
// of a file stands in its place ("AWS::Include transform").
func (r *resolver) transform(s *stack, argument any, at string) any {
	resolved := r.resolve(s, argument, at)
	if u, ok := firstUnknown(resolved); ok {
		return u
	}
	macro, _ := resolved.(map[string]any)
	if name := text(macro["Name"]); name != "AWS::Include" {
		return unknown(at, "Fn::Transform of %q is not understood", name)
	}
	parameters, _ := macro["Parameters"].(map[string]any)
	location := parameters["Location"]
	return r.once(s, "the file "+objectKey(location), at, func() any {
		data, err := s.object(location)
		if err != nil {
			return unknown(at, "%v", err)
		}
		if !r.spend(len(data)) {
			return tooMuch(at)
		}
		value, err := parse(data)
		if err != nil {
			return unknown(at, "the included file: %v", err)
		}
		return r.resolve(s, value, at)
	})
}
