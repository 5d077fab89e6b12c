package authn

import (
	"fmt"
	"hash/crc32"
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/reference/keys.md is for those who write scanners and clients. What it
// says of a key's form has to be so.
func TestKeyDocument(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/reference/keys.md")
	if err != nil {
		t.Fatal(err)
	}
	document := string(data)
	f := KeyFormat{Prefix: "gw", Tag: "prod"}
	blocks := fenced(document)
	if len(blocks) < 3 {
		t.Fatalf("%d blocks; want the example, the expression and the rule of gitleaks", len(blocks))
	}
	example, expression, rule := blocks[0], blocks[1], blocks[2]

	sent, reason := f.parse(example)
	if reason != "" {
		t.Fatalf("the example is refused: %s", reason)
	}
	if expression != f.Pattern() {
		t.Errorf("the expression is %s; the code's is %s", expression, f.Pattern())
	}
	if !regexp.MustCompile(expression).MatchString("x-api-key: " + example + "\n") {
		t.Error("the expression does not find the example")
	}
	front, check := example[:len(example)-checkLength], example[len(example)-checkLength:]
	sum := crc32.ChecksumIEEE([]byte(front))
	digits := make([]string, checkLength)
	for i, c := range []byte(check) {
		digits[i] = fmt.Sprint(strings.IndexByte(base62, c))
	}
	key := NewKey{Text: example}
	for _, want := range []string{
		"| prefix | `gw` | 1 to " + fmt.Sprint(maxWordLength) + ", ",
		"| stage tag | `prod` | 1 to " + fmt.Sprint(maxWordLength) + ", ",
		fmt.Sprintf("| customer id | `%s` | %d, base62 |", sent.customerID, CustomerIDLength),
		fmt.Sprintf("| key id | `%s` | %d, base62 |", sent.keyID, KeyIDLength),
		fmt.Sprintf("| secret | `%s` | %d, base62 |", front[strings.LastIndexByte(front, '_')+1:], secretLength),
		fmt.Sprintf("| checksum | `%s` | %d, base62 |", check, checkLength),
		fmt.Sprintf("at most %d characters", maxKeyLength),
		"| text | `" + front + "` |",
		fmt.Sprintf("| CRC-32 | 0x%08x = %d |", sum, sum),
		"| digits | " + strings.Join(digits, ", ") + " |",
		"| checksum | `" + check + "` |",
		"is `" + sixDigits(1<<32-1) + "`",
		"| user | `" + key.BasicUser() + "` |",
		"| password | `" + key.BasicPassword() + "` |",
		"`" + strings.Trim(expression, `\b`) + "`",
	} {
		if !strings.Contains(document, want) {
			t.Errorf("the page lacks %s", want)
		}
	}

	in := regexp.MustCompile(`(?m)^regex = '''(.*)'''$`).FindStringSubmatch(rule)
	if in == nil {
		t.Fatal("the rule of gitleaks has no expression")
	}
	for _, leaked := range []string{example, key.BasicUser() + ":" + key.BasicPassword()} {
		if found := regexp.MustCompile(in[1]).FindString("KEY=" + leaked + ";"); found != leaked {
			t.Errorf("gitleaks finds %q in place of %q", found, leaked)
		}
	}
}

// TestKeysInDocuments parses each key of the other pages: readers copy them.
func TestKeysInDocuments(t *testing.T) {
	t.Parallel()
	f := KeyFormat{Prefix: "gw", Tag: "prod"}
	keys := regexp.MustCompile(f.Pattern())
	for _, name := range []string{"patterns/static-credentials.md", "patterns/key-and-secret.md", "reference/authorizer.md"} {
		data, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys.FindAllString(string(data), -1) {
			if _, reason := f.parse(key); reason != "" {
				t.Errorf("%s: %s is refused: %s", name, key, reason)
			}
		}
	}
}

// fenced returns what stands in a page's blocks of code.
func fenced(document string) []string {
	var blocks []string
	for _, match := range regexp.MustCompile("(?ms)^```[a-z]*\n(.*?)\n```$").FindAllStringSubmatch(document, -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

// sixDigits is the page's algorithm, apart from the code's.
func sixDigits(n uint32) string {
	text := ""
	for divisor := uint32(916132832); divisor > 0; divisor /= 62 { // 62^5
		text += string(base62[n/divisor%62])
	}
	return text
}
