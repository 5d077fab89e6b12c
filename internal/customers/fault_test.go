package customers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/gatewright/gatewright/internal/authn"
)

// fault is what may happen to one request: it decides whether and when the request
// reaches the table, and what comes back.
type fault func(r *http.Request, table http.RoundTripper) (*http.Response, error)

func dynamoError(status int, code string) fault {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		return answerWith(r, status, `{"__type":"com.amazonaws.dynamodb.v20120810#`+code+`","message":"injected"}`), nil
	}
}

// hang waits until the request is given up.
func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// after lets the table do it and loses or spoils the answer.
func after(spoil fault) fault {
	return func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
		if answer, err := table.RoundTrip(r); err != nil || answer.StatusCode != http.StatusOK {
			return answer, err
		}
		return spoil(r, table)
	}
}

var faults = map[string]fault{
	"throughput": dynamoError(400, "ProvisionedThroughputExceededException"),
	"throttling": dynamoError(400, "ThrottlingException"),
	"requests":   dynamoError(400, "RequestLimitExceeded"),
	"500 before": dynamoError(500, "InternalServerError"),
	"503 before": dynamoError(503, "ServiceUnavailable"),
	"502 of others": func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		return answerWith(r, 502, "<html>"), nil
	},
	"400 uncoded": func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		return answerWith(r, 400, "{}"), nil
	},
	"400 of others": func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		return answerWith(r, 400, "<html>"), nil
	},
	"reset before": func(*http.Request, http.RoundTripper) (*http.Response, error) {
		return nil, errors.New("connection reset")
	},
	"hang before": func(r *http.Request, _ http.RoundTripper) (*http.Response, error) { return hang(r) },
	"500 after":   after(dynamoError(500, "InternalServerError")),
	"reset after": after(func(*http.Request, http.RoundTripper) (*http.Response, error) {
		return nil, errors.New("connection reset")
	}),
	"hang after": after(func(r *http.Request, _ http.RoundTripper) (*http.Response, error) { return hang(r) }),
	"cut off": func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
		answer, err := table.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, _ := io.ReadAll(answer.Body)
		cut := answerWith(r, answer.StatusCode, "")
		cut.ContentLength = int64(len(body))
		cut.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:len(body)/2])), brokenReader{}))
		return cut, nil
	},
	"slow": func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
		time.Sleep(3 * time.Second)
		return table.RoundTrip(r)
	},
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// faulty is a table whose requests some faults happen to.
type faulty struct {
	table http.RoundTripper

	mu     sync.Mutex
	next   func(operation string) fault // nil where the request passes
	counts map[string]int
}

func (f *faulty) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	if f.counts == nil {
		f.counts = map[string]int{}
	}
	f.counts[operationOf(r)]++
	var happens fault
	if f.next != nil {
		happens = f.next(operationOf(r))
	}
	f.mu.Unlock()
	if happens == nil {
		return f.table.RoundTrip(r)
	}
	return happens(r, f.table)
}

// times lets a fault happen to the first n requests of an operation.
func (f *faulty) times(n int, operation string, happens fault) {
	f.next = func(o string) fault {
		if o != operation || n == 0 {
			return nil
		}
		n--
		return happens
	}
}

// puts lets each write happen as its number, from 1 on, says.
func (f *faulty) puts(happens func(n int) fault) {
	n := 0
	f.next = func(operation string) fault {
		if operation != "PutItem" {
			return nil
		}
		n++
		return happens(n)
	}
}

// inBubble runs a test on fake time, with a store on a faulty table that passes
// everything at first.
func inBubble(t *testing.T, test func(t *testing.T, s *Store, f *faulty)) {
	synctest.Test(t, func(t *testing.T) {
		f := &faulty{table: newInProcess(t)}
		test(t, storeOver(f), f)
	})
}

