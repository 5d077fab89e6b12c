package stagefile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/gatewright/gatewright/internal/apispec"
	"github.com/gatewright/gatewright/internal/strictyaml"
)

// logRetentions are the days that a log group takes ("PutRetentionPolicy",
// Amazon CloudWatch Logs API reference).
var logRetentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

// zoneIDPattern is a hosted zone's id ("HostedZone", Amazon Route 53 API
// reference).
var zoneIDPattern = regexp.MustCompile(`^Z[A-Z0-9]{1,31}$`)

// redirects reads URIs to which Cognito sends browsers.
func (r *reader) redirects(value ast.Node, key, example string, ownSchemes bool) []string {
	list, ok := value.(*ast.SequenceNode)
	if !ok {
		r.At(value, "%s is not a list; write [%s]", key, example)
		return nil
	}
	if len(list.Values) > apispec.MaxRedirects {
		r.At(value, "%s has %d entries; Cognito takes %d", key, len(list.Values), apispec.MaxRedirects)
	}
	var uris []string
	for i, item := range list.Values {
		at := fmt.Sprintf("%s[%d]", key, i)
		uri, ok := r.Text(item, at, example)
		if !ok {
			continue
		}
		if err := apispec.CheckRedirect(uri, ownSchemes); err != nil {
			r.At(item, "%s %v", at, err)
		}
		if slices.Contains(uris, uri) {
			r.At(item, "%s %q stands there twice; keep one", at, uri)
		}
		uris = append(uris, uri)
	}
	return uris
}

// flag reads true or false. The mend says when true is meant.
func (r *reader) flag(value ast.Node, key, mend string, into *bool) {
	node, ok := value.(*ast.BoolNode)
	if !ok {
		r.At(value, "%s is neither true nor false; write %s", key, mend)
		return
	}
	*into = node.Value
}

func (r *reader) throttle(value ast.Node) {
	t := &r.stage.Throttle
	r.Object(value, "throttle", "{rate: 100, burst: 200}", []strictyaml.Field{
		{Key: "rate", Read: func(n ast.Node) { t.Rate = r.number(n, "throttle.rate", "requests a second", 10_000) }},
		{Key: "burst", Read: func(n ast.Node) {
			burst := r.number(n, "throttle.burst", "requests", 5_000)
			if t.Burst = int(burst); float64(t.Burst) != burst {
				r.At(n, "throttle.burst is %s; write a whole number", n.GetToken().Value)
			}
		}},
	})
}

// number reads a positive number up to what an account has by default ("Quotas
// for configuring and running a REST API", Amazon API Gateway).
func (r *reader) number(value ast.Node, key, unit string, most float64) float64 {
	var number float64
	switch node := value.(type) {
	case *ast.IntegerNode:
		digits := strings.ReplaceAll(node.GetToken().Value, "_", "")
		whole, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || len(digits) > 1 && digits[0] == '0' {
			// Versions of YAML do not agree on what 010 is.
			r.At(value, "%s is %s; write a whole number in base 10, without a 0 before it", key, node.GetToken().Value)
			return 0
		}
		number = float64(whole)
	case *ast.FloatNode:
		number = node.Value
	default:
		r.At(value, "%s takes a number of %s, not a value of type %s", key, unit, strings.ToLower(value.Type().String()))
		return 0
	}
	if !(number > 0 && number <= most) { // also what is not a number at all
		r.At(value, "%s is %s; write more than 0 and at most %.0f %s, which is what an account has by default", key, value.GetToken().Value, most, unit)
		return 0
	}
	return number
}

func (r *reader) logRetention(value ast.Node) {
	node, ok := value.(*ast.IntegerNode)
	days, err := strconv.Atoi(value.GetToken().Value)
	if !ok || node == nil || err != nil || !slices.Contains(logRetentions, days) {
		r.At(value, "logRetention takes a number of days that CloudWatch knows, not %s; write one of %s", value.GetToken().Value, strings.Trim(fmt.Sprint(logRetentions), "[]"))
		return
	}
	r.stage.LogRetentionDays = days
}

func (r *reader) domain(value ast.Node) {
	d := &Domain{}
	text := func(key string, into *string, example string) strictyaml.Field {
		return strictyaml.Field{Key: key, Read: func(n ast.Node) {
			*into, _ = r.Text(n, "domain."+key, example)
			r.places["domain."+key] = n.GetToken()
		}}
	}
	if !r.Object(value, "domain", "{zone: example.com, api: api.example.com}", []strictyaml.Field{
		text("zone", &d.Zone, "example.com"), text("zoneId", &d.ZoneID, "Z0123456789ABCDEFGHIJ"), text("api", &d.API, "api.example.com"),
	}, "zone", "api") {
		return
	}
	r.stage.Domain = d
	if at := r.places["domain.zoneId"]; at != nil && !zoneIDPattern.MatchString(d.ZoneID) {
		r.Report(at, "domain.zoneId %q is no hosted zone's id; write what follows /hostedzone/, such as Z0123456789ABCDEFGHIJ", d.ZoneID)
	}
	if d.Zone == "" || d.API == "" {
		return // reported already
	}
	if err := apispec.CheckDomain("domain.api", d.API, "domain.zone", d.Zone); err != nil {
		r.Report(r.places["domain.api"], "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}
