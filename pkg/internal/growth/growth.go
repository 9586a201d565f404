// Package growth runs benchmarks of decisions about more and more origins.
package growth

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
)

// EachSize runs a benchmark with 100, 1,000 and 10,000 origins, and prints the processor time for each origin, which depends less than the real time on
// what else runs on the machine.
func EachSize(b *testing.B, prepare func(b *testing.B, n int) func()) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			run := prepare(b, n)
			runtime.GC()
			before := processorTime(b)
			for b.Loop() {
				run()
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N)/float64(n), "cpu-ns/origin")
		})
	}
}

// processorTime returns the nanoseconds of CPU that this process has used.
func processorTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
