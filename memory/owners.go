package memory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/patkit/pat"
)

// owners are the users, or the groups, that have tokens.
type owners map[string]*owner

// owner has the tokens of one user or group, oldest first.
type owner struct {
	id      string
	entries []*entry
	purged  int // how many of the entries are
	// What the limit counts, kept for groups only: how many tokens are neither revoked nor rotated, and the rotated ones
	// that are not revoked, which count until they expire.
	counted int
	rotated []*entry
}

// get returns the owner with this id, a new one if need be.
func (m owners) get(id string) *owner {
	if o := m[id]; o != nil {
		return o
	}
	return &owner{id: strings.Clone(id)}
}

// add puts e in its place among o's entries. Mostly that is the end.
func (m owners) add(o *owner, e *entry) {
	m[o.id] = o
	if n := len(o.entries); n == 0 || o.entries[n-1].compare(e.created, e.id()) < 0 {
		if n == cap(o.entries) {
			// By a quarter, where append would double: most owners have a few tokens, and the room behind them adds up.
			o.entries = append(make([]*entry, 0, n+n/4+1), o.entries...)
		}
		o.entries = append(o.entries, e)
		return
	}
	o.entries = slices.Insert(o.entries, o.search(e.created, e.id()), e)
}

// remove forgets e, which is marked as purged. The entries are only moved together once half of them are, so that
// purging a large owner step by step takes linear time.
func (m owners) remove(o *owner) {
	o.purged++
	if o.purged == len(o.entries) {
		delete(m, o.id)
		return
	}
	if 2*o.purged > len(o.entries) {
		o.entries = slices.DeleteFunc(o.entries, func(e *entry) bool { return e.purged })
		o.purged = 0
	}
}

// count returns how many tokens the group's limit counts at a time.
func (o *owner) count(at instant) int {
	n := o.counted
	for _, e := range o.rotated {
		if now := e.state(); now.expires == none || now.expires > at {
			n++
		}
	}
	return n
}

// recount brings what count needs up to date with a token's change from one state to another.
func (o *owner) recount(e *entry, from, to state) {
	if from.stands() {
		o.counted--
	}
	if to.stands() {
		o.counted++
	}
	if from.rotates() && !to.rotates() {
		o.rotated = slices.DeleteFunc(o.rotated, func(other *entry) bool { return other == e })
	}
	if !from.rotates() && to.rotates() {
		o.rotated = append(o.rotated, e)
	}
}

// search returns how many entries stand before the position.
func (o *owner) search(created instant, id string) int {
	i, _ := slices.BinarySearchFunc(o.entries, struct{}{}, func(e *entry, _ struct{}) int { return e.compare(created, id) })
	return i
}

// compare orders entries by time of creation and, where that is equal, by id.
func (e *entry) compare(created instant, id string) int {
	if c := cmp.Compare(e.created, created); c != 0 {
		return c
	}
	return strings.Compare(e.id(), id)
}

// candidates returns entries, oldest first, among which are all those of the owner.
func (s *Store) candidates(o pat.Owner) *owner {
	user, group := s.users[o.UserID], s.groups[o.GroupID]
	switch {
	case o.UserID == "":
		return group
	case o.GroupID == "":
		return user
	case user == nil || group == nil:
		return nil
	case len(user.entries) < len(group.entries):
		return user
	}
	return group
}

// newestFirst calls yield with the owner's tokens behind the position.
func (s *Store) newestFirst(o pat.Owner, after pat.Position, yield func(*entry) bool) {
	from := s.candidates(o)
	if from == nil {
		return
	}
	n := len(from.entries)
	if after != (pat.Position{}) {
		n = from.search(instantOf(after.CreatedAt), after.ID)
	}
	for n--; n >= 0; n-- {
		e := from.entries[n]
		if e.purged || o.UserID != "" && e.user.id != o.UserID || o.GroupID != "" && e.group.id != o.GroupID {
			continue
		}
		if !yield(e) {
			return
		}
	}
}