// Every operation goes through every fault, if it does not last, and happens once.
func TestFaultsPass(t *testing.T) {
	t.Parallel()
	for name, happens := range faults {
		for _, operation := range []string{"GetItem", "PutItem"} {
			t.Run(operation+" "+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, s *Store, f *faulty) {
					n := NewCustomer{Name: "Acme", Scopes: []string{"a/x"}}
					f.times(2, operation, happens)
					c, err := s.Create(t.Context(), n)
					if err != nil {
						t.Fatal(err)
					}
					f.times(2, operation, happens)
					first, err := s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{})
					if err != nil {
						t.Fatal(err)
					}
					f.times(2, operation, happens)
					second, err := s.RotateKey(t.Context(), c.ID, first.Key.ID, format, time.Hour)
					if err != nil {
						t.Fatal(err)
					}
					f.times(2, operation, happens)
					if c, err = s.Change(t.Context(), c.ID, Change{Plan: new("pro")}); err != nil {
						t.Fatal(err)
					}
					f.times(2, operation, happens)
					if c, err = s.RevokeKey(t.Context(), c.ID, second.Key.ID); err != nil {
						t.Fatal(err)
					}
					got := must(s.Get(t.Context(), c.ID))
					if got.Version != 5 || got.Plan != "pro" || len(got.Keys) != 2 || got.Keys[1].Revoked.IsZero() || got.Keys[1].Digest != second.Key.Digest {
						t.Errorf("%+v", got)
					}
				})
			})
		}
	}
}

// Where a fault lasts, an error says what is known, within a bounded time.
func TestFaultsLast(t *testing.T) {
	t.Parallel()
	for name, happens := range faults {
		if name == "slow" {
			continue // and nothing worse
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, s *Store, f *faulty) {
				c := acme(t, s)
				begun := time.Now()
				f.times(1000, "PutItem", happens)
				changed, err := s.Change(t.Context(), c.ID, Change{Plan: new("free")})
				if took := time.Since(begun); took > changeTimeout+requestTimeLimit {
					t.Errorf("took %s", took)
				}
				f.next = nil
				got := must(s.Get(t.Context(), c.ID))
				switch {
				case strings.HasSuffix(name, "after") || name == "cut off":
					if err != nil || changed.Plan != "free" || got.Plan != "free" || got.Version != 2 {
						t.Errorf("%+v, %v", got, err)
					}
				case slices.Contains([]string{"throughput", "throttling", "requests"}, name):
					if err == nil || errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "nothing was written") || got.Version != 1 {
						t.Errorf("%+v, %v", got, err)
					}
				default:
					wantError(t, err, ErrUnknown, "make the change again")
					if strings.Contains(err.Error(), "nothing was written") {
						t.Errorf("it says both: %v", err)
					}
					if got.Version != 1 {
						t.Errorf("%+v", got)
					}
				}
			})
		})
	}
}

// A table that answers nothing any more leaves the outcome open, and the error says
// how to finish. Running it again finishes it, once.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store, f *faulty) {
		n := NewCustomer{ID: authn.NewCustomerID(), Name: "Acme", Scopes: []string{"a/x"}}
		down := false
		lost := func(operation string) fault { // the first write takes effect, and then all is silent
			if down {
				return faults["hang before"]
			}
			if operation == "PutItem" {
				down = true
				return faults["hang after"]
			}
			return nil
		}
		f.next = lost
		_, err := s.Create(t.Context(), n)
		wantError(t, err, ErrUnknown, "create it again with the id "+n.ID)
		f.next = nil
		if c, err := s.Create(t.Context(), n); err != nil || c.Version != 1 {
			t.Errorf("%+v, %v", c, err)
		}
		down, f.next = false, lost
		_, err = s.CreateKey(t.Context(), n.ID, format, NewKeyRequest{})
		f.next = nil
		got := must(s.Get(t.Context(), n.ID))
		id := got.Keys[0].ID
		wantError(t, err, ErrUnknown, "if gatewright keys list "+n.ID+" shows the key "+id+", nobody has its secret: gatewright keys revoke "+n.ID+" "+id+"; then run this again")
	})
}

// A write that was given up and takes effect later is found, and not done twice.
func TestLateWrite(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store, f *faulty) {
		c := acme(t, s)
		f.times(1, "PutItem", func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
			late := r.Clone(context.Background())
			body := must(io.ReadAll(r.Body))
			late.Body = io.NopCloser(strings.NewReader(string(body)))
			// It comes between the next attempt's read and its write.
			f.mu.Lock()
			f.next = func(operation string) fault {
				if operation != "PutItem" {
					return nil
				}
				f.next = nil
				return func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
					if answer, err := table.RoundTrip(late); err != nil || answer.StatusCode != http.StatusOK {
						t.Errorf("the late write: %v, %v", answer, err)
					}
					return table.RoundTrip(r)
				}
			}
			f.mu.Unlock()
			return nil, errors.New("connection reset")
		})
		k, err := s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{})
		if err != nil {
			t.Fatal(err)
		}
		got := must(s.Get(t.Context(), c.ID))
		if len(got.Keys) != 1 || got.Version != 2 || got.Keys[0].Digest != k.Key.Digest {
			t.Errorf("%+v", got)
		}
	})
}

