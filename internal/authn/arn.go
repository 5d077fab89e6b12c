package authn

import "strings"

// maxARNBytes bounds the resource of an authorizer's policy ("Output from an
// API Gateway Lambda authorizer": 512 bytes).
const maxARNBytes = 512

// namesCall reports whether arn is that of a call to method and resource,
// "arn:<partition>:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>",
// and fit to be the resource of a policy: there * and ? stand for anything and
// ${ begins a variable.
func namesCall(arn, method, resource string) bool {
	if len(arn) > maxARNBytes || !fitsARN(arn) || strings.Contains(arn, "${") {
		return false
	}
	rest, ok := strings.CutPrefix(arn, "arn:")
	_, rest, partition := strings.Cut(rest, ":")
	rest, service := strings.CutPrefix(rest, "execute-api:")
	_, rest, region := strings.Cut(rest, ":")
	_, rest, account := strings.Cut(rest, ":")
	_, rest, api := strings.Cut(rest, "/")
	_, rest, stage := strings.Cut(rest, "/")
	called, path, verb := strings.Cut(rest, "/")
	return ok && partition && service && region && account && api && stage && verb &&
		called == method && below(strings.TrimPrefix(resource, "/"), path)
}

func fitsARN(arn string) bool {
	for i := range len(arn) {
		if c := arn[i]; c <= ' ' || c > '~' || c == '*' || c == '?' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// below reports whether a path, without its first slash, is one of the resource.
// API Gateway ignores one slash at a path's end.
func below(resource, path string) bool {
	for {
		want, moreWanted, deeper := strings.Cut(resource, "/")
		if strings.HasPrefix(want, "{") {
			if strings.HasSuffix(want, "+}") {
				return path != ""
			}
			want, _, _ = strings.Cut(path, "/")
			if want == "" {
				return false
			}
		}
		rest, ok := strings.CutPrefix(path, want)
		if !deeper || !ok {
			return ok && (rest == "" || rest == "/")
		}
		if resource = moreWanted; rest == "" || rest[0] != '/' {
			return false
		}
		path = rest[1:]
	}
}
