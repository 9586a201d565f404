package asl

type fail struct{ err, cause *template }

func parseFail(o *object, _ *state) behaviour {
	return &fail{err: o.textField("Error"), cause: o.textField("Cause")}
}

func (*fail) targets() []target { return nil }

func (f *fail) enter(r *Run) Action {
	var out Failure
	for _, field := range []struct {
		t    *template
		into *string
	}{{f.err, &out.Error}, {f.cause, &out.Cause}} {
		if field.t == nil {
			continue
		}
		v, err := field.t.text(r.scope())
		if err != nil {
			return r.evaluationFailed(err)
		}
		*field.into = v
	}
	return r.end("FAILED", out)
}
