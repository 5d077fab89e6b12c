package test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowser is a visitor of the example website, in a real browser: a new
// account, a note, a reload, a refresh, a sign-out, and what is refused. It takes
// the usual ports, which origins and callbacks name.
func TestBrowser(t *testing.T) {
	chromium := findChromium(t)
	freePorts(t)
	r := startRuntime(t, "--stage", "dev", "--listen", "127.0.0.1:4010", "--site", "examples/website")
	b := newBrowser(t, chromium, r)
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"SignedOut", b.signedOut}, {"SignUp", b.signUp}, {"SignIn", b.signIn}, {"Note", b.note}, {"Reload", b.reload},
		{"Refresh", b.refresh}, {"Refusals", b.refusals}, {"SignOut", b.signOut}, {"ForeignOrigin", b.foreignOrigin},
	} {
		if !t.Run(step.name, func(t *testing.T) {
			b.t = t
			step.do()
		}) {
			t.Logf("the log:\n%s", r.log)
			break
		}
	}
	b.t = t
	b.checkLog()
	if err := r.stop(t); err != nil {
		t.Errorf("the command ended with %v", err)
	}
}

func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no Chromium is installed")
	}
	t.Skip("no Chromium is installed")
	return ""
}

// freePorts skips the test beside a `make up`.
func freePorts(t *testing.T) {
	t.Helper()
	for _, port := range []string{"4010", "4011", "4012", "4013"} {
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			err = listener.Close()
		}
		if err != nil && os.Getenv("CI") != "true" {
			t.Skipf("port %s is taken: %v", port, err)
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// visitor is a browser and who sits before it.
type visitor struct {
	t       *testing.T
	r       *runtime
	ctx     context.Context
	shots   string // folder of screenshots
	address string
	secret  string
}

// newBrowser opens one. Its screenshots go to GATEWRIGHT_SCREENSHOTS, for people
// to look at, or away.
func newBrowser(t *testing.T, chromium string, r *runtime) *visitor {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium),
		chromedp.NoSandbox, chromedp.DisableGPU, // CI runs as root, without a screen
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	shots := os.Getenv("GATEWRIGHT_SCREENSHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	return &visitor{t: t, r: r, ctx: ctx, shots: shots, address: "ada@example.com", secret: "Analytical-Engine-1843"}
}

func (b *visitor) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%v, at %s", err, b.where())
	}
}

// get returns what an action finds.
func get[T any](b *visitor, action chromedp.Action[T]) T {
	b.t.Helper()
	value, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.t.Fatalf("%v, at %s", err, b.where())
	}
	return value
}

// where is the page's address, without what may be a code.
func (b *visitor) where() string {
	address, _ := chromedp.Run(b.ctx, chromedp.Location()) // said where something failed already
	address, _, _ = strings.Cut(address, "?")
	return address
}

// text waits for what an element says.
func (b *visitor) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(get(b, chromedp.Text(selector, chromedp.NodeVisible)))
}

