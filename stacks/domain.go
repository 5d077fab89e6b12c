package stacks

import (
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/gatewright/gatewright/constructs/customdomain"
	"github.com/gatewright/gatewright/internal/stagefile"
)

// declareDomain returns nil for a stage without a domain.
func declareDomain(stack constructs.Construct, s stagefile.Stage) *customdomain.Domain {
	if s.Domain == nil {
		return nil
	}
	return customdomain.New(stack, "Domain", customdomain.Props{
		Name:   s.Domain.API,
		Zone:   s.Domain.Zone,
		ZoneID: s.Domain.ZoneID,
	})
}
