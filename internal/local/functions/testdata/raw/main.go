// Command raw is a Lambda runtime that breaks the rules, each time the way that
// the variable MODE names.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

var api = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"

func main() {
	mode, _, _ := strings.Cut(os.Getenv("MODE"), ":")
	if err := start(mode); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	for {
		id, body := next()
		if err := serve(mode, id, body); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(4)
		}
	}
}

// start is the init phase.
func start(mode string) error {
	switch mode {
	case "never-ready":
		time.Sleep(time.Hour)
	case "init-exit":
		return errors.New("init failed")
	case "init-error":
		post("init/error", `{"errorType":"Function.Broken","errorMessage":"no table"}`)
		os.Exit(1)
	case "slow-once": // hangs in the first process only
		_, file, _ := strings.Cut(os.Getenv("MODE"), ":")
		if _, err := os.Stat(file); err != nil {
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				return err
			}
			time.Sleep(time.Hour)
		}
	}
	return nil
}

func serve(mode, id, body string) error {
	switch mode {
	case "garbage":
		post("invocation/"+id+"/response", "\x00not JSON")
	case "wrong-id":
		status := post("invocation/00000000-0000-4000-8000-000000000000/response", `"forged"`)
		post("invocation/"+id+"/response", fmt.Sprintf(`"%d"`, status))
	case "answers-twice":
		first := post("invocation/"+id+"/response", `"first"`)
		second := post("invocation/"+id+"/response", `"second"`)
		fmt.Println("statuses", first, second)
	case "asks-twice":
		resp, err := http.Get(api + "invocation/next")
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		post("invocation/"+id+"/response", fmt.Sprintf(`"%d"`, resp.StatusCode))
	case "breaks-off":
		return breakOff(id)
	case "silent":
		fmt.Println("silent now")
		time.Sleep(time.Hour)
	case "works-on":
		post("invocation/"+id+"/response", `"early"`)
		if resp, err := http.Get(strings.Trim(body, `"`)); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	case "trailer":
		req, err := http.NewRequest(http.MethodPost, api+"invocation/"+id+"/response", io.NopCloser(strings.NewReader("half")))
		if err != nil {
			return err
		}
		req.Trailer = http.Header{
			"Lambda-Runtime-Function-Error-Type": {"Function.Half"},
			"Lambda-Runtime-Function-Error-Body": {"eyJlcnJvclR5cGUiOiJGdW5jdGlvbi5IYWxmIn0="},
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	default:
		post("invocation/"+id+"/response", body)
	}
	return nil
}

// breakOff promises more bytes than it sends.
func breakOff(id string) error {
	address, err := net.ResolveTCPAddr("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		return err
	}
	conn, err := net.DialTCP("tcp", nil, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\nhalf",
		id, address)
	if err != nil {
		return err
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

func next() (id, body string) {
	resp, err := http.Get(api + "invocation/next")
	if err != nil {
		os.Exit(5)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		os.Exit(6)
	}
	return resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), string(content)
}

func post(path, body string) (status int) {
	resp, err := http.Post(api+path, "application/json", strings.NewReader(body))
	if err != nil {
		os.Exit(7)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode
}
