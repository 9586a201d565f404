package pipeline

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// repository is the files of the audited directory.
type repository struct {
	root  string
	files []string
	known map[string]bool
	base  map[string][]string // files by their last element

	mu      sync.Mutex
	content map[string]loaded
}

type loaded struct {
	raw []byte
	err error
}

// skipped are directories that hold no pipeline of the repository: dependencies, caches, and what tests read.
var skipped = []string{
	".git", "node_modules", "vendor", ".terraform", ".venv", "venv", "__pycache__", ".tox", ".mypy_cache", ".next", ".nuxt", ".gradle", ".idea", ".cache", ".serverless",
	".aws-sam", ".build", ".terragrunt-cache", "testdata", "__tests__", "__snapshots__", "bower_components", "site-packages",
}

// open lists the files of a directory. It follows no symbolic links.
func open(root string) (*repository, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	r := &repository{root: root, known: map[string]bool{}, base: map[string][]string{}, content: map[string]loaded{}}
	if !info.IsDir() {
		r.root = filepath.Dir(root)
		r.add(filepath.Base(root))
		return r, nil
	}
	return r, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(root, file)
		if relErr != nil {
			return relErr
		}
		switch {
		case err != nil:
			if name == "." {
				return err
			}
			r.content[filepath.ToSlash(name)] = loaded{err: err}
			r.add(filepath.ToSlash(name))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
			if name != "." && (slices.Contains(skipped, d.Name()) || strings.HasPrefix(d.Name(), "asset.")) {
				return fs.SkipDir
			}
		case d.Type().IsRegular():
			r.add(filepath.ToSlash(name))
		}
		return nil
	})
}

func (r *repository) add(name string) {
	r.files = append(r.files, name)
	r.known[name] = true
	base := path.Base(name)
	r.base[base] = append(r.base[base], name)
}

func (r *repository) has(name string) bool { return r.known[name] }

// read returns the content of a file.
func (r *repository) read(name string) ([]byte, error) {
	r.mu.Lock()
	l, ok := r.content[name]
	r.mu.Unlock()
	if ok {
		return l.raw, l.err
	}
	l.raw, l.err = load(filepath.Join(r.root, filepath.FromSlash(name)))
	if l.err == nil && len(l.raw) > 1<<16 {
		return l.raw, nil // read again rather than kept
	}
	r.mu.Lock()
	r.content[name] = l
	r.mu.Unlock()
	return l.raw, l.err
}

var (
	errLarge  = errors.New("it is larger than 4 MiB")
	errBinary = errors.New("it is binary")
)

func load(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > largest {
		return nil, errLarge
	}
	raw, err := os.ReadFile(name)
	if err == nil && binary(raw) {
		return nil, errBinary
	}
	return raw, err
}

// yaml returns the documents of a YAML file and its lines. Where expressions of GitHub Actions make it invalid YAML, they count as plain text.
func (r *repository) yaml(name string) ([]*node, [][]byte, error) {
	raw, err := r.read(name)
	if err != nil {
		return nil, nil, err
	}
	rows := bytes.SplitAfter(raw, []byte("\n"))
	docs, err := parseYAML(raw)
	if err != nil && bytes.Contains(raw, []byte("${{")) {
		plain := expression.ReplaceAllFunc(raw, func(e []byte) []byte {
			return append(bytes.Repeat([]byte(unknown), len(e)/len(unknown)), "___"[:len(e)%len(unknown)]...)
		})
		if again, err := parseYAML(plain); err == nil {
			return again, rows, nil
		}
	}
	return docs, rows, err
}

// find returns the file that a command names, seen from a file of the repository, which may not be where the command runs.
func (r *repository) find(from, name string) (string, bool) {
	if i := strings.LastIndex(name, unknown); i >= 0 { // a directory that could not be resolved
		name = strings.TrimLeft(name[i+len(unknown):], "/")
	}
	name = strings.TrimPrefix(path.Clean(name), "/")
	if name == "." || name == "" || strings.HasPrefix(name, "../..") {
		return "", false
	}
	for _, candidate := range []string{name, path.Join(path.Dir(from), name), strings.TrimPrefix(name, "../")} {
		if r.known[candidate] {
			return candidate, true
		}
	}
	var found []string
	for _, file := range r.base[path.Base(name)] {
		if strings.HasSuffix(file, "/"+name) {
			found = append(found, file)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return "", false
}
