package asl

import "encoding/json"

type choice struct {
	rules     []rule
	byPath    string
	otherwise string
}

type rule struct {
	condition, output, assign *template
	next                      string
	path                      string
}

func parseChoice(o *object, _ *state) behaviour {
	c := &choice{byPath: o.path, otherwise: o.text("Default")}
	if !o.has("Choices") {
		o.complain("Choices", "is missing")
	}
	children := o.children("Choices")
	if o.has("Choices") && len(children) == 0 && !o.complained("Choices") {
		o.complain("Choices", "there must be at least one choice")
	}
	for _, child := range children {
		r := rule{path: child.path, next: child.required("Next")}
		child.text("Comment")
		r.condition = child.template("Condition", anywhere)
		switch {
		case r.condition == nil:
			child.complain("Condition", "is missing")
		case r.condition.kind != expressionTemplate && typeOf(r.condition.literal) != "boolean":
			child.complain("Condition", "must be JSONata or a boolean")
		}
		r.output = child.template("Output", anywhere)
		r.assign = child.assignments(anywhere)
		child.close()
		c.rules = append(c.rules, r)
	}
	return c
}

func (c *choice) targets() []target {
	var list []target
	for _, r := range c.rules {
		list = append(list, target{r.path + "/Next", r.next})
	}
	if c.otherwise != "" {
		list = append(list, target{c.byPath + "/Default", c.otherwise})
	}
	return list
}

// enter takes the first rule whose condition holds, with Output and Assign of that rule. Output and Assign of the state itself
// belong to Default.
func (c *choice) enter(r *Run) Action {
	s := r.scope()
	for _, rule := range c.rules {
		v, err := rule.condition.eval(s)
		if err != nil {
			return r.evaluationFailed(err)
		}
		var holds bool
		if json.Unmarshal(v, &holds) != nil || typeOf(v) != "boolean" {
			return r.evaluationFailed(rule.condition.wrongType("boolean", v))
		}
		if holds {
			return r.leave(rule.output, rule.assign, s, r.input, rule.next)
		}
	}
	if c.otherwise == "" {
		return r.end("FAILED", Failure{errNoChoice, "No Choice rule of state '" + r.at.name + "' matched, and it has no Default."})
	}
	return r.leave(r.at.output, r.at.assign, s, r.input, c.otherwise)
}