// A key whose answer was lost is found behind more writes than the item remembers,
// and a rotation is not refused for its own successor.
func TestForgottenRevision(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store, f *faulty) {
		c := acme(t, s)
		other := storeOver(f.table)
		busy := after(func(*http.Request, http.RoundTripper) (*http.Response, error) {
			for n := range maxRevisions + 1 {
				must(other.Change(t.Context(), c.ID, Change{Plan: new(fmt.Sprint("p", n))}))
			}
			return nil, errors.New("connection reset")
		})
		f.times(1, "PutItem", busy)
		k := issue(t, s, c.ID, NewKeyRequest{})
		f.times(1, "PutItem", busy)
		next, err := s.RotateKey(t.Context(), c.ID, k.Key.ID, format, time.Hour)
		if err != nil || len(next.Customer.Keys) != 2 {
			t.Errorf("%+v, %v", next, err)
		}
	})
}

// What the table refuses for good is not tried again, and says where.
func TestRefusedByTable(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"GetItem", "PutItem"} {
		inBubble(t, func(t *testing.T, s *Store, f *faulty) {
			c := acme(t, s)
			f.counts = nil
			f.times(1000, operation, dynamoError(400, "AccessDeniedException"))
			_, err := s.Change(t.Context(), c.ID, Change{Plan: new("free")})
			if err == nil || !strings.Contains(err.Error(), "AccessDenied") || !strings.Contains(err.Error(), c.ID) || errors.Is(err, ErrUnknown) || f.counts[operation] != 1 {
				t.Errorf("%d requests: %v", f.counts[operation], err)
			}
		})
	}
}

// Others that are faster each time are a conflict, after a bounded number of
// attempts.
func TestConflict(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store, f *faulty) {
		c := acme(t, s)
		other := storeOver(f.table)
		writes := 0
		f.puts(func(n int) fault {
			writes = n
			return func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
				if _, err := other.Change(t.Context(), c.ID, Change{Plan: new(fmt.Sprint(n))}); err != nil {
					t.Error(err)
				}
				return table.RoundTrip(r)
			}
		})
		_, err := s.Change(t.Context(), c.ID, Change{Name: new("other")})
		wantError(t, err, ErrConflict, "nothing of this was written")
		if got := must(other.Get(t.Context(), c.ID)); writes != maxAttempts || got.Name != c.Name || got.Version != 1+writes {
			t.Errorf("%d writes, %+v", writes, got)
		}
	})
}

// A caller who gives up learns what is known.
func TestCancelled(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]bool{"hang after": true, "hang before": false} {
		inBubble(t, func(t *testing.T, s *Store, f *faulty) {
			c := acme(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			f.times(1, "PutItem", faults[name])
			changed, err := s.Change(ctx, c.ID, Change{Plan: new("free")})
			if known && (err != nil || changed.Plan != "free") {
				t.Errorf("%s: %+v, %v", name, changed, err)
			}
			if !known {
				wantError(t, err, ErrUnknown, "make the change again")
			}
		})
	}
}