// says waits until an element says something.
func (b *visitor) says(selector, want string) {
	b.t.Helper()
	script := fmt.Sprintf("(document.querySelector(%q)?.innerText ?? '').includes(%q)", selector, want)
	if _, err := chromedp.Run(b.ctx, chromedp.Poll[bool](script, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		b.t.Fatalf("%v: %s says %q, not %q", err, selector, b.text(selector), want)
	}
}

// screenshot shows the page on a desktop and on a phone.
func (b *visitor) screenshot(name string) {
	b.t.Helper()
	for size, width := range map[string]int64{"wide": 1280, "phone": 390} {
		b.do(chromedp.EmulateViewport(width, 844))
		image := get(b, chromedp.FullScreenshot(100))
		if err := os.WriteFile(filepath.Join(b.shots, name+"-"+size+".png"), image, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

const site = "http://localhost:4013/"

func (b *visitor) signedOut() {
	b.do(chromedp.Navigate(site), chromedp.WaitVisible("#sign-in"))
	b.screenshot("site-signed-out")
	b.do(chromedp.Click("#behind summary"), chromedp.Click(`[data-call="/v1/whoami"]:not([data-anonymous])`))
	b.says("#answer", "401: the API does not know who you are")
}

func (b *visitor) signUp() {
	b.do(chromedp.Click("#sign-in"), chromedp.WaitVisible(`form[action^="/login"]`))
	b.screenshot("login")
	b.do(
		chromedp.SendKeys("#username", b.address), chromedp.SendKeys("#password", "not-the-password"), chromedp.Submit("#password"),
		chromedp.WaitVisible(`[role=alert]`),
	)
	if got := b.text("[role=alert]"); got != "The user name or the password is not right." {
		b.t.Errorf("an unknown user reads %q", got)
	}
	b.do(chromedp.Click(`a[href^="/signup"]`), chromedp.WaitVisible(`form[action^="/signup"]`))
	b.screenshot("signup")
	b.do(
		chromedp.SendKeys("#username", b.address), chromedp.SendKeys("#password", b.secret), chromedp.Submit("#password"),
		chromedp.WaitVisible(`form[action^="/confirm"]`),
	)
	b.screenshot("confirm")
	b.do(chromedp.SendKeys("#code", b.code()), chromedp.Submit("#code"), chromedp.WaitVisible(`form[action^="/login"]`))
}

// code is what would have been mailed.
func (b *visitor) code() string {
	b.t.Helper()
	pattern := regexp.MustCompile(`code for ` + regexp.QuoteMeta(b.address) + `: (\d{6}) `)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if found := pattern.FindStringSubmatch(b.r.banner.String()); found != nil {
			return found[1]
		}
	}
	b.t.Fatal("no code was printed")
	return ""
}

func (b *visitor) signIn() {
	b.do(
		chromedp.SetValue("#username", b.address), chromedp.SendKeys("#password", b.secret), chromedp.Submit("#password"),
		chromedp.WaitVisible("#add"),
	)
	if got := b.text("#who"); got != b.address {
		b.t.Errorf("the page greets %q", got)
	}
	b.cleanAddress()
}

// cleanAddress wants neither a code nor a token in the address.
func (b *visitor) cleanAddress() {
	b.t.Helper()
	if get(b, chromedp.Location()) != site {
		b.t.Errorf("the page's address is not %s any more", site)
	}
}

func (b *visitor) note() {
	b.do(
		chromedp.SendKeys("#title", "Bernoulli <b>numbers</b>"), chromedp.SendKeys("#text", "Compute them."), chromedp.Click("#add button"),
		chromedp.WaitVisible("#notes li"),
	)
	b.says("#notes li", "Bernoulli <b>numbers</b>") // as text
	b.screenshot("site-notes")
}

// reload forgets the tokens; the sign-in page's cookie brings others.
func (b *visitor) reload() {
	b.do(chromedp.Reload(), chromedp.WaitVisible("#notes li"))
	b.says("#notes li", "Compute them.")
	b.cleanAddress()
}

func (b *visitor) refresh() {
	b.do(chromedp.Click("#behind summary"), chromedp.Click("#refresh"))
	b.says("#answer", "A new access token")
	b.do(chromedp.Click(`[data-call="/v1/session"]`))
	b.says("#answer", "200: the API answers")
}

func (b *visitor) refusals() {
	b.do(chromedp.Click(`[data-anonymous]`))
	b.says("#answer", "401: the API does not know who you are")
	b.screenshot("site-401")
	b.do(chromedp.Click("#narrow"), chromedp.WaitNotPresent("#answer p"), chromedp.WaitVisible("#notes li"))
	b.do(chromedp.Click("#behind summary"), chromedp.Click(`[data-call="/v1/session"]`))
	b.says("#answer", "403: the API knows who you are, and this is not for you")
	b.screenshot("site-403")
}

func (b *visitor) signOut() {
	b.do(chromedp.Click("#sign-out"), chromedp.WaitVisible("#sign-in"))
	b.do(chromedp.Click("#behind summary"), chromedp.Click(`[data-call="/v1/whoami"]:not([data-anonymous])`))
	b.says("#answer", "401: the API does not know who you are")
	b.do(chromedp.Click("#sign-in"), chromedp.WaitVisible(`form[action^="/login"]`)) // no cookie signs in again
}

// foreignOrigin is another website, which may neither read the API nor ask for
// tokens.
func (b *visitor) foreignOrigin() {
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<title>elsewhere</title>"))
	}))
	b.t.Cleanup(foreign.Close)
	b.do(chromedp.Navigate(foreign.URL))
	for _, address := range []string{b.r.API + "/v1/status", b.r.API + "/v1/whoami", b.r.Auth + "/oauth2/userInfo"} {
		script := fmt.Sprintf(`fetch(%q, {headers: {Authorization: "Bearer x"}}).then(() => "read", () => "refused")`, address)
		if verdict := get(b, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise)); verdict != "refused" {
			b.t.Errorf("a page of another origin: %s is %s", address, verdict)
		}
	}
}

// checkLog looks for what the visitor typed and held.
func (b *visitor) checkLog() {
	b.t.Helper()
	for _, secret := range []string{b.secret, "eyJ", "code="} {
		if strings.Contains(b.r.log.String(), secret) {
			b.t.Error("the log holds a credential")
		}
	}
}
