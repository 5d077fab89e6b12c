package restapi

// createOnlyValues gathers, when the app is synthesized, the values whose
// change replaces a pool or a target without changing the API's own text, and
// the authorizer's rules. CloudFormation would then update the API's body but
// deploy nothing, because the deployment's logical id follows the text.
type createOnlyValues struct {
	props      Props
	authorizer *authorizer
}

func createOnly(p Props, a *authorizer) *createOnlyValues { return &createOnlyValues{p, a} }

// Produce implements awscdk.IStableAnyProducer.
func (c *createOnlyValues) Produce() any {
	var values []any
	for _, pool := range c.props.UserPools {
		values = append(values, pool.CreateOnly())
	}
	for _, target := range c.props.targets() {
		values = append(values, target.CreateOnly())
	}
	if c.authorizer != nil {
		values = append(values, c.authorizer.function.CreateOnly(), string(c.authorizer.rules))
	}
	return values
}
