package apispec

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// maxCertificateName is the longest first name of a certificate, in characters
// ("RequestCertificate", AWS Certificate Manager).
const maxCertificateName = 64

// domainPattern is a domain name of two labels or more as DNS and certificates
// spell it: lower case, no wildcard, no dot at the end (RFC 1123, section 2.1).
var domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

// CheckDomain reports everything that is wrong with an API's host name and the
// hosted zone that is to answer for it, with the mend. The keys are what its
// errors call the two.
func CheckDomain(nameKey, name, zoneKey, zone string) error {
	nameErr, zoneErr := checkName(nameKey, name), checkName(zoneKey, zone)
	if nameErr != nil || zoneErr != nil {
		return errors.Join(nameErr, zoneErr)
	}
	if len(name) > maxCertificateName {
		return fmt.Errorf("%s %q has %d characters; a certificate takes %d", nameKey, name, len(name), maxCertificateName)
	}
	if !InZone(name, zone) {
		return fmt.Errorf("%s %q is not in the zone %q; write a name such as api.%s", nameKey, name, zone, zone)
	}
	return nil
}

// InZone reports whether a zone's name is the domain name's own or a parent's.
func InZone(name, zone string) bool {
	return name == zone || strings.HasSuffix(name, "."+zone)
}

func checkName(key, name string) error {
	switch plain := strings.ToLower(strings.TrimSuffix(name, ".")); {
	case name == "":
		return fmt.Errorf("no %s; write a domain name such as example.com", key)
	case strings.Contains(name, "*"):
		return fmt.Errorf("%s %q has a wildcard; write one name out", key, name)
	case len(plain) > 253 || !domainPattern.MatchString(plain):
		return fmt.Errorf("%s %q is no domain name; write one such as example.com, without scheme and path", key, name)
	case plain != name:
		return fmt.Errorf("%s %q is not in the usual form; write %s", key, name, plain)
	}
	return nil
}
