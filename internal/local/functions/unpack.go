package functions

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// maxUnpacked bounds a function's code ("Lambda quotas": 250 MB unzipped).
const maxUnpacked = 250 << 20

// unpack unpacks a function's zip file into a folder of cacheDir that is named
// after its content, unless that was done before.
func unpack(file, cacheDir string) (string, error) {
	if cacheDir == "" {
		return "", errors.New("there is no cache to unpack it into")
	}
	source, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = source.Close() }() // it was only read
	hash := sha256.New()
	size, err := io.Copy(hash, source)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cacheDir, "zip-"+hex.EncodeToString(hash.Sum(nil)[:16]))
	if _, err := os.Stat(dir); err == nil {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // in use: pruneBuilds leaves it
		return dir, nil
	}
	archive, err := zip.NewReader(source, size)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cacheDir, 0o700); err != nil {
		return "", err
	}
	temporary, err := os.MkdirTemp(cacheDir, "unpack-*")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(temporary) }() // gone already where all went well
	left := int64(maxUnpacked)
	for _, member := range archive.File {
		n, err := unpackMember(member, temporary, left)
		if left -= n; err != nil {
			return "", fmt.Errorf("%q: %w", member.Name, err)
		}
	}
	if err := os.Rename(temporary, dir); err != nil {
		if _, other := os.Stat(dir); other != nil {
			return "", err
		}
	}
	return dir, nil
}

// unpackMember writes a file below dir, and returns its size.
func unpackMember(member *zip.File, dir string, left int64) (int64, error) {
	name := filepath.FromSlash(member.Name)
	mode := member.Mode()
	switch {
	case !filepath.IsLocal(name):
		return 0, errors.New("it lies outside of the archive")
	case mode.IsDir():
		return 0, os.MkdirAll(filepath.Join(dir, name), 0o700)
	case !mode.IsRegular():
		return 0, errors.New("it is no file")
	}
	target := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return 0, err
	}
	in, err := member.Open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode.Perm()|0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(out, io.LimitReader(in, left+1))
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err == nil && n > left {
		err = fmt.Errorf("the archive holds more than %d bytes", int64(maxUnpacked))
	}
	return n, err
}
