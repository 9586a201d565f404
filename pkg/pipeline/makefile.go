package pipeline

import (
	"regexp"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// makefile is the targets of a makefile, as far as recipes are concerned.
type makefile struct {
	vars    map[string]string
	recipes map[string]*script
	needs   map[string][]string
	order   []string
}

var (
	makeVariable = regexp.MustCompile(`^(?:export\s+|override\s+)?([A-Za-z_][\w.-]*)\s*(?:[:?+!]{0,2}=)\s*(.*)$`)
	makeRule     = regexp.MustCompile(`^([^\s#:=][^#:=]*?)\s*::?(?:[^=]|$)`)
)

func readMakefile(file, content string) *makefile {
	m := &makefile{vars: map[string]string{}, recipes: map[string]*script{}, needs: map[string][]string{}}
	var targets []string
	number, continued := 0, false
	for line := range strings.Lines(undefined(content)) {
		number++
		if strings.HasPrefix(line, "\t") || continued && len(targets) > 0 {
			m.recipe(targets, line, number, continued)
			continued = strings.HasSuffix(strings.TrimRight(line, "\r\n"), "\\")
			continue
		}
		continued = false
		bare := strings.TrimRight(line, "\r\n")
		if v := makeVariable.FindStringSubmatch(bare); v != nil {
			m.vars[v[1]] = v[2]
			targets = nil
			continue
		}
		if r := makeRule.FindStringSubmatch(bare); r != nil {
			targets = strings.Fields(r[1])
			m.rule(file, targets, bare[len(r[1]):], number, len(r[1])+1)
			continue
		}
		if strings.TrimSpace(bare) != "" && !strings.HasPrefix(strings.TrimSpace(bare), "#") && !conditional.MatchString(bare) {
			targets = nil
		}
	}
	return m
}

var definition = regexp.MustCompile(`(?ms)^define\b.*?^endef\b`)

// undefined returns a makefile with its definitions of several lines blank.
func undefined(content string) string {
	return definition.ReplaceAllStringFunc(content, blank)
}

var conditional = regexp.MustCompile(`^\s*(ifeq|ifneq|ifdef|ifndef|else|endif)\b`)

// recipe adds a line to the recipes of targets.
func (m *makefile) recipe(targets []string, line string, number int, continued bool) {
	recipe := strings.TrimPrefix(line, "\t")
	if !continued {
		recipe = strings.TrimLeft(recipe, "@+- \t")
	}
	for _, t := range targets {
		m.recipes[t].add(recipe, number, len(line)-len(recipe)+1)
	}
}

// rule adds a rule with its prerequisites and, after a semicolon, the first line of its recipe.
func (m *makefile) rule(file string, targets []string, rest string, line, column int) {
	rest, _, _ = strings.Cut(rest, "#")
	needs, recipe, inline := strings.Cut(strings.TrimLeft(rest, ": "), ";")
	for _, t := range targets {
		if m.recipes[t] == nil {
			m.recipes[t] = &script{file: file}
			m.order = append(m.order, t)
		}
		m.needs[t] = append(m.needs[t], strings.Fields(needs)...)
		if inline {
			m.recipes[t].add(recipe+"\n", line, column+strings.Index(rest, ";")+1)
		}
	}
}

// run evaluates a target after those that it needs.
func (m *makefile) run(s *shell, target string, done map[string]bool) {
	if done[target] {
		return
	}
	done[target] = true
	for _, n := range m.needs[target] {
		m.run(s, n, done)
	}
	r := m.recipes[target]
	if r == nil {
		return
	}
	for name, value := range m.vars {
		if _, ok := s.vars[name]; !ok && !strings.ContainsAny(value, "$") {
			s.vars[name] = text(value)
		}
	}
	s.script(recipeText(r))
}

// recipeText returns a recipe as the shell gets it: with the variables of make as variables of the shell, and its functions unresolved.
func recipeText(r *script) *script {
	return r.rewritten(func(rest string) (int, int, string, bool) {
		i := strings.IndexByte(rest, '$')
		if i < 0 || i+1 == len(rest) {
			return 0, 0, "", false
		}
		switch rest[i+1] {
		case '$':
			return i, i + 2, "$", true
		case '(', '{':
			end := closing(rest, i+1)
			inner := rest[i+2 : max(i+2, end-1)]
			switch {
			case makeName.MatchString(inner):
				return i, end, "${" + shellName(inner) + "}", true
			case strings.HasPrefix(inner, "shell "):
				return i, i + len("$(shell"), "$(", true
			}
			if strings.HasSuffix(inner, ";") { // $(if …,command;)
				return i, end, "${originhub_unresolved};", true
			}
			return i, end, "${originhub_unresolved}", true
		}
		return i, i + 2, "${originhub_unresolved}", true
	})
}

var makeName = regexp.MustCompile(`^[A-Za-z_][\w.-]*$`)

// closing returns the index after the bracket that closes the one at an index.
func closing(t string, open int) int {
	level := 0
	for i := open; i < len(t); i++ {
		switch t[i] {
		case '(', '{':
			level++
		case ')', '}':
			if level--; level == 0 {
				return i + 1
			}
		}
	}
	return len(t)
}

// shellName returns the name of a variable as the shell may write it.
func shellName(name string) string {
	return strings.ReplaceAll(strings.ReplaceAll(name, "-", "_"), ".", "_")
}
