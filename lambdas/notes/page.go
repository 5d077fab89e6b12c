package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Limits of a page.
const (
	defaultLimit = 20
	maxLimit     = 100

	// maxPageBytes leaves room below the 6 MB that a function may answer
	// ("Lambda quotas"). Notes that take more are not asked for in vain: the page
	// ends early and says where the next one begins.
	maxPageBytes = 5 << 20
)

// fit returns how many of the notes fit on a page, at least one. They are
// measured as they leave the function: as JSON within a JSON string.
func fit(notes []note) int {
	size := 0
	for i, n := range notes {
		inner, _ := json.Marshal(n) // texts always marshal
		outer, _ := json.Marshal(string(inner))
		if size += len(outer); size > maxPageBytes && i > 0 {
			return i
		}
	}
	return len(notes)
}

// page is the part of a list that a caller asks for.
type page struct {
	limit  int
	before string // id of the last note of the page before; empty for the first
}

var limitPattern = regexp.MustCompile(`^[0-9]{1,3}$`)

// readPage reads ?limit=…&cursor=….
func readPage(r request, owner string) (page, error) {
	p := page{limit: defaultLimit}
	if values := r.MultiValueQueryStringParameters["limit"]; len(values) > 0 {
		n, err := strconv.Atoi(values[0])
		if len(values) > 1 || err != nil || !limitPattern.MatchString(values[0]) || n < 1 || n > maxLimit {
			return page{}, newProblem(http.StatusBadRequest, "limit is one number from 1 to 100")
		}
		p.limit = n
	}
	if values := r.MultiValueQueryStringParameters["cursor"]; len(values) > 0 {
		id, ok := readCursor(owner, values[0])
		if len(values) > 1 || !ok {
			return page{}, newProblem(http.StatusBadRequest, "cursor is not one that a list of your notes returned as next")
		}
		p.before = id
	}
	return p, nil
}

// sumBytes is how much of a checksum a cursor carries.
const sumBytes = 12

// newCursor names the last note of a page. The checksum binds it to its owner
// and finds mistakes. It is no secret and need not be one: whatever a cursor
// says, a list holds the caller's own notes only.
func newCursor(owner, id string) string {
	sum := sha256.Sum256([]byte(owner + "\x00" + id))
	return base64.RawURLEncoding.EncodeToString(append(sum[:sumBytes], id...))
}

func readCursor(owner, cursor string) (id string, ok bool) {
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) <= sumBytes {
		return "", false
	}
	id = string(data[sumBytes:])
	return id, idPattern.MatchString(id) && newCursor(owner, id) == cursor
}

// idEncoding keeps the order of the bytes, so ids sort by the time they begin with.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// newID makes a note's id: 48 bits of milliseconds, 80 random bits. Notes of
// the same millisecond are in no order.
func newID(now time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16) //nolint:gosec // positive until the year 10889
	_, _ = rand.Read(id[6:])                                        // never fails
	return idEncoding.EncodeToString(id[:])
}
