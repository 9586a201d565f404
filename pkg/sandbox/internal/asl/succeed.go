package asl

type succeed struct{}

func parseSucceed(*state) behaviour { return succeed{} }

func (succeed) targets() []target { return nil }

func (succeed) enter(r *Run) Action {
	return r.leave(r.at.output, nil, r.scope(), r.input, "")
}
