package asl

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/recolabs/gnata"
)

// scope is the data that an expression can use.
type scope struct {
	now                                 time.Time
	rng                                 *rand.Rand
	variables                           map[string]json.RawMessage
	input, result, errorOutput, context json.RawMessage

	evaluate evaluator
	states   any            // $states, after the first use
	values   map[string]any // of the variables
}

// read parses the data that expressions use, before the first of them.
func (s *scope) read() (err error) {
	if s.values != nil {
		return nil
	}
	states := map[string]json.RawMessage{"input": s.input, "context": s.context}
	if s.result != nil {
		states["result"] = s.result
	}
	if s.errorOutput != nil {
		states["errorOutput"] = s.errorOutput
	}
	if s.states, err = gnata.DecodeJSON(encode(states)); err != nil {
		return fmt.Errorf("read the state's data: %w", err)
	}
	values := make(map[string]any, len(s.variables))
	for name, raw := range s.variables {
		if values[name], err = gnata.DecodeJSON(raw); err != nil {
			return fmt.Errorf("read the variable $%s: %w", name, err)
		}
	}
	s.values = values
	return nil
}

// evaluator evaluates expressions of one execution.
type evaluator func(s *scope, e *gnata.Expression) (any, error)

// newEvaluator creates the library of functions once. The assignments of an expression are removed after it. Variables of an
// execution are never removed, so they may stay from one evaluation to the next.
func newEvaluator() evaluator {
	var current *scope
	env := gnata.NewCustomEnv(functions(func() *scope { return current }))
	return func(s *scope, e *gnata.Expression) (any, error) {
		current = s
		for name, v := range s.values {
			env.Bind(name, v)
		}
		env.Bind("states", s.states)
		return e.EvalWithCustomFuncs(context.Background(), nil, env)
	}
}

func compile(source string) (*gnata.Expression, error) { return gnata.Compile(source) }

// eval returns nil for undefined.
func (s *scope) eval(e *gnata.Expression) (json.RawMessage, error) {
	if e == nil {
		return nil, errors.New("the expression does not compile")
	}
	if err := s.read(); err != nil {
		return nil, err
	}
	v, err := s.evaluate(s, e)
	if err != nil || v == nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("the result is not JSON: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// functions returns the functions that Step Functions adds to JSONata, and those that need the driver's clock and seed.
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
func functions(scope func() *scope) map[string]gnata.CustomFunc {
	refuse := func(why string) gnata.CustomFunc {
		return func([]any, any) (any, error) { return nil, errors.New(why) }
	}
	return map[string]gnata.CustomFunc{
		"now": func(args []any, _ any) (any, error) {
			if len(args) > 0 {
				return nil, errors.New("the sandbox knows $now() without arguments")
			}
			return scope().now.UTC().Format("2006-01-02T15:04:05.000Z"), nil
		},
		"millis": func([]any, any) (any, error) { return float64(scope().now.UnixMilli()), nil },
		"random": func(args []any, _ any) (any, error) {
			if len(args) == 0 {
				return scope().rng.Float64(), nil
			}
			seed, err := number(args, 0)
			if err != nil {
				return nil, err
			}
			return rand.New(rand.NewPCG(uint64(int64(seed)), 0)).Float64(), nil
		},
		"uuid":      func([]any, any) (any, error) { return uuid(scope().rng), nil },
		"hash":      hash,
		"range":     numbers,
		"partition": partition,
		"parse": func(args []any, _ any) (any, error) {
			text, err := text(args, 0)
			if err != nil {
				return nil, err
			}
			return gnata.DecodeJSON(json.RawMessage(text))
		},
		"eval":    refuse("Step Functions has no $eval; use $parse"),
		"shuffle": refuse("the sandbox has no $shuffle"),
	}
}

func number(args []any, i int) (float64, error) {
	if i < len(args) {
		switch n := args[i].(type) {
		case float64:
			return n, nil
		case json.Number:
			return n.Float64()
		}
	}
	return 0, fmt.Errorf("argument %d must be a number", i+1)
}

func text(args []any, i int) (string, error) {
	if i < len(args) {
		if s, ok := args[i].(string); ok {
			return s, nil
		}
	}
	return "", fmt.Errorf("argument %d must be a string", i+1)
}

func hash(args []any, _ any) (any, error) {
	data, err := text(args, 0)
	if err != nil {
		return nil, err
	}
	algorithm, err := text(args, 1)
	if err != nil {
		return nil, err
	}
	var sum []byte
	switch algorithm {
	case "MD5":
		h := md5.Sum([]byte(data))
		sum = h[:]
	case "SHA-1":
		h := sha1.Sum([]byte(data))
		sum = h[:]
	case "SHA-256":
		h := sha256.Sum256([]byte(data))
		sum = h[:]
	case "SHA-384":
		h := sha512.Sum384([]byte(data))
		sum = h[:]
	case "SHA-512":
		h := sha512.Sum512([]byte(data))
		sum = h[:]
	default:
		return nil, fmt.Errorf("there is no hash algorithm %q", algorithm)
	}
	return hex.EncodeToString(sum), nil
}

// maxRange is the largest number of items that $range may return.
const maxRange = 1000

func numbers(args []any, _ any) (any, error) {
	var n [3]float64
	for i := range n {
		v, err := number(args, i)
		if err != nil {
			return nil, err
		}
		n[i] = v
	}
	start, end, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, errors.New("the step of $range cannot be 0")
	}
	list := []any{}
	for v := start; (step > 0 && v <= end) || (step < 0 && v >= end); v += step {
		if len(list) == maxRange {
			return nil, fmt.Errorf("$range answers at most %d numbers", maxRange)
		}
		list = append(list, v)
	}
	return list, nil
}

func partition(args []any, _ any) (any, error) {
	size, err := number(args, 1)
	if err != nil {
		return nil, err
	}
	items, ok := args[0].([]any)
	if !ok || size < 1 {
		return nil, errors.New("$partition takes a list and a size of at least 1")
	}
	chunks := []any{}
	for n := int(size); len(items) > 0; items = items[min(n, len(items)):] {
		chunks = append(chunks, items[:min(n, len(items))])
	}
	return chunks, nil
}

func uuid(rng *rand.Rand) string {
	h := fmt.Sprintf("%016x%016x", rng.Uint64(), rng.Uint64())
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}
