package cache

// dropRecord takes out an entry of the records, or does nothing if it is nil. The caller holds mu.
func (s *Store) dropRecord(e *entry) {
	if e != nil {
		s.records.remove(e)
		s.forgetID(e)
	}
}

// forgetID takes an entry out of the index by id. The caller holds mu.
func (s *Store) forgetID(e *entry) {
	if id := e.rec.Token.ID; s.byID[id] == e {
		delete(s.byID, id)
	}
}

// drop forgets everything about a prefix, and what a look-up of it that is under way is going to find.
func (s *Store) drop(prefix string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := s.hash(prefix)
	s.dropRecord(s.records.find(hash, prefix))
	if e := s.absent.find(hash, prefix); e != nil {
		s.absent.remove(e)
	}
	if f := s.fetches[prefix]; f != nil {
		s.outdate(f)
	}
}

// dropID forgets the token with this id. Of a look-up that is under way only the prefix is known, so that all of them
// are taken for one of this token.
func (s *Store) dropID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropRecord(s.byID[id])
	s.outdateAll()
}

// dropWhere forgets the tokens whose entries match.
func (s *Store) dropWhere(match func(*entry) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropMatching(match)
}

// dropAll forgets everything.
func (s *Store) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropMatching(func(*entry) bool { return true })
	for e := range s.absent.all() {
		s.absent.remove(e)
	}
}

// dropMatching is dropWhere for a caller who holds mu.
func (s *Store) dropMatching(match func(*entry) bool) {
	for e := range s.records.all() {
		if match(e) {
			s.dropRecord(e)
		}
	}
	s.outdateAll()
}

// outdateAll outdates every look-up that is under way. The caller holds mu.
func (s *Store) outdateAll() {
	for _, f := range s.fetches {
		s.outdate(f)
	}
}
