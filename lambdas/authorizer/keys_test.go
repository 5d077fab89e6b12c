package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/gatewright/gatewright/internal/authn"
)

// send is a call of a route that takes tokens and keys with notes/read.
func (s *stand) send(t *testing.T, change func(*events.APIGatewayCustomAuthorizerRequestTypeRequest), authorization ...string) string {
	t.Helper()
	event := newEvent(authorization...)
	event.Resource, event.Path, event.MethodArn = "/v1/either", "/v1/either", strings.Replace(methodARN, "/v1/session", "/v1/either", 1)
	if change != nil {
		change(&event)
	}
	answer, err := s.Invoke(t.Context(), marshal(t, event))
	return outcome(t, answer, err)
}

// expectKey sends an Authorization header, and wants an outcome after so many
// reads of the table.
func (s *stand) expectKey(t *testing.T, authorization, want string, reads int) {
	t.Helper()
	before := s.table.readTimes()
	if got := s.send(t, nil, authorization); got != want {
		t.Errorf("%s; want %s; log:\n%s", got, want, s.log.String())
	}
	if got := s.table.readTimes() - before; got != reads {
		t.Errorf("%d reads of the table; want %d", got, reads)
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestKeyAnswer(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	want := `{"principalId":"` + customerID + `","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"Allow","Resource":["` +
		strings.Replace(methodARN, "/v1/session", "/v1/either", 1) + `"]}]},"context":{"kind":"customer","subject":"` + customerID +
		`","client":"","clientId":"","scopes":"notes/read","username":"","customer":"` + customerID + `","key":"` + s.key.ID + `","plan":"gold"}}`
	for _, sent := range []string{"Bearer " + s.key.Text, basic(s.key.BasicUser(), s.key.BasicPassword())} {
		event := newEvent(sent)
		event.Resource, event.MethodArn = "/v1/either", strings.Replace(methodARN, "/v1/session", "/v1/either", 1)
		if answer, err := s.Invoke(t.Context(), marshal(t, event)); err != nil || string(answer) != want {
			t.Errorf("got  %s, %v\nwant %s", answer, err, want)
		}
	}
	// A route that does not take them answers 403 to whoever is known, and 401 to all others.
	s.expectAt(t, "/v1/session", "/v1/session", s.key.Text, forbidden)
	s.expectAt(t, "/v1/write", "/v1/write", s.key.Text, forbidden)
	s.expectAt(t, "/v1/write", "/v1/write", goodToken(t), forbidden)
	s.expectAt(t, "/v1/session", "/v1/session", keyFormat.NewKey(customerID).Text, unauthorized)
}

// TestSurviveKeys holds the rows of the request path's survival list that are
// about keys and Basic, each as an event to the function.
func TestSurviveKeys(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, *stand){
		"24_bad_prefix_or_checksum": func(t *testing.T, s *stand) {
			for _, text := range []string{"sk" + s.key.Text[2:], "GW" + s.key.Text[2:], s.key.Text[:len(s.key.Text)-1] + "-", s.key.Text[:30], s.key.Text + "0", "gw_", "gw_dev_x_y"} {
				s.expectKey(t, "Bearer "+text, unauthorized, 0)
			}
			last := byte('0')
			if s.key.Text[len(s.key.Text)-1] == last {
				last = '1'
			}
			s.expectKey(t, "Bearer "+s.key.Text[:len(s.key.Text)-1]+string(last), unauthorized, 0)
		},
		"25_unknown_id": func(t *testing.T, s *stand) {
			unknown := "Bearer " + keyFormat.NewKey("000000000000").Text
			s.expectKey(t, unknown, unauthorized, 1)
			s.expectKey(t, unknown, unauthorized, 0) // remembered
			s.clock.forward(authn.FreshFor)
			s.expectKey(t, unknown, unauthorized, 1)
		},
		"26_wrong_secret": func(t *testing.T, s *stand) {
			s.expectKey(t, "Bearer "+keyFormat.NewKey(customerID).Text, unauthorized, 1)
			other := keyFormat.NewKey(customerID)
			s.table.change(func(c *authn.Customer) { c.Keys[0].ID = other.ID })
			s.clock.forward(authn.FreshFor)
			s.expectKey(t, "Bearer "+other.Text, unauthorized, 1)
		},
		"27_revoked": func(t *testing.T, s *stand) {
			s.expectKey(t, "Bearer "+s.key.Text, ok, 1)
			s.table.change(func(c *authn.Customer) { c.Keys[0].Revoked = true })
			s.clock.forward(10*time.Second - 1)
			s.expectKey(t, "Bearer "+s.key.Text, ok, 0)
			s.clock.forward(1)
			s.expectKey(t, "Bearer "+s.key.Text, unauthorized, 1)
		},
		"28_rotation_overlap": func(t *testing.T, s *stand) {
			successor, deadline := keyFormat.NewKey(customerID), s.clock.Now().Add(time.Hour)
			s.table.change(func(c *authn.Customer) {
				c.Keys[0].Expires = deadline
				c.Keys = append(c.Keys, authn.CustomerKey{ID: successor.ID, Digest: successor.Digest, Scopes: []string{"notes/read"}})
			})
			s.expectKey(t, "Bearer "+s.key.Text, ok, 1)
			s.expectKey(t, "Bearer "+successor.Text, ok, 0)
			s.clock.forward(time.Hour - 1)
			s.expectKey(t, "Bearer "+s.key.Text, ok, 1)
			s.clock.forward(1) // the deadline itself, whatever is remembered
			s.expectKey(t, "Bearer "+s.key.Text, unauthorized, 0)
			s.expectKey(t, "Bearer "+successor.Text, ok, 0)
		},
		"29_expired_or_suspended": func(t *testing.T, s *stand) {
			s.table.change(func(c *authn.Customer) { c.Keys[0].Expires = s.clock.Now() })
			s.expectKey(t, "Bearer "+s.key.Text, unauthorized, 1)
			for _, status := range []authn.Status{authn.StatusSuspended, authn.StatusClosed, ""} {
				s.table.change(func(c *authn.Customer) { c.Keys[0].Expires, c.Status = time.Time{}, status })
				s.clock.forward(authn.FreshFor)
				s.expectKey(t, "Bearer "+s.key.Text, forbidden, 1)
			}
		},
		"30_another_stage": func(t *testing.T, s *stand) {
			for _, tag := range []string{"prod", "DEV", "de", "devv"} {
				s.expectKey(t, "Bearer "+authn.KeyFormat{Prefix: "gw", Tag: tag}.NewKey(customerID).Text, unauthorized, 0)
			}
		},
		"31_malformed_basic": func(t *testing.T, s *stand) {
			user, password := s.key.BasicUser(), s.key.BasicPassword()
			for _, sent := range []string{
				"Basic", "Basic ", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+password)), basic(user+"\x00", password), basic(user, "\x00"+password),
				basic("", password), basic(user, ""), basic("", ""), basic(user, password)[:40], basic(user, password) + "=", "Basic !!!!",
				strings.Replace(basic(user, password), "Basic ", "Basic  ", 1), basic(password, user), basic(user, s.key.Text),
			} {
				s.expectKey(t, sent, unauthorized, 0)
			}
			s.expectKey(t, basic(user, password), ok, 1)
		},
		"32_password_with_colons": func(t *testing.T, s *stand) {
			s.expectKey(t, basic(s.key.BasicUser(), s.key.BasicPassword()+":"), unauthorized, 0)
			s.expectKey(t, basic(s.key.BasicUser()+":", s.key.BasicPassword()), unauthorized, 0)
		},
		"33_headers_that_disagree": func(t *testing.T, s *stand) {
			bearer := "Bearer " + s.key.Text
			for _, sent := range [][]string{{bearer, bearer}, {bearer, "Bearer " + goodToken(t)}, {bearer, basic(s.key.BasicUser(), s.key.BasicPassword())}} {
				if got := s.send(t, nil, sent...); got != unauthorized {
					t.Errorf("%d headers: %s", len(sent), got)
				}
			}
		},
		"34_credential_in_the_query": func(t *testing.T, s *stand) {
			for name, value := range map[string]string{"key": s.key.Text, "access_token": "x", "anything": s.key.Text + "x"} {
				inQuery := func(e *events.APIGatewayCustomAuthorizerRequestTypeRequest) {
					e.MultiValueQueryStringParameters = map[string][]string{"q": {"a"}, name: {"b", value}}
				}
				if got := s.send(t, inQuery, "Bearer "+s.key.Text); got != unauthorized {
					t.Errorf("%s beside a header: %s", name, got)
				}
				if got := s.send(t, inQuery); got != unauthorized {
					t.Errorf("%s alone: %s", name, got)
				}
			}
			for name, value := range map[string]string{
				s.key.Text: "", "x": "Bearer " + s.key.Text, "y": "bEARER " + goodToken(t), "token": goodToken(t), "id_token": "x", "Authorization": "x", goodToken(t): "",
			} {
				inQuery := func(e *events.APIGatewayCustomAuthorizerRequestTypeRequest) {
					e.MultiValueQueryStringParameters = map[string][]string{name: {value}}
				}
				if got := s.send(t, inQuery, "Bearer "+goodToken(t)); got != unauthorized {
					t.Errorf("%.12s=%.12s beside a good token: %s", name, value, got)
				}
			}
			harmless := func(e *events.APIGatewayCustomAuthorizerRequestTypeRequest) {
				e.MultiValueQueryStringParameters = map[string][]string{"token": {"next page"}, "q": {"gw", "gwx_y", "g", "", "gw_x", s.key.Text[:12], "Bearer", "Bearer x", "eyJ", "a.b.c", "eyJ.x"}}
			}
			if got := s.send(t, harmless, "Bearer "+s.key.Text); got != ok {
				t.Errorf("a harmless query: %s", got)
			}
		},
		"35_refresh_token": func(t *testing.T, s *stand) {
			s.expectKey(t, "Bearer eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwiYWxnIjoiUlNBLU9BRVAifQ.a.b.c.d", unauthorized, 0)
		},
		"47_table_throttled_or_timed_out": surviveTable,
		"55_existence":                    surviveExistence,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			test(t, s)
			if log := s.log.String() + s.numbers.String(); strings.Contains(log, s.key.BasicPassword()) || strings.Contains(log, s.key.BasicUser()) {
				t.Errorf("a key is in the log:\n%s", log)
			}
		})
	}
}

