package customers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/internal/authn"
)

// Bounds of one change.
const (
	maxAttempts      = 20
	changeTimeout    = 30 * time.Second // of all attempts
	requestTimeLimit = 5 * time.Second  // of one request
	firstPause       = 20 * time.Millisecond
	maxPause         = time.Second

	// maxRevisions is how many writes an item remembers: a writer that got no
	// answer finds its own as long as no more have followed.
	maxRevisions = 10
)

// change makes a customer's next state of the one that is there, which is nil
// where there is none. It may alter what it gets. It returns nil where nothing is
// to be done. It is called once for each attempt.
type change func(old *Customer, now time.Time) (*Customer, error)

// writing is one change under way, over all of its attempts.
type writing struct {
	store  *Store
	id     string
	change change
	finish string // what to run where the outcome is not known

	own  []string // revisions of all attempts
	last error    // why the last attempt failed

	// open says that an attempt was not answered: the first on one version, and the
	// last on another. It may still take effect, as long as the item has its version.
	open           bool
	first, version int
}

// write makes a change, and returns the customer as it is then.
func (s *Store) write(ctx context.Context, id, finish string, make change) (*Customer, error) {
	if !authn.ValidCustomerID(id) {
		return nil, s.noCustomer(id)
	}
	w := &writing{store: s, id: id, change: make, finish: finish}
	bounded, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	for attempt := range maxAttempts {
		if attempt > 0 && !pause(bounded, attempt) {
			w.last = fmt.Errorf("%w; %w", w.last, context.Cause(bounded))
			break
		}
		c, again, err := w.attempt(bounded)
		switch {
		case again:
			w.last = err
		case err != nil && w.open:
			return w.settle(ctx, err)
		default:
			return c, err
		}
	}
	return w.settle(ctx, nil)
}

// failure is the error of a change that was not written at all.
func (w *writing) failure() error {
	if fateOf(w.last) == fateConflict {
		return &Error{Kind: ErrConflict, Cause: w.last, text: fmt.Sprintf(
			"customer %s was changed by others in each of up to %d attempts, and nothing of this was written; run it again", w.id, maxAttempts)}
	}
	return fmt.Errorf("nothing was written: %w", w.last)
}

// attempt reads, changes and writes once. again says that another attempt may do
// better.
func (w *writing) attempt(ctx context.Context) (c *Customer, again bool, err error) {
	old, err := w.read(ctx)
	if err != nil {
		return nil, fateOf(err) != fateFinal, err
	}
	if w.wrote(old) {
		w.open = false
		return old, false, nil
	}
	condition := conditionOn(old)
	version := versionOf(old)
	now := w.store.clock()
	next, err := w.change(old, now)
	switch {
	case err != nil:
		return nil, false, err
	case next == nil:
		return old, false, nil
	}
	next.Version, next.Updated = version+1, now
	next.forget(now)
	err = w.put(ctx, next, condition)
	if err == nil {
		w.open = false
		return next, false, nil
	}
	fate := fateOf(err)
	if fate == fateUnclear {
		if !w.open {
			w.first = version
		}
		w.open, w.version = true, version
	}
	return nil, fate != fateFinal, err
}

// settle ends a change after an error, or, where err is nil, after the last attempt.
// Where an attempt is open it finds out what became of it.
func (w *writing) settle(ctx context.Context, err error) (*Customer, error) {
	unwritten := err
	if err == nil {
		err, unwritten = w.last, w.failure()
	}
	if !w.open {
		return nil, unwritten
	}
	c, unread := w.read(context.WithoutCancel(ctx)) // the caller may have given up
	switch {
	case unread == nil && w.wrote(c):
		return c, nil
	case unread == nil && versionOf(c) > w.version && versionOf(c)-w.first <= maxRevisions:
		return nil, unwritten // what was not answered fails on its condition by now
	}
	return nil, &Error{Kind: ErrUnknown, Cause: errors.Join(err, unread), text: fmt.Sprintf("it is not known whether this was written: %v; %s", err, w.finish)}
}

// read reads the customer; nil where there is none.
func (w *writing) read(ctx context.Context) (*Customer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeLimit)
	defer cancel()
	c, err := w.store.Get(ctx, w.id)
	if errors.Is(err, authn.ErrNoCustomer) {
		return nil, nil
	}
	return c, err
}

// put writes a customer once, without the SDK's own retries: of each attempt it
// must be known whether it was answered.
func (w *writing) put(ctx context.Context, c *Customer, on condition) error {
	revision := rand.Text()
	w.own = append(w.own, revision)
	earlier := strings.Fields(c.revisions)
	c.revisions = strings.Join(append([]string{revision}, earlier[:min(len(earlier), maxRevisions-1)]...), " ")
	i, err := encode(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeLimit)
	defer cancel()
	_, err = w.store.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &w.store.table, Item: i,
		ConditionExpression: &on.expression, ExpressionAttributeNames: on.names, ExpressionAttributeValues: on.values,
	}, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		return fmt.Errorf("write customer %s in table %s: %w", w.id, w.store.table, err)
	}
	return nil
}

// wrote reports whether the customer holds one of the writing's own revisions.
func (w *writing) wrote(c *Customer) bool {
	return c != nil && slices.ContainsFunc(strings.Fields(c.revisions), func(r string) bool { return slices.Contains(w.own, r) })
}

// condition holds a write to the item that was read. Names stand behind # as some
// are reserved words ("Reserved words in DynamoDB").
type condition struct {
	expression string
	names      map[string]string
	values     item
}

func conditionOn(old *Customer) condition {
	if old == nil {
		return condition{"attribute_not_exists(#id)", map[string]string{"#id": attributeID}, nil}
	}
	return condition{
		// A table that was restored from a backup may have the version again.
		"#version = :version AND #revisions = :revisions",
		map[string]string{"#version": attributeVersion, "#revisions": attributeRevisions},
		item{":version": number(old.Version), ":revisions": text(old.revisions)},
	}
}

func versionOf(c *Customer) int {
	if c == nil {
		return 0
	}
	return c.Version
}

// clock is the time as it is kept.
func (s *Store) clock() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// pause waits before an attempt, longer each time and never two writers alike. It
// returns false where the context ends first.
func pause(ctx context.Context, attempt int) bool {
	longest := min(firstPause<<min(attempt, 10), maxPause)
	timer := time.NewTimer(mathrand.N(longest)) //nolint:gosec // no secret
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// forget drops the dead keys beyond the ones that ended last. A live key's
// predecessor stays.
func (c *Customer) forget(now time.Time) {
	dead := map[string]Key{}
	replaced := map[string]bool{}
	for _, k := range c.Keys {
		if k.Live(now) {
			replaced[k.Replaces] = true
		} else {
			dead[k.ID] = k
		}
	}
	latest := slices.SortedFunc(maps.Values(dead), func(a, b Key) int {
		if by := b.ended().Compare(a.ended()); by != 0 {
			return by
		}
		return c.index(b.ID) - c.index(a.ID)
	})
	for _, k := range latest[:min(len(latest), maxDeadKeys)] {
		delete(dead, k.ID)
	}
	c.Keys = slices.DeleteFunc(c.Keys, func(k Key) bool {
		_, beyond := dead[k.ID]
		return beyond && !replaced[k.ID]
	})
}
