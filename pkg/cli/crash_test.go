package cli

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/sandbox"
)

func TestProbe(t *testing.T) {
	for range 10 {
		t0 := time.Now()
		w, err := newWorld(worldOptions{Templates: "../../infra/testdata", Functions: functions, Sandbox: sandbox.Options{Seed: 7}})
		if err != nil {
			t.Fatal(err)
		}
		t1 := time.Now()
		d := newDemo(w, io.Discard)
		ctx := context.Background()
		a, err := d.teamA.create(ctx, "a", "a", claim("team-a.example.com", "/team-a/*"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := d.teamB.create(ctx, "b", "b", claim("team-b.example.com", "/team-b/*"))
		if err != nil {
			t.Fatal(err)
		}
		w.UntilIdle()
		d.teamA.share(ctx, "a", a.arn)
		d.teamB.share(ctx, "b", b.arn)
		w.UntilIdle()
		t2 := time.Now()
		d.teamB.tag(ctx, b.arn, contract.TagTeardown, "now")
		w.UntilIdle()
		t3 := time.Now()
		h, err := holdings(w.Sandbox, teamBAccount)
		t4 := time.Now()
		n, mut := 0, 0
		for _, c := range w.Calls() {
			if c.Function != "" {
				n++
				if !c.ReadOnly {
					mut++
				}
				if testing.Verbose() {
					fmt.Println(n, c.Time.Format("15:04:05"), c.Function, c.Service, c.Operation, c.Error, c.Allowed, c.ReadOnly)
				}
			}
		}
		now := w.Now()
		w.Close()
		t5 := time.Now()
		t.Log(n, mut, len(w.Calls()), now, h, err, "world", t1.Sub(t0), "live", t2.Sub(t1), "gone", t3.Sub(t2), "hold", t4.Sub(t3), "close", t5.Sub(t4))
	}
}