// An attempt that was not answered cannot take effect any more once others have
// written. Then it is known that nothing was written.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		later  fault // nil where the caller gives up
		others int
		known  bool
	}{
		"tried again":         {faults["throttling"], 1, true},
		"given up":            {nil, 1, true},
		"still remembered":    {nil, maxRevisions, true},
		"no longer":           {nil, maxRevisions + 1, false},
		"tried, no longer so": {faults["throttling"], maxRevisions + 1, false},
	} {
		inBubble(t, func(t *testing.T, s *Store, f *faulty) {
			c := acme(t, s)
			other := storeOver(f.table)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			f.puts(func(n int) fault {
				if n > 1 {
					return tt.later
				}
				return func(*http.Request, http.RoundTripper) (*http.Response, error) {
					for n := range tt.others {
						must(other.Change(t.Context(), c.ID, Change{Plan: new(fmt.Sprint("other", n))}))
					}
					if tt.later == nil {
						cancel()
					}
					return nil, errors.New("connection reset")
				}
			})
			_, err := s.Change(ctx, c.ID, Change{Plan: new("free")})
			if err == nil || errors.Is(err, ErrUnknown) == tt.known || strings.Contains(err.Error(), "nothing was written") != tt.known {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// What was written and not answered is not written again over what others have
// made of it since.
func TestChangedAfterwards(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store, f *faulty) {
		c := acme(t, s)
		other := storeOver(f.table)
		f.times(1, "PutItem", after(func(*http.Request, http.RoundTripper) (*http.Response, error) {
			must(other.Change(t.Context(), c.ID, Change{Plan: new("gold")}))
			return nil, errors.New("connection reset")
		}))
		must(s.Change(t.Context(), c.ID, Change{Plan: new("free")}))
		if got := must(s.Get(t.Context(), c.ID)); got.Plan != "gold" || got.Version != c.Version+2 {
			t.Errorf("%s, version %d", got.Plan, got.Version)
		}
	})
}

// A change is never written over an item that another table, a backup or a hand has
// put in its place meanwhile, though one of its two marks be the same.
func TestReplacedItem(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(*Customer){
		"the same version":   func(c *Customer) { c.revisions = "restored" },
		"the same revisions": func(c *Customer) { c.Version++ },
	} {
		inBubble(t, func(t *testing.T, s *Store, f *faulty) {
			c := acme(t, s)
			f.times(1, "PutItem", func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
				replaced := must(storeOver(table).Get(t.Context(), c.ID))
				replaced.Plan = "restored"
				replace(replaced)
				must(clientOf("http://table.invalid", table).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &s.table, Item: must(encode(replaced))}))
				return table.RoundTrip(r)
			})
			must(s.Change(t.Context(), c.ID, Change{Name: new("other")}))
			if got := must(s.Get(t.Context(), c.ID)); got.Plan != "restored" || got.Name != "other" {
				t.Errorf("%s: %s of plan %s", name, got.Name, got.Plan)
			}
		})
	}
}

// Of two attempts without an answer the first may have been written, and be
// forgotten by now.
func TestFirstOfTwoForgotten(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store, f *faulty) {
		c := acme(t, s)
		other := storeOver(f.table)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		puts := 0
		f.puts(func(n int) fault {
			puts = n
			return func(r *http.Request, table http.RoundTripper) (*http.Response, error) {
				others := 1
				if n == 1 {
					must(table.RoundTrip(r))
					others = maxRevisions
				} else {
					cancel()
				}
				for i := range others {
					must(other.Change(t.Context(), c.ID, Change{Plan: new(fmt.Sprintf("other-%d-%d", n, i))}))
				}
				return nil, errors.New("connection reset")
			}
		})
		_, err := s.Change(ctx, c.ID, Change{Plan: new("free")})
		wantError(t, err, ErrUnknown, "make the change again")
		if puts != 2 {
			t.Errorf("%d attempts", puts)
		}
	})
}

// Many writers on a table that fails often: what one was told is there, once.
func TestFaultyCrowd(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store, f *faulty) {
		c := acme(t, s)
		names := []string{"throttling", "500 after", "hang after", "hang before", "cut off", "reset before", "slow"}
		asked := 0
		f.next = func(string) fault {
			if asked++; asked%3 != 0 {
				return nil
			}
			return faults[names[asked/3%len(names)]]
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		told := map[string]bool{}
		for range 6 {
			group.Go(func() {
				for range 3 {
					k, err := s.CreateKey(t.Context(), c.ID, format, NewKeyRequest{})
					if err != nil {
						if !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrConflict) && !strings.Contains(err.Error(), "nothing was written") {
							t.Error(err)
						}
						continue
					}
					mu.Lock()
					told[k.Key.ID] = true
					mu.Unlock()
				}
			})
		}
		group.Wait()
		f.next = nil
		got := must(s.Get(t.Context(), c.ID))
		for id := range told {
			if got.index(id) < 0 {
				t.Errorf("key %s is lost", id)
			}
		}
		if len(told) < 6 || got.Version != 1+len(got.Keys) {
			t.Errorf("told of %d keys; there are %d, version %d", len(told), len(got.Keys), got.Version)
		}
	})
}