// surviveTable: what is still fresh goes on, all else is undecided, and nobody
// is allowed.
func surviveTable(t *testing.T, s *stand) {
	for name, answer := range map[string]func(context.Context) error{
		"throttled": func(context.Context) error { return errors.New("ProvisionedThroughputExceededException") },
		"timed out": func(context.Context) error { return context.DeadlineExceeded }, // as authn.CustomerCache has it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			key := "Bearer " + s.key.Text
			s.expectKey(t, key, ok, 1)
			s.table.set(answer)
			s.clock.forward(authn.FreshFor - 1)
			s.expectKey(t, key, ok, 0)
			s.expectKey(t, "Bearer "+keyFormat.NewKey("000000000000").Text, failed, 1)
			s.clock.forward(1)
			s.expectKey(t, key, failed, 1)
			s.expectKey(t, key, failed, 1)
			s.expectKey(t, "Bearer "+goodToken(t), ok, 0)              // tokens need no table
			s.expectKey(t, "Bearer "+s.key.Text[:40], unauthorized, 0) // nor does junk
			s.table.set(nil)
			s.expectKey(t, key, ok, 1)
		})
	}
}

// surviveExistence: neither the answer nor the reads nor the log's reason tell
// whether an id exists.
func surviveExistence(t *testing.T, s *stand) {
	type seen struct {
		outcome string
		reads   int
		line    string
	}
	ask := func(text string) seen {
		before, logged := s.table.readTimes(), len(s.log.String())
		out := seen{outcome: s.send(t, nil, "Bearer "+text)}
		out.reads = s.table.readTimes() - before
		_, out.line, _ = strings.Cut(s.log.String()[logged:], `"level"`)
		return out
	}
	for round := range 3 {
		known, unknown := ask(keyFormat.NewKey(customerID).Text), ask(keyFormat.NewKey("000000000000").Text)
		if known != unknown || known.outcome != unauthorized {
			t.Errorf("round %d: %+v and %+v", round, known, unknown)
		}
		if round == 1 {
			s.clock.forward(authn.FreshFor)
		}
	}
}

