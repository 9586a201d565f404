package pipeline

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lexeme is a token of a program in Python, JavaScript, TypeScript or Groovy. Comments yield no token.
type lexeme struct {
	kind   byte // 'i' identifier, 's' string, 'n' number, 'p' punctuation
	text   string
	offset int
	raw    bool // of a string: without escapes and interpolation
}

type lexer struct {
	src    string
	i      int
	hash   bool // # begins a comment
	slash  bool // // and /* begin comments
	tokens []lexeme
}

// lex returns the tokens of a program in "python", "javascript" or "groovy".
func lex(src, language string) []lexeme {
	l := &lexer{src: src, hash: language == "python", slash: language != "python"}
	for l.i < len(src) {
		l.next()
	}
	return l.tokens
}

func (l *lexer) add(kind byte, from int, text string) {
	l.tokens = append(l.tokens, lexeme{kind: kind, text: text, offset: from})
}

func (l *lexer) has(prefix string) bool { return strings.HasPrefix(l.src[l.i:], prefix) }

// until moves behind the next end, or to the end of the program.
func (l *lexer) until(end string) {
	if n := strings.Index(l.src[l.i:], end); n >= 0 {
		l.i += n + len(end)
		return
	}
	l.i = len(l.src)
}

func (l *lexer) next() {
	c := l.src[l.i]
	switch {
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		l.i++
	case l.hash && c == '#' || l.slash && l.has("//") || l.i == 0 && l.has("#!"):
		l.until("\n")
	case l.slash && l.has("/*"):
		l.until("*/")
	case c == '"' || c == '\'' || c == '`':
		l.text(false)
	case l.slash && c == '/' && l.regular():
		l.expression()
	case c >= '0' && c <= '9':
		from := l.i
		for l.i < len(l.src) && (l.src[l.i] >= '0' && l.src[l.i] <= '9' || l.src[l.i] == '.' || l.src[l.i] == '_') {
			l.i++
		}
		l.add('n', from, l.src[from:l.i])
	default:
		l.wordOrSign()
	}
}

func (l *lexer) wordOrSign() {
	from := l.i
	for l.i < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[l.i:])
		if r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		l.i += n
	}
	if l.i == from {
		_, n := utf8.DecodeRuneInString(l.src[from:])
		l.i += n
		l.add('p', from, l.src[from:l.i])
		return
	}
	word := l.src[from:l.i]
	if l.hash && len(word) <= 2 && l.i < len(l.src) && (l.src[l.i] == '"' || l.src[l.i] == '\'') && strings.Trim(strings.ToLower(word), "rbfu") == "" {
		l.text(strings.ContainsAny(word, "rR"))
		return
	}
	l.add('i', from, word)
}

// text reads a string literal.
func (l *lexer) text(raw bool) {
	from := l.i
	quote := l.src[l.i : l.i+1]
	if triple := strings.Repeat(quote, 3); quote != "`" && l.has(triple) {
		quote = triple
	}
	l.i += len(quote)
	var b strings.Builder
	begin := l.i
	for l.i < len(l.src) && !l.has(quote) {
		c := l.src[l.i]
		if c == '\n' && len(quote) == 1 && quote != "`" {
			break // not closed on its line
		}
		if c == '\\' && l.i+1 < len(l.src) && !raw {
			l.i++
			b.WriteString(escaped(l.src[l.i]))
			l.i++
			continue
		}
		b.WriteByte(c)
		l.i++
	}
	plain := b.String() == l.src[begin:l.i]
	l.i = min(len(l.src), l.i+len(quote))
	l.tokens = append(l.tokens, lexeme{'s', b.String(), from + len(quote), plain})
}

func escaped(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case '\n':
		return ""
	case '\'', '"', '`', '\\', '$', '/':
		return string(c)
	}
	return "\\" + string(c)
}

// regular reports whether a slash begins a regular expression, by what stands before it.
func (l *lexer) regular() bool {
	if len(l.tokens) == 0 {
		return true
	}
	last := l.tokens[len(l.tokens)-1]
	return last.kind == 'p' && strings.ContainsAny(last.text, "(,=:[!&|?{};+") || last.kind == 'i' && last.text == "return"
}

func (l *lexer) expression() {
	class := false
	for l.i++; l.i < len(l.src) && l.src[l.i] != '\n'; l.i++ {
		switch c := l.src[l.i]; {
		case c == '\\':
			l.i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			l.i++
			return
		}
	}
}
