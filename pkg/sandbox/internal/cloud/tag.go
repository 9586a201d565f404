package cloud

// Tag is one tag of a template.
type Tag struct {
	Key   string
	Value string
}
