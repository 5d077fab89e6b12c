package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// port is a listener and the name that its URLs carry.
type port struct {
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

// listen opens every listener or none. An address that other machines reach
// must be meant.
func listen(ctx context.Context, address string, expose bool) (*ports, error) {
	host, numberText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &AddressError{fmt.Sprintf("%q is no address to listen on; write host:port", address), err}
	}
	number, err := strconv.ParseUint(numberText, 10, 16)
	if err != nil {
		return nil, &AddressError{fmt.Sprintf("%q is no port to listen on", numberText), err}
	}
	loopback, err := isLoopback(ctx, host)
	if err != nil {
		return nil, &AddressError{fmt.Sprintf("%q is no host to listen on: %v", host, err), err}
	}
	if !loopback && !expose {
		return nil, &AddressError{Text: fmt.Sprintf("%q can be reached from other machines", host)}
	}
	p := &ports{exposed: !loopback}
	for i, slot := range []**port{&p.api, &p.auth, &p.aws} {
		n := 0
		if number != 0 {
			n = int(number) + i
		}
		if *slot, err = open(ctx, host, n); err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func open(ctx context.Context, host string, number int) (*port, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(number)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &AddressError{fmt.Sprintf("port %d is taken; stop what uses it, or choose others: --listen %s (three ports from there) or --listen %s (free ones)",
			number, net.JoinHostPort(host, strconv.Itoa(number+1000)), net.JoinHostPort(host, "0")), err}
	}
	if err != nil {
		return nil, &AddressError{fmt.Sprintf("cannot listen on %s: %v", net.JoinHostPort(host, strconv.Itoa(number)), err), err}
	}
	p := &port{listener: listener, host: host, number: listener.Addr().(*net.TCPAddr).Port}
	if address, err := netip.ParseAddr(host); host == "" || err == nil && address.IsUnspecified() {
		p.host = "127.0.0.1" // the wildcard address is no address to call
	}
	return p, nil
}

// isLoopback reports whether a host is this machine and no other machine's way
// to it.
func isLoopback(ctx context.Context, host string) (bool, error) {
	if host == "" {
		return false, nil // every address
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address.IsLoopback(), nil
	}
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return false, err
	}
	for _, address := range addresses {
		if !address.Unmap().IsLoopback() {
			return false, nil
		}
	}
	return true, nil
}

func (p *ports) close() {
	for _, one := range []*port{p.api, p.auth, p.aws} {
		if one != nil {
			_ = one.listener.Close() // a server that stopped has closed it already
		}
	}
}

// names are the hosts that a request to a port may name. A foreign one comes
// from a page that pointed its own domain here (DNS rebinding).
func (p *ports) names(one *port) []string {
	names := []string{one.hostPort(one.host), one.hostPort("localhost"), one.hostPort("127.0.0.1"), one.hostPort("::1")}
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
