package sandbox

import (
	"fmt"
	"path/filepath"
	"sync"
)

// assets finds the directory of a Lambda asset, first in deployed assemblies, then as the options say.
type assets struct {
	otherwise func(key string) (string, error)

	mu   sync.Mutex
	dirs map[string]string
}

func (a *assets) add(key, dir string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dirs[key] = dir
}

// find returns the directory of an asset. A key that is not the path of something below a directory, such as one with .., belongs to no asset:
// the options may join it with a directory of their own.
func (a *assets) find(key string) (string, error) {
	if key == "." || !filepath.IsLocal(key) {
		return "", fmt.Errorf("find asset %q: the key must be a path below a directory", key)
	}
	a.mu.Lock()
	dir, ok := a.dirs[key]
	a.mu.Unlock()
	if ok {
		return dir, nil
	}
	if a.otherwise == nil {
		return "", fmt.Errorf("find asset %s: no deployed assembly has it", key)
	}
	return a.otherwise(key)
}
