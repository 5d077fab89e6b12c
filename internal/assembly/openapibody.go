package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
)

// readBody reads an API's OpenAPI body, if it has one.
func (a *apiReader) readBody(d declared, api *RestAPI) {
	at := d.at + ".Body"
	var body any
	switch {
	case d.has("BodyS3Location"):
		at = d.at + ".BodyS3Location"
		var err error
		if body, err = d.definition(); err != nil {
			a.hidden(at, "%v", err)
			return
		}
	case d.has("Body"):
		body = d.values["Body"]
	default:
		return
	}
	document, ok := body.(map[string]any)
	if !ok {
		d.wrong("Body", body, "an OpenAPI document")
		return
	}
	b := &bodyReader{reader: a.reader, api: api, at: at, body: document, names: versionNamesOf(document)}
	defer func() {
		// The OpenAPI libraries do not expect null where an object is due.
		if recover() != nil {
			a.hidden(at, "a malformed OpenAPI document")
		}
	}()
	b.checkKeys()
	if err := b.load(); err != nil {
		a.hidden(at, "%v", err)
		return
	}
	if policy, ok := document[extensionPolicy]; ok {
		a.readPolicy(api, policy, at+"."+extensionPolicy)
	}
	b.read()
}

// maxDefinition bounds an imported API definition ("Amazon API Gateway quotas").
const maxDefinition = 6 << 20

// definition returns the body that lies in an asset. Nothing in it is resolved.
func (d declared) definition() (any, error) {
	location := d.object("BodyS3Location")
	file, ok := d.stack.assets[location.text("Key")]
	if !ok {
		return nil, errors.New("no asset of the assembly is the OpenAPI document")
	}
	data, err := readFile(file, maxDefinition)
	if err != nil {
		return nil, errors.New("the OpenAPI document cannot be read from its asset")
	}
	return parse(data)
}

// load turns the body into an OpenAPI 3.0 document.
func (b *bodyReader) load() error {
	document := members(b.plain(b.body))
	lifted := b.liftAny(document)
	data, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if b.names.swagger {
		err = b.loadSwagger(data)
	} else {
		err = b.loadOpenAPI(data)
	}
	if err != nil {
		return err
	}
	b.any = map[string]*openapi3.Operation{}
	for _, path := range lifted {
		b.any[path] = b.doc.Paths.Value(path + anySuffix).Put
		b.doc.Paths.Delete(path + anySuffix)
	}
	return nil
}

// anySuffix makes a path's key another one, of no API's.
const anySuffix = "\x00any"

// liftAny copies what stands for any method to an operation of a path of its
// own: the libraries leave an extension as it is, with its references
// unresolved. It returns the paths that have one.
func (b *bodyReader) liftAny(document map[string]any) []string {
	paths, lifted := maps.Clone(members(document["paths"])), []string{}
	for path, item := range members(document["paths"]) {
		if operation, ok := members(item)[extensionAnyMethod]; ok {
			paths[path+anySuffix] = map[string]any{"put": operation}
			lifted = append(lifted, path)
		}
	}
	if len(lifted) > 0 {
		document["paths"] = paths
	}
	return lifted
}

func (b *bodyReader) loadOpenAPI(data []byte) (err error) {
	if b.doc, err = openapi3.NewLoader().LoadFromData(data); err != nil {
		return fmt.Errorf("not an OpenAPI 3.0 document: %w", err)
	}
	if !strings.HasPrefix(b.doc.OpenAPI, "3.0.") {
		return fmt.Errorf("OpenAPI version %q is not understood; API Gateway takes 3.0 and Swagger 2.0", b.doc.OpenAPI)
	}
	return nil
}

func (b *bodyReader) loadSwagger(data []byte) error {
	var doc openapi2.T
	if err := json.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("not a Swagger 2.0 document: %w", err)
	}
	if len(doc.Consumes) == 0 {
		doc.Consumes = []string{"application/json"} // else bodies would have no content type, and so no model
	}
	converted, err := openapi2conv.ToV3(&doc)
	if err != nil {
		return fmt.Errorf("not a Swagger 2.0 document: %w", err)
	}
	b.doc = converted
	for path, item := range doc.Paths {
		for method, op := range item.Operations() {
			if slices.ContainsFunc(slices.Concat(op.Parameters, item.Parameters), func(p *openapi2.Parameter) bool { return p.In == "formData" }) {
				b.problem(b.at+".paths."+strings.TrimSuffix(path, anySuffix)+"."+strings.ToLower(method), "parameters in formData are not understood")
			}
		}
	}
	return nil
}

// plain returns a part of the body without what is unknown in it, which is a
// problem except in texts for people. Integrations and policies are left out:
// they are read from the body itself.
func (b *bodyReader) plain(value any) any {
	switch v := value.(type) {
	case Unknown:
		b.problem(v.At, "%s", v.Reason)
		return nil
	case []any:
		out := make([]any, 0, len(v))
		for _, member := range v {
			if kept := b.plain(member); kept != nil {
				out = append(out, kept)
			}
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			u, unknown := firstUnknown(member)
			switch {
			case name == extensionIntegration, name == extensionPolicy:
			case !unknown:
				out[name] = member
			case slices.Contains(proseKeys, name):
				if _, whole := member.(Unknown); whole {
					member = "unknown"
				}
				out[name] = withoutUnknown(member)
			case name == "security":
				// A requirement that is left out would leave the operation open.
				b.problem(u.At, "%s", u.Reason)
				out[name] = []any{map[string]any{"unknown": []any{}}}
			default:
				out[name] = b.plain(member)
			}
		}
		return out
	default:
		return value
	}
}

// proseKeys hold texts for people.
var proseKeys = []string{"description", "example", "examples", "externalDocs", "summary", "tags", "termsOfService", "title", "url", "version"}
