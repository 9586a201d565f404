package cfn

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/dlclark/regexp2/v2"
)

// parameter is a declared parameter.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
type parameter struct {
	kind           string
	standard       *string
	allowed        []string
	pattern        *regexp2.Regexp
	written        string // the pattern
	minLen, maxLen string
	min, max       string
	constraint     string // ConstraintDescription
	secret         bool   // NoEcho
}

func (r *reader) parameter(path string, m map[string]any) parameter {
	r.only(m, path, "Type", "Default", "Description", "AllowedValues", "AllowedPattern", "MinLength", "MaxLength", "MinValue", "MaxValue",
		"NoEcho", "ConstraintDescription")
	p := parameter{
		kind: r.text(m["Type"], path+".Type"), minLen: scalar(m["MinLength"]), maxLen: scalar(m["MaxLength"]),
		min: scalar(m["MinValue"]), max: scalar(m["MaxValue"]), constraint: r.text(m["ConstraintDescription"], path+".ConstraintDescription"),
		secret: scalar(m["NoEcho"]) == "true",
	}
	if m["Default"] != nil {
		standard := scalar(m["Default"])
		p.standard = &standard
	}
	for _, v := range r.list(m["AllowedValues"], path+".AllowedValues") {
		p.allowed = append(p.allowed, scalar(v))
	}
	if text := r.text(m["AllowedPattern"], path+".AllowedPattern"); text != "" {
		// CloudFormation matches the whole value, with Java's regular expressions. Package regexp has no lookaround, and allows
		// only 1,000 repetitions; an external id has up to 1,224 characters.
		pattern, err := regexp2.Compile("\\A(?:"+text+")\\z", regexp2.RE2)
		if err != nil {
			r.fail(path+".AllowedPattern", "the sandbox cannot read %q: %v", text, err)
		}
		p.pattern, p.written = pattern, text
	}
	if !p.known() {
		r.fail(path+".Type", "%s is not supported by the sandbox", p.kind)
	}
	return p
}

const ssmParameter = "AWS::SSM::Parameter::Value<String>"

func (p parameter) known() bool {
	// Types such as AWS::EC2::VPC::Id only define the choices in the console.
	resource := strings.HasPrefix(p.kind, "AWS::") && !strings.HasPrefix(p.kind, "AWS::SSM::")
	return slices.Contains([]string{"String", "Number", "CommaDelimitedList", ssmParameter}, p.kind) || resource || p.list()
}

func (p parameter) list() bool {
	return p.kind == "CommaDelimitedList" || strings.HasPrefix(p.kind, "List<") && strings.HasSuffix(p.kind, ">")
}

// bootstrapParameter matches the parameter in which the CDK looks up the version of its bootstrap stack.
func bootstrapParameter() *regexp.Regexp {
	return regexp.MustCompile(`^/cdk-bootstrap/[a-z0-9]+/version$`)
}

// bootstrapVersion is the version of the bootstrap stack, newer than any template requires. Assumption CFN-01.
const bootstrapVersion = "30"

// values checks the given values against the declarations. A parameter that is not given keeps its previous value, or else has
// its default (assumption CFN-03). Lists become []any, everything else a string.
func (t *template) values(given, before map[string]string) (resolved map[string]any, kept map[string]string, err error) {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, declared := t.parameters[name]; !declared {
			problems = append(problems, fmt.Errorf("parameter %s: the template does not declare it", name))
		}
	}
	resolved, kept = map[string]any{}, map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(t.parameters)) {
		p := t.parameters[name]
		text, ok := given[name]
		if !ok {
			text, ok = before[name]
		}
		if ok {
			kept[name] = text
		} else if p.standard != nil {
			text, ok = *p.standard, true
		}
		if !ok {
			problems = append(problems, fmt.Errorf("parameter %s: it has no value, and the template has no default: pass a value", name))
			continue
		}
		v, err := p.value(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("parameter %s: %w", name, err))
		}
		resolved[name] = v
	}
	return resolved, kept, errors.Join(problems...)
}

// shown returns the parameters of a stack as DescribeStacks shows them.
func (t *template) shown(given map[string]string, resolved map[string]any) []Parameter {
	var list []Parameter
	for _, name := range slices.Sorted(maps.Keys(t.parameters)) {
		p := t.parameters[name]
		text, ok := given[name]
		if !ok {
			text = *p.standard
		}
		if p.secret {
			text = "****"
		}
		one := Parameter{ParameterKey: name, ParameterValue: text}
		if p.kind == ssmParameter {
			one.ResolvedValue = scalar(resolved[name])
		}
		list = append(list, one)
	}
	return list
}

func (p parameter) value(text string) (any, error) {
	if p.kind == ssmParameter {
		if bootstrapParameter().MatchString(text) {
			return bootstrapVersion, nil
		}
		return nil, fmt.Errorf("the sandbox has no SSM parameter %s, only /cdk-bootstrap/<qualifier>/version: pass the value as a String", text)
	}
	if !p.list() {
		return text, p.check(text, p.kind == "Number")
	}
	list := []any{}
	for _, item := range strings.Split(text, ",") {
		item = strings.TrimSpace(item)
		if text != "" {
			list = append(list, item)
		}
		if err := p.check(item, p.kind == "List<Number>"); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (p parameter) check(text string, number bool) error {
	var complaint string
	switch {
	case len(p.allowed) > 0 && !slices.Contains(p.allowed, text):
		complaint = "must be one of " + strings.Join(p.allowed, ", ")
	case p.pattern != nil && !matches(p.pattern, text):
		complaint = "must match " + p.written
	case number && !isNumber(text):
		complaint = "must be a number"
	case less(fmt.Sprint(len(text)), p.minLen):
		complaint = "must have at least " + p.minLen + " characters"
	case less(p.maxLen, fmt.Sprint(len(text))):
		complaint = "must have at most " + p.maxLen + " characters"
	case number && less(text, p.min):
		complaint = "must be at least " + p.min
	case number && less(p.max, text):
		complaint = "must be at most " + p.max
	default:
		return nil
	}
	if p.constraint != "" {
		complaint += " (" + p.constraint + ")"
	}
	return fmt.Errorf("%q %s", text, complaint)
}

func matches(pattern *regexp2.Regexp, text string) bool {
	ok, err := pattern.MatchString(text)
	return ok && err == nil
}

func isNumber(text string) bool {
	_, ok := new(big.Float).SetString(text)
	return ok
}

// less compares numbers. A text that is not a number, such as a limit that is not set, is neither less nor greater.
func less(a, b string) bool {
	x, ok := new(big.Float).SetString(a)
	y, also := new(big.Float).SetString(b)
	return ok && also && x.Cmp(y) < 0
}

// scalar returns a string, number or boolean of a template as text.
func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}
