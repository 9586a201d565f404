package asl

type pass struct{}

func parsePass(*state) behaviour { return pass{} }

func (pass) targets() []target { return nil }

func (pass) enter(r *Run) Action {
	return r.leave(r.at.output, r.at.assign, r.scope(), r.input, r.at.next)
}
