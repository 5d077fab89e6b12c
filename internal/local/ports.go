package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
)

// port is a listener and the name that its URLs carry.
type port struct {
	name     string // "api", "auth", "aws" or "site"
	listener net.Listener
	host     string // "127.0.0.1"
	number   int
}

func (p *port) url() string { return "http://" + p.hostPort(p.host) }

func (p *port) hostPort(host string) string {
	return net.JoinHostPort(host, strconv.Itoa(p.number))
}

// ports are the runtime's listeners: consecutive ports, or free ones where the
// address names port 0.
type ports struct {
	api, auth, aws *port
	site           *port // nil without a website
	exposed        bool
}

// AddressError is an address that cannot be listened on.
type AddressError struct {
	Text string
	Err  error
}

func (e *AddressError) Error() string { return e.Text }
func (e *AddressError) Unwrap() error { return e.Err }

// ExitCode is 2: bad input, or a port that is taken.
func (e *AddressError) ExitCode() int { return 2 }

// lastPort is the last one that leaves room for the others: the user pool's
// endpoints, the AWS endpoint and a website.
const lastPort = 65535 - 3

// CheckListen refuses an address that cannot be served, and one that other
// machines can reach unless expose says that this is meant.
func CheckListen(address string, expose bool) error {
	host, numberText, err := net.SplitHostPort(address)
	if err != nil {
		return &AddressError{fmt.Sprintf("--listen %q is no address; write host and port, such as 127.0.0.1:4010", address), err}
	}
	number, err := strconv.ParseUint(numberText, 10, 16)
	if err != nil || number > lastPort {
		return &AddressError{fmt.Sprintf("--listen %q has no usable port; write 1 to %d, since the next ports are used too, or 0 for free ones", address, lastPort), err}
	}
	if !expose && !isLoopback(host) {
		return &AddressError{Text: fmt.Sprintf("--listen %q can be reached from other machines; write 127.0.0.1:%d, or add --expose if that is meant", address, number)}
	}
	return nil
}

// listen opens every listener or none, and one for a website where there is one.
func listen(ctx context.Context, address string, expose, site bool) (*ports, error) {
	if err := CheckListen(address, expose); err != nil {
		return nil, err
	}
	host, numberText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(numberText)
	if err != nil {
		return nil, err
	}
	p := &ports{exposed: !isLoopback(host)}
	for i, slot := range []struct {
		name string
		port **port
	}{{"api", &p.api}, {"auth", &p.auth}, {"aws", &p.aws}, {"site", &p.site}} {
		if slot.name == "site" && !site {
			continue
		}
		n := 0
		if number != 0 {
			n = number + i
		}
		if *slot.port, err = open(ctx, slot.name, host, n); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func open(ctx context.Context, name, host string, number int) (*port, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(number)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &AddressError{fmt.Sprintf("port %d is taken; stop what uses it, or choose others: --listen %s (the ports from there) or --listen %s (free ones)",
			number, net.JoinHostPort(host, strconv.Itoa(number+1000)), net.JoinHostPort(host, "0")), err}
	}
	if err != nil {
		return nil, &AddressError{fmt.Sprintf("cannot listen on %s: %v", net.JoinHostPort(host, strconv.Itoa(number)), err), err}
	}
	p := &port{name: name, listener: listener, host: host, number: listener.Addr().(*net.TCPAddr).Port}
	if address, err := netip.ParseAddr(host); host == "" || err == nil && address.IsUnspecified() {
		p.host = "127.0.0.1" // the wildcard address is no address to call
	}
	return p, nil
}

// isLoopback reports whether a host is this machine by its spelling. Other
// names are not looked up, because what they mean may change.
func isLoopback(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.IsLoopback()
	}
	return host == "localhost"
}

func (p *ports) close() {
	for _, one := range []*port{p.api, p.auth, p.aws, p.site} {
		if one != nil {
			_ = one.listener.Close() // a server that stopped has closed it already
		}
	}
}

// names are the hosts that a request to a port may name. A foreign one comes
// from a page that pointed its own domain here (DNS rebinding).
func (p *ports) names(one *port) []string {
	names := []string{one.hostPort("127.0.0.1"), one.hostPort("localhost"), one.hostPort("::1")}
	if own := one.hostPort(one.host); !slices.Contains(names, own) {
		names = append(names, own)
	}
	if !p.exposed {
		return names
	}
	// An address cannot be rebound, so every one of this machine's own will do.
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return names
	}
	for _, address := range addresses {
		if network, ok := address.(*net.IPNet); ok {
			names = append(names, one.hostPort(network.IP.String()))
		}
	}
	return names
}
