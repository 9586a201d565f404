package cli

import (
	"context"
	"io"
	"testing"

	"github.com/originhub/originhub/pkg/internal/built"
	"github.com/originhub/originhub/pkg/rehearsal"
	"github.com/originhub/originhub/pkg/sandbox"
)

// BenchmarkDemo runs everything that make demo runs, from the first stack to the last process. The functions are processes, as in make demo.
func BenchmarkDemo(b *testing.B) {
	for b.Loop() {
		w, err := rehearsal.New(rehearsal.Options{
			Templates: "../../infra/testdata", Functions: built.Functions(b), Sandbox: sandbox.Options{Seed: 7},
		})
		if err != nil {
			b.Fatal(err)
		}
		began := w.Now()
		if err := newDemo(w, io.Discard).tell(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(w.Now().Sub(began).Seconds(), "virtual-s")
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
