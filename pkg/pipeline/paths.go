package pipeline

import "slices"

// parts are the names in the document of a distribution by which a path into it is recognized.
var parts = []string{"CacheBehaviors", "Origins", "Aliases", "VpcOriginConfig", "VpcOriginId", "DistributionConfig", "DefaultCacheBehavior"}

// path reads a path that begins at a token, and what the program does with it.
func (r *codeReader) path(i int) {
	if !r.is(i, 'i', "") || r.is(i-1, 'p', ".") || r.is(i-1, 'p', "[") {
		return
	}
	r.loop(i)
	path, end := r.steps(i)
	if len(path) == 0 {
		return
	}
	e := Edit{At: r.place(i), Path: path}
	switch {
	case r.is(i-1, 'i', "del") || r.is(i-1, 'i', "delete"):
		e.Op = Delete
	case r.is(end, 'p', "=") && !r.is(end+1, 'p', "=") && !r.is(end+1, 'p', ">"):
		e.Op = Assign
		if end+1 < len(r.tokens) {
			e.Value = r.tokens[end+1].text
		}
	case r.is(end, 'p', "+") && r.is(end+1, 'p', "="):
		e.Op = Change
	case r.is(end, 'p', ".") && r.is(end+2, 'p', "("):
		switch r.tokens[end+1].text {
		case "append", "push", "extend", "insert", "unshift":
			e.Op = Change
		case "pop", "remove", "splice", "clear", "shift":
			e.Op = Delete
		}
	}
	if e.Op != Access && relevantPath(path) {
		r.edits = append(r.edits, e)
	}
	if r.is(i+1, 'p', "=") && !r.is(i+2, 'p', "=") {
		if from, last := r.steps(i + 2); len(from) > 0 && !r.is(last, 'p', "(") {
			r.alias[r.tokens[i].text] = from
		}
	}
}

// relevantPath reports whether a path leads into the document of a distribution.
func relevantPath(path []Step) bool {
	last := path[len(path)-1]
	return last.Name == "Enabled" && last.Kind == Named || slices.ContainsFunc(path, func(s Step) bool { return s.Kind == Named && slices.Contains(parts, s.Name) })
}

// loop reads "for x in PATH" and "for (const x of PATH)": x stands for entries, of which the loop may choose some.
func (r *codeReader) loop(i int) {
	if !r.is(i+1, 'i', "in") && !r.is(i+1, 'i', "of") || !r.is(i-1, 'i', "") {
		return
	}
	if from, _ := r.steps(i + 2); len(from) > 0 {
		r.alias[r.tokens[i].text] = extended(from, Step{Kind: Selected})
	}
}

// steps returns the path that begins at a token, from the document on, and the index of the token after it.
func (r *codeReader) steps(i int) ([]Step, int) {
	if !r.is(i, 'i', "") {
		return nil, i
	}
	path, known := r.alias[r.tokens[i].text]
	path = path[:len(path):len(path)]
	n := 0
	for i++; i < len(r.tokens); n++ {
		switch {
		case r.is(i, 'p', "?") && r.is(i+1, 'p', "."), r.is(i, 'p', "!") && (r.is(i+1, 'p', ".") || r.is(i+1, 'p', "[")):
			i++
		case r.is(i, 'p', ".") && r.is(i+1, 'i', "") && !r.is(i+2, 'p', "("):
			path = append(path, Step{Name: r.tokens[i+1].text})
			i += 2
		case r.is(i, 'p', "[") && r.is(i+1, 's', "") && r.is(i+2, 'p', "]"):
			path = append(path, Step{Name: r.tokens[i+1].text})
			i += 3
		case r.is(i, 'p', "[") && r.is(i+1, 'n', "") && r.is(i+2, 'p', "]"):
			path = append(path, Step{Kind: Indexed, Name: r.tokens[i+1].text})
			i += 3
		case r.is(i, 'p', "[") && r.is(i+1, 'p', "-") && r.is(i+2, 'n', "") && r.is(i+3, 'p', "]"):
			path = append(path, Step{Kind: Indexed, Name: "-" + r.tokens[i+2].text})
			i += 4
		case r.is(i, 'p', "[") && r.is(i+1, 'i', "") && r.is(i+2, 'p', "]"):
			path = append(path, Step{Kind: Selected, Name: r.tokens[i+1].text})
			i += 3
		default:
			if n == 0 && !known {
				return nil, i
			}
			return path, i
		}
	}
	return path, i
}
