package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asCommand is the environment variable that makes the test's binary run as the command.
const asCommand = "ORIGINHUB_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-tags", "lambda.norpc", "-o", "../../../.build/local/", "../../../functions/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the functions: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// However the command ends, it leaves no directory and no running function behind.
func TestNothingIsLeftBehind(t *testing.T) {
	demo, serve := []string{"demo"}, []string{"sandbox", "serve", "--listen", "127.0.0.1:0", "--edge", "127.0.0.1:0"}
	for name, test := range map[string]struct {
		args []string
		end  func(command *os.Process, output io.Closer) error
		code int
	}{
		"a demo whose reader goes away":   {demo, func(_ *os.Process, output io.Closer) error { return output.Close() }, 0},
		"a demo that is interrupted":      {demo, func(p *os.Process, _ io.Closer) error { return p.Signal(os.Interrupt) }, 1},
		"a demo that is terminated":       {demo, func(p *os.Process, _ io.Closer) error { return p.Signal(syscall.SIGTERM) }, 1},
		"a sandbox that is interrupted":   {serve, func(p *os.Process, _ io.Closer) error { return p.Signal(os.Interrupt) }, 0},
		"a sandbox that is terminated":    {serve, func(p *os.Process, _ io.Closer) error { return p.Signal(syscall.SIGTERM) }, 0},
		"a sandbox whose reader was gone": {serve, func(p *os.Process, output io.Closer) error { _ = output.Close(); return p.Signal(os.Interrupt) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			command := exec.Command(os.Args[0], test.args...)
			command.Dir = "../../.."
			command.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+dir)
			output, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			await(t, output)
			if len(running(dir)) == 0 {
				t.Error("no function is running, so the test shows nothing")
			}
			if err := test.end(command.Process, output); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, output)
			_ = command.Wait()
			if code := command.ProcessState.ExitCode(); code != test.code {
				t.Errorf("%v, want exit code %d", command.ProcessState, test.code)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
			if left := running(dir); len(left) > 0 {
				t.Errorf("functions that are still running: %v", left)
			}
		})
	}
}

// await reads a command's output until its functions run: to the demo's third chapter, or until the sandbox has advanced ten minutes.
func await(t *testing.T, output io.Reader) {
	t.Helper()
	for lines := bufio.NewScanner(output); lines.Scan(); {
		var at struct{ Endpoint string }
		if json.Unmarshal(lines.Bytes(), &at) == nil {
			response, err := http.Post(at.Endpoint+"/_sandbox/advance", "application/json", strings.NewReader(`{"seconds": 610}`))
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			return
		}
		if strings.HasPrefix(lines.Text(), "3  ") {
			return
		}
	}
	t.Fatal("the command ended before its functions ran")
}

// running returns the working directories below dir of running processes.
func running(dir string) (list []string) {
	processes, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, p := range processes {
		// Readlink fails for processes of other users, and for those that have ended.
		if at, err := os.Readlink(p); err == nil && strings.HasPrefix(at, dir) {
			list = append(list, at)
		}
	}
	return list
}
