package authn

import (
	"context"
	"crypto/sha256"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var testFormat = KeyFormat{Prefix: "gw", Tag: "dev"}

// noCustomers knows nobody.
type noCustomers struct{}

func (noCustomers) Customer(context.Context, string) (*Customer, error) { return nil, ErrNoCustomer }

func TestNewKey(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^gw_dev_[0-9A-Za-z]{18}_[0-9A-Za-z]{49}$`)
	seen := map[string]bool{}
	for range 1000 {
		customer := NewCustomerID()
		k := testFormat.NewKey(customer)
		sent, reason := testFormat.parse(k.Text)
		if !form.MatchString(k.Text) || reason != "" || sent.customerID != customer || sent.keyID != k.ID ||
			sent.digest != k.Digest || k.Digest != sha256.Sum256([]byte(k.Text)) || seen[k.Text] {
			t.Fatalf("%q: %+v, %q", k.Text, sent, reason)
		}
		if k.BasicUser()+"_"+k.BasicPassword() != k.Text || len(k.BasicPassword()) != 49 {
			t.Fatalf("%q as %q and %q", k.Text, k.BasicUser(), k.BasicPassword())
		}
		seen[k.Text] = true
	}
}

// Each of the 62 characters comes about equally often: a skew would cost bits.
func TestRandomBase62(t *testing.T) {
	t.Parallel()
	const n = 620_000
	count := map[rune]int{}
	for _, c := range randomBase62(n) {
		count[c]++
	}
	for _, c := range base62 {
		if got := count[c]; got < 9_400 || got > 10_600 { // six standard deviations
			t.Errorf("%c: %d times; want about %d", c, got, n/62)
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	good := testFormat.NewKey("000000000000").Text
	resum := func(text string) string { return text + checksum(text) }
	front := good[:len(good)-checkLength]
	other := byte('x')
	if good[len(good)-1] == other {
		other = 'y'
	}
	for name, test := range map[string]struct {
		text string
		want Reason
	}{
		"good":                        {good, ""},
		"empty":                       {"", ReasonKeyForm},
		"prefix alone":                {"gw_", ReasonKeyForm},
		"checksum alone":              {good[len(good)-checkLength:], ReasonKeyForm},
		"one character less":          {good[:len(good)-1], ReasonKeyForm},
		"one character more":          {good + "0", ReasonKeyForm},
		"another last character":      {good[:len(good)-1] + string(other), ReasonKeyForm},
		"a character in another case": {strings.Replace(good, "000", "00O", 1), ReasonKeyForm},
		"another prefix":              {resum("sk" + front[2:]), ReasonKeyForm},
		"prefix in upper case":        {resum("GW" + front[2:]), ReasonKeyForm},
		"no tag":                      {resum(strings.Replace(front, "_dev_", "__", 1)), ReasonKeyForm},
		"no tag nor its underscore":   {resum(strings.Replace(front, "_dev_", "_", 1)), ReasonKeyForm},
		"long tag":                    {resum(strings.Replace(front, "_dev_", "_"+strings.Repeat("d", 17)+"_", 1)), ReasonKeyForm},
		"strange tag":                 {resum(strings.Replace(front, "_dev_", "_d-v_", 1)), ReasonKeyForm},
		"strange id":                  {resum(strings.Replace(front, "000", "0*0", 1)), ReasonKeyForm},
		"long id":                     {resum(strings.Replace(front, "000", "0000", 1)), ReasonKeyForm},
		"short secret":                {resum(front[:len(front)-1]), ReasonKeyForm},
		"strange secret":              {resum(front[:len(front)-1] + "-"), ReasonKeyForm},
		"underscore in the secret":    {resum(front[:len(front)-1] + "_"), ReasonKeyForm},
		"not ASCII":                   {resum(front[:len(front)-2] + "é"), ReasonKeyForm},
		"space in front":              {" " + good, ReasonKeyForm},
		"line end":                    {good + "\n", ReasonKeyForm},
		"ten kilobytes":               {resum("gw_dev_" + strings.Repeat("0", 10<<10)), ReasonKeyForm},
		"another stage":               {resum(strings.Replace(front, "_dev_", "_prod_", 1)), ReasonStage},
		"another stage in upper case": {resum(strings.Replace(front, "_dev_", "_DEV_", 1)), ReasonStage},
	} {
		if sent, reason := testFormat.parse(test.text); reason != test.want || reason != "" && sent != (sentKey{}) {
			t.Errorf("%s: %q, %+v; want %q", name, reason, sent, test.want)
		}
	}
}

// A checksum finds every single character that is mistyped.
func TestChecksum(t *testing.T) {
	t.Parallel()
	if got := checksum("gw"); len(got) != checkLength || checksum("") != "000000" || checksum("123456789") != "3jZRME" {
		t.Errorf("got %s, %s, %s", got, checksum(""), checksum("123456789"))
	}
	rapid.Check(t, func(t *rapid.T) {
		good := testFormat.NewKey(NewCustomerID()).Text
		at := rapid.IntRange(0, len(good)-1).Draw(t, "at")
		c := rapid.SampledFrom([]byte(base62)).Draw(t, "character")
		if changed := good[:at] + string(c) + good[at+1:]; changed != good {
			if _, reason := testFormat.parse(changed); reason == "" {
				t.Errorf("%d, %c: taken", at, c)
			}
		}
	})
}

func TestKeyFormat(t *testing.T) {
	t.Parallel()
	for _, good := range []KeyFormat{testFormat, {"a", "1"}, {"shop2", "PROD"}, {strings.Repeat("a", 16), strings.Repeat("Z", 16)}} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	const prefix, tag = "lower-case letters and digits, a letter first", "letters and digits"
	for bad, want := range map[KeyFormat]string{
		{"", "dev"}: prefix, {"Gw", "dev"}: prefix, {"1gw", "dev"}: prefix, {"g_w", "dev"}: prefix, {"é", "dev"}: prefix, {strings.Repeat("a", 17), "dev"}: prefix,
		{"gw", ""}: tag, {"gw", "a-b"}: tag, {"gw", "a_b"}: tag, {"gw", strings.Repeat("a", 17)}: tag,
	} {
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestPattern(t *testing.T) {
	t.Parallel()
	key := KeyFormat{"gw", "prod"}.NewKey(NewCustomerID()).Text
	found := regexp.MustCompile(testFormat.Pattern())
	for _, text := range []string{key, "curl -H 'Authorization: Bearer " + key + "'", `{"key":"` + key + `"}`, "KEY=" + key + "\n"} {
		if got := found.FindString(text); got != key {
			t.Errorf("%q: found %q", text, got)
		}
	}
	for _, text := range []string{"", "gw_prod", key[:len(key)-1], "x" + key, key + "x"} {
		if got := found.FindString(text); got != "" {
			t.Errorf("%q: found %q", text, got)
		}
	}
}

func TestResembles(t *testing.T) {
	t.Parallel()
	key := KeyFormat{"gw", "p"}.NewKey(NewCustomerID()).Text // as short as one may be
	for text, want := range map[string]bool{key: true, key[:len(key)-1] + "-": true, key + "x": true, key[:len(key)-1]: false, "x" + key: false, "gwx" + key[2:]: false, "gw_": false, "": false} {
		if got := testFormat.Resembles([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
	if (KeyFormat{}).Resembles([]byte("_" + key)) {
		t.Error("without a prefix there are no keys")
	}
}

func TestCustomerID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{NewCustomerID(): true, "": false, "00000000000": false, "0000000000000": false, "00000000000-": false, "00000000000\n": false} {
		if ValidCustomerID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}
