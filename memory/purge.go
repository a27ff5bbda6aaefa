package memory

import (
	"context"
	"time"
)

// Purge implements [pat.Store].
//
// It looks through the whole store at most once, beginning where the call before it ended, so that purging in small
// steps takes linear time.
func (s *Store) Purge(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := s.lock(ctx); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	cut := instantOf(before)
	slots := s.byID.table.Load().entries
	purged := 0
	for range slots {
		if purged >= limit {
			break
		}
		s.sweep = (s.sweep + 1) % len(slots)
		if e := slots[s.sweep].Load(); e != nil && e != gone && e.endedBefore(cut) {
			s.remove(e)
			purged++
		}
	}
	return purged, nil
}

func (e *entry) endedBefore(cut instant) bool {
	now := e.state()
	return now.revoked != none && now.revoked < cut || now.expires != none && now.expires < cut
}

func (s *Store) remove(e *entry) {
	e.purged = true
	e.group.recount(e, e.state(), nowhere)
	s.users.remove(e.user)
	s.groups.remove(e.group)
	s.byID.remove(e)
	s.byPrefix.remove(e)
}
