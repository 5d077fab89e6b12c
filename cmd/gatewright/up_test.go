package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatewright/gatewright/internal/local"
)

// TestUpHandsOver shows that every flag reaches the runtime. It changes the
// working directory, so it cannot run in parallel.
func TestUpHandsOver(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "cdk.json", []byte(`{"app": "printf '%s' \"$CDK_CONTEXT_JSON\" > $CDK_OUTDIR/manifest.json"}`))
	write(t, "key.pem", pkcs1(key))
	if err := os.Mkdir("other.out", 0o750); err != nil {
		t.Fatal(err)
	}
	write(t, "other.out/manifest.json", []byte("{}"))
	synthesized := filepath.Join(".gatewright", "cdk.out")
	tests := []struct {
		args    string
		want    local.Config // without what is always the same
		context string       // what the app was told, in part
	}{
		{"", local.Config{Assembly: synthesized, Listen: "127.0.0.1:4010"}, `"aws:cdk:bundling-stacks":[]`},
		{"--stage dev", local.Config{Assembly: synthesized, Listen: "127.0.0.1:4010", Stage: "dev"}, `"stage":"dev"`},
		{"--assembly other.out --stage dev --api Shop --listen [::1]:0 --expose --ready-file r.json --signing-key key.pem --no-seed",
			local.Config{Assembly: "other.out", Stage: "dev", API: "Shop", Listen: "[::1]:0", Expose: true, ReadyFile: "r.json", SigningKey: key, NoSeed: true}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var got local.Config
			var stdout, stderr bytes.Buffer
			root := newRootCommand(func(_ context.Context, c local.Config) error { got = c; return nil }, func() {})
			root.SetArgs(append([]string{"up"}, strings.Fields(tt.args)...))
			root.SetOut(&stdout)
			root.SetErr(&stderr)
			if err := root.Execute(); err != nil {
				t.Fatal(err)
			}
			want := tt.want
			if (got.SigningKey == nil) != (want.SigningKey == nil) || got.SigningKey != nil && !got.SigningKey.Equal(want.SigningKey) {
				t.Error("another signing key arrived")
			}
			want.SigningKey = got.SigningKey
			want.AppDir, want.StateDir = ".", ".gatewright"
			want.Stdout, want.Stderr = &stdout, &stderr
			if got != want {
				t.Errorf("got Assembly, Stage, API, Listen, ReadyFile %q %q %q %q %q, Expose, NoSeed %v %v", got.Assembly, got.Stage, got.API, got.Listen, got.ReadyFile, got.Expose, got.NoSeed)
			}
			if data, err := os.ReadFile(filepath.Join(got.Assembly, "manifest.json")); err != nil || !strings.Contains(string(data), tt.context) {
				t.Errorf("the app was told %s, %v; want %s", data, err, tt.context)
			}
		})
	}
}

func TestParseSigningKey(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		pem  []byte
		want string // error; none where empty
	}{
		{"PKCS#1", pkcs1(key), ""},
		{"PKCS#8", pkcs8(t, key), ""},
		{"text before it", append([]byte("my key\n"), pkcs8(t, key)...), ""},
		{"empty", nil, "not a PEM file"},
		{"1,024 bits", pkcs8(t, small), "the key has 1024 bits; RS256 takes 2048 to 4096 here"},
		{"an elliptic curve", pkcs8(t, elliptical), "the key is not an RSA key, which RS256 needs"},
		{"a certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), "holds a CERTIFICATE, not an unencrypted RSA private key"},
		{"encrypted PKCS#8", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}), "holds a ENCRYPTED PRIVATE KEY, not an unencrypted RSA private key"},
		{"encrypted PKCS#1", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED"}, Bytes: []byte{1}}),
			"the key is encrypted, which is not supported here"},
		{"cut off", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)[:100]}), "the key is damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseSigningKey(tt.pem)
			switch {
			case tt.want != "" && (err == nil || err.Error() != tt.want):
				t.Errorf("got %v, want %s", err, tt.want)
			case tt.want == "" && (err != nil || !got.Equal(key)):
				t.Errorf("another key, or an error: %v", err)
			}
		})
	}
}

func pkcs1(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
