package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gatewright/gatewright/internal/authn"
)

// readSigningKey reads the RSA private key in a PEM file. Its errors name the
// file and what is in it, never any of its content.
func readSigningKey(file string) (*rsa.PrivateKey, error) {
	data, err := os.ReadFile(file) //nolint:gosec // the caller names the file on purpose
	if err != nil {
		return nil, fmt.Errorf("--signing-key: %w", err)
	}
	key, err := parseSigningKey(data)
	if err != nil {
		return nil, fmt.Errorf("--signing-key %s: %w; openssl genrsa -out key.pem 2048 makes one", file, err)
	}
	return key, nil
}

func parseSigningKey(data []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("not a PEM file")
	}
	if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return nil, errors.New("the key is encrypted, which is not supported here")
	}
	var parsed any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY": // PKCS#1
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY": // PKCS#8
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("holds a %s, not an unencrypted RSA private key", block.Type)
	}
	if err != nil {
		return nil, errors.New("the key is damaged")
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the key is not an RSA key, which RS256 needs")
	}
	if bits := key.N.BitLen(); bits < authn.MinKeyBits || bits > authn.MaxKeyBits {
		return nil, fmt.Errorf("the key has %d bits; RS256 takes %d to %d here", bits, authn.MinKeyBits, authn.MaxKeyBits)
	}
	return key, nil
}
