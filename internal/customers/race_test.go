package customers

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatewright/gatewright/internal/authn"
)

// Many writers on one customer: what one was told is there.
func testManyWriters(t *testing.T, s *Store) {
	c := acme(t, s)
	var group sync.WaitGroup
	var mu sync.Mutex
	var told []string
	for n := range 8 {
		group.Go(func() {
			k, err := s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{Label: fmt.Sprint(n)})
			if err == nil && n%2 == 0 {
				k, err = s.RotateKey(t.Context(), c.ID, k.Key.ID, format, time.Hour)
			}
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			told = append(told, k.Key.ID)
			mu.Unlock()
		})
		group.Go(func() {
			if _, err := s.Change(t.Context(), c.ID, Change{Plan: new(fmt.Sprint("plan", n))}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	got, err := s.Get(t.Context(), c.ID)
	if err != nil || len(got.Keys) != 12 || got.Version != 1+12+8 {
		t.Errorf("%d keys, version %d: %v", len(got.Keys), got.Version, err)
	}
	for _, id := range told {
		if got.index(id) < 0 {
			t.Errorf("key %s is lost", id)
		}
	}
}

// outcomes runs a function many times at once and counts how it ends.
func outcomes(n int, run func() error) (done, refused int, others error) {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = run() })
	}
	group.Wait()
	for _, err := range errs {
		switch {
		case err == nil:
			done++
		case errors.Is(err, ErrRefused):
			refused++
		default:
			others = errors.Join(others, err)
		}
	}
	return done, refused, others
}

func testTwoRotations(t *testing.T, s *Store) {
	c := acme(t, s)
	k := issue(t, s, c.ID, NewKeyRequest{})
	done, refused, err := outcomes(6, func() error {
		_, err := s.RotateKey(t.Context(), c.ID, k.Key.ID, format, time.Hour)
		return err
	})
	got := must(s.Get(t.Context(), c.ID))
	if done != 1 || refused != 5 || err != nil || len(got.Keys) != 2 {
		t.Errorf("%d done, %d refused, %d keys: %v", done, refused, len(got.Keys), err)
	}
}

func testOneKeyTooMany(t *testing.T, s *Store) {
	c := acme(t, s)
	for range MaxLiveKeys - 3 {
		issue(t, s, c.ID, NewKeyRequest{})
	}
	done, refused, err := outcomes(8, func() error {
		_, err := s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{})
		return err
	})
	got := must(s.Get(t.Context(), c.ID))
	if done != 3 || refused != 5 || err != nil || len(got.Keys) != MaxLiveKeys {
		t.Errorf("%d done, %d refused, %d keys: %v", done, refused, len(got.Keys), err)
	}
	_, err = s.RotateKey(t.Context(), c.ID, got.Keys[0].ID, format, time.Hour)
	wantError(t, err, ErrRefused, "rotate without an overlap")
	if _, err = s.RotateKey(t.Context(), c.ID, got.Keys[0].ID, format, 0); err != nil {
		t.Error(err)
	}
}

func testTwoCreations(t *testing.T, s *Store) {
	n := NewCustomer{ID: authn.NewCustomerID(), Name: "Acme"}
	done, _, err := outcomes(6, func() error {
		_, err := s.Create(t.Context(), n)
		return err
	})
	if got := must(s.Get(t.Context(), n.ID)); done != 6 || err != nil || got.Version != 1 {
		t.Errorf("%d done, version %d: %v", done, got.Version, err)
	}
}