// Where the API takes x-api-key, a key counts there, and only one key counts.
func TestKeyHeader(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	other := keyFormat.NewKey(customerID).Text
	inHeader := func(values ...string) func(*events.APIGatewayCustomAuthorizerRequestTypeRequest) {
		return func(e *events.APIGatewayCustomAuthorizerRequestTypeRequest) {
			e.MultiValueHeaders["X-Api-KEY"] = values
		}
	}
	if got := s.send(t, inHeader(s.key.Text)); got != unauthorized {
		t.Errorf("where it is off: %s", got)
	}
	if got := s.send(t, inHeader("of a usage plan"), "Bearer "+s.key.Text); got != ok {
		t.Errorf("an API key of API Gateway's beside: %s", got)
	}
	s = newStand(t, func(r string) string { return strings.Replace(r, `"version":2,`, `"version":2,"keyHeader":true,`, 1) })
	for name, test := range map[string]struct {
		header        []string
		authorization []string
		want          string
	}{
		"alone":                         {[]string{s.key.Text}, nil, ok},
		"the same":                      {[]string{s.key.Text}, []string{"Bearer " + s.key.Text}, ok},
		"another":                       {[]string{other}, []string{"Bearer " + s.key.Text}, unauthorized},
		"beside a token":                {[]string{s.key.Text}, []string{"Bearer " + goodToken(t)}, unauthorized},
		"twice":                         {[]string{s.key.Text, s.key.Text}, nil, unauthorized},
		"none":                          {[]string{}, nil, unauthorized},
		"empty":                         {[]string{""}, nil, unauthorized},
		"a token":                       {[]string{goodToken(t)}, nil, unauthorized},
		"with a scheme":                 {[]string{"Bearer " + s.key.Text}, nil, unauthorized},
		"good beside an unknown Bearer": {[]string{s.key.Text}, []string{"Bearer " + other}, unauthorized},
		"good beside junk Basic":        {[]string{s.key.Text}, []string{basic("a", "b")}, unauthorized},
		"good Bearer beside two others": {[]string{other, other}, []string{"Bearer " + s.key.Text}, unauthorized},
		"another's, junk":               {[]string{"x"}, []string{"Bearer " + s.key.Text}, unauthorized},
	} {
		if got := s.send(t, inHeader(test.header...), test.authorization...); got != test.want {
			t.Errorf("%s: %s; want %s", name, got, test.want)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	key := "Bearer " + s.key.Text
	s.expectKey(t, key, ok, 1) // the first call writes at once
	s.expectKey(t, key, ok, 0)
	s.expectKey(t, "Bearer gw_planted", unauthorized, 0)
	s.expectKey(t, "Bearer gw_planted", unauthorized, 0)
	s.expectAt(t, "/v1/write", "/v1/write", s.key.Text, forbidden)
	s.clock.forward(metricsInterval)
	s.expectKey(t, "Bearer "+goodToken(t), ok, 0)
	type line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
		Function, Reason        string
		Allowed, Refused        *int
		TableReads, KeySetReads *int
		Latency                 []int64
	}
	var lines []line
	for text := range strings.Lines(s.numbers.String()) {
		var l line
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, l)
		directive := l.AWS.CloudWatchMetrics[0]
		dimensions := []string{"Function"}
		if l.Reason != "" {
			dimensions = append(dimensions, "Reason")
		}
		if l.AWS.Timestamp < 1.7e12 || directive.Namespace != "Gatewright" || !reflect.DeepEqual(directive.Dimensions, [][]string{dimensions}) || l.Function != "authorizer" {
			t.Errorf("got %s", text)
		}
		for _, m := range directive.Metrics {
			if !strings.Contains(text, fmt.Sprintf(`,"%s":`, m.Name)) {
				t.Errorf("%s has no value: %s", m.Name, text)
			}
		}
	}
	if len(lines) != 4 {
		t.Fatalf("%d lines:\n%s", len(lines), s.numbers.String())
	}
	if first := lines[0]; *first.Allowed != 1 || *first.Refused != 0 || *first.TableReads != 1 || *first.KeySetReads != 0 || len(first.Latency) != 1 {
		t.Errorf("first %+v", first)
	}
	if all := lines[1]; *all.Allowed != 2 || *all.Refused != 3 || *all.TableReads != 0 || *all.KeySetReads != 1 || len(all.Latency) != 5 {
		t.Errorf("then %+v", all)
	}
	for i, want := range map[int]struct {
		reason string
		n      int
	}{2: {"key form", 2}, 3: {"scope", 1}} {
		if l := lines[i]; l.Reason != want.reason || *l.Refused != want.n || l.Allowed != nil {
			t.Errorf("got %+v; want %+v", l, want)
		}
	}
}

// At a high rate a line is written for a hundred calls.
func TestMetricsAtAHighRate(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for range 1 + 2*maxLatencies + 10 {
		s.expect(t, goodToken(t), ok)
	}
	if got := strings.Count(s.numbers.String(), "\n"); got != 3 {
		t.Errorf("%d lines", got)
	}
}

// An answer that API Gateway would not take is a refusal, not an error.
func TestAnswerIsBounded(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for n, want := range map[int]string{1000: ok, 1400: forbidden} {
		// Once something has to be quoted, one byte of a token takes six of the answer.
		answer, err := s.Invoke(t.Context(), at(t, "/v1/either", "/v1/either", accessWith(t, "username", `"é`+strings.Repeat("<", n)+`"`)))
		if got := outcome(t, answer, err); err != nil || len(answer) > maxAnswerBytes || got != want {
			t.Errorf("%d: %s of %d bytes, %v", n, got, len(answer), err)
		}
	}
	if !strings.Contains(s.log.String(), `"reason":"answer"`) {
		t.Errorf("the log is %s", s.log.String())
	}
}
