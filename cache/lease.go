package cache

import "time"

// instant is a moment on two clocks, in nanoseconds. The monotonic one stands still while the machine is suspended,
// and the wall clock can be set back. A lease ends as soon as one of them says so.
type instant struct{ monotonic, wall int64 }

// clock makes instants that can be compared with each other.
type clock struct{ began time.Time }

func newClock() clock { return clock{time.Now()} }

func (c clock) now() instant { return c.instant(time.Now()) }

func (c clock) instant(t time.Time) instant { return instant{int64(t.Sub(c.began)), t.UnixNano()} }

// within reports whether less than d has passed since i.
func (i instant) within(d time.Duration, now instant) bool {
	return now.monotonic-i.monotonic < int64(d) && now.wall-i.wall < int64(d)
}

// proof says that every change that was acknowledged before a moment is applied here, unless it was there to be read
// when the session began.
type proof struct {
	session uint64 // one call of Watch, from its first Current on; above zero
	at      instant
}

// serves reports whether a record may still be served. For the promise to hold, the proof has to be loaded before the
// entry is looked for: what the proof vouches for is taken out of the table before the proof is there.
func (s *Store) serves(e *entry, p *proof, now instant) bool {
	if e.read.within(s.staleness, now) {
		return true
	}
	if p == nil || p.session != e.session || !p.at.within(s.staleness, now) {
		return false
	}
	// Age is a reason to ask only while the feed shows that somebody answers: a last use is not worth a token's lease.
	return e.read.within(max(maxAge, s.staleness), now) || !p.at.within(min(s.staleness, longestSilence), now)
}
