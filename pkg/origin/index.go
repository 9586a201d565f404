package origin

// index is what a Snapshot finds without a walk over its content.
type index struct {
	records              map[string]int // by VPC origin id
	in                   map[string][]Record
	distributions        map[string]int // by name
	damaged              map[string]bool
	damagedDistributions map[string]bool
}

// Indexed returns s with an index of its content, with which its methods walk over nothing. The index does not follow later changes of s.
func (s Snapshot) Indexed() Snapshot {
	s.index = &index{
		records: make(map[string]int, len(s.Records)), in: map[string][]Record{}, distributions: make(map[string]int, len(s.Distributions)),
		damaged: map[string]bool{}, damagedDistributions: map[string]bool{},
	}
	for i, r := range s.Records {
		if _, known := s.index.records[r.ID]; !known {
			s.index.records[r.ID] = i
		}
		s.index.in[r.Distribution] = append(s.index.in[r.Distribution], r)
	}
	for i, d := range s.Distributions {
		if _, known := s.index.distributions[d.Name]; !known {
			s.index.distributions[d.Name] = i
		}
	}
	for _, d := range s.Damaged {
		s.index.damaged[d.Origin], s.index.damagedDistributions[d.Distribution] = true, true
	}
	return s
}
