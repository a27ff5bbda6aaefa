package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
)

// write runs calls in a transaction, in one round trip.
func (s *Store) write(ctx context.Context, operation string, calls ...*call) error {
	return s.with(ctx, operation, s.pool, func(c *session) error { return c.transact(ctx, calls...) })
}

// transact runs calls in a transaction. Without an error it is done.
func (c *session) transact(ctx context.Context, calls ...*call) error {
	all := append([]*call{{statement: begin}}, calls...)
	return c.exchange(ctx, append(all, &call{statement: commit})...)
}

// The kinds of advisory locks.
const (
	// lockLimit is taken by who counts a group's tokens and adds one.
	lockLimit = "limit"
	// lockUser and lockGroup are shared by rotations, and taken by who revokes all tokens of an owner: a successor that
	// is added while its predecessor is being revoked would not be seen, and live on.
	lockUser  = "user"
	lockGroup = "group"
	// lockPurge is taken by who purges: two that shared what is left would each find less than there is.
	lockPurge = "purge"
	// lockMigrate is taken by who migrates.
	lockMigrate = "migrate"
)

// lockKey returns the key of an advisory lock. All versions of this library have to agree on it. Keys belong to the
// database, and other programs may use some as well; a hash makes it unlikely that two meet, and then one only waits.
func lockKey(schema, kind, subject string) int64 {
	sum := sha256.Sum256([]byte("pat\x00" + schema + "\x00" + kind + "\x00" + subject))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// lock returns the call that takes a lock.
func (s *Store) lock(kind, subject string) *call {
	return &call{statement: lock, args: [][]byte{encodeInt(lockKey(s.schema, kind, subject))}}
}
