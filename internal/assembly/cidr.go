package assembly

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
)

// maxSubnets is how many Fn::Cidr gives at most.
const maxSubnets = 256

// cidr is Fn::Cidr: so many subnets of a block, each with so many bits for its
// hosts.
func (r *resolver) cidr(s *stack, argument any, at string) any {
	resolved := r.resolve(s, argument, at+".Fn::Cidr")
	if u, ok := firstUnknown(resolved); ok {
		return u
	}
	arguments, _ := resolved.([]any)
	if len(arguments) != 2 && len(arguments) != 3 {
		return unknown(at, "malformed Fn::Cidr")
	}
	subnets, err := subnetsOf(arguments)
	if err != nil {
		return unknown(at, "malformed Fn::Cidr: %v", err)
	}
	return subnets
}

func subnetsOf(arguments []any) ([]any, error) {
	block, err := netip.ParsePrefix(text(arguments[0]))
	if err != nil {
		return nil, err
	}
	count, err := strconv.Atoi(text(arguments[1]))
	if err != nil || count < 1 || count > maxSubnets {
		return nil, fmt.Errorf("a count of %q", text(arguments[1]))
	}
	bits := 8 // hosts of a subnet where none is stated
	if block.Addr().Is6() {
		bits = 64
	}
	if len(arguments) == 3 {
		if bits, err = strconv.Atoi(text(arguments[2])); err != nil {
			return nil, fmt.Errorf("%q host bits", text(arguments[2]))
		}
	}
	length := block.Addr().BitLen() - bits
	free := length - block.Bits()
	if bits < 1 || free < 0 || free < 8 && count > 1<<free {
		return nil, fmt.Errorf("%s holds no %d subnets of %d host bits", block, count, bits)
	}
	var out []any
	address := new(big.Int).SetBytes(block.Masked().Addr().AsSlice())
	step := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	for range count {
		next, _ := netip.AddrFromSlice(address.FillBytes(make([]byte, block.Addr().BitLen()/8)))
		out = append(out, netip.PrefixFrom(next, length).String())
		address.Add(address, step)
	}
	return out, nil
}
