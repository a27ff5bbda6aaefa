package postgres

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/internal/bench"
)

// contents are what a table of a benchmark was filled with.
type contents struct {
	tokens, groups int
	// values are those of up to a million live tokens, evenly spread over the table and in no order.
	values []string
	// ended is a time before which one token in twenty was revoked, and none had expired.
	ended time.Time
}

// fillScaled fills an empty table with n tokens, ten to a group.
func fillScaled(b *testing.B, s *Store, n int) *contents {
	b.Helper()
	recreate := dropIndexes(b, s)
	c := &contents{tokens: n, groups: n / 10, ended: time.Now()}
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(c.write(writer)) }()
	conn, err := s.pool.Acquire(b.Context())
	require.NoError(b, err)
	defer conn.Release()
	_, err = conn.Conn().PgConn().CopyFrom(b.Context(), reader, "COPY "+s.table()+" ("+columns+") FROM STDIN BINARY")
	require.NoError(b, err)
	rand.Shuffle(len(c.values), func(i, j int) { c.values[i], c.values[j] = c.values[j], c.values[i] })
	recreate()
	return c
}

// dropIndexes drops the indexes and returns what makes them again. To sort once is much quicker than to put ten million
// keys into their places.
func dropIndexes(b *testing.B, s *Store) (recreate func()) {
	b.Helper()
	found, err := s.pool.Query(b.Context(), "SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname), "+
		"format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) "+
		"FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('p', 'u') UNION ALL "+
		"SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid) FROM pg_index "+
		"WHERE indrelid = $1::regclass AND NOT indisunique", s.table())
	require.NoError(b, err)
	type index struct{ Drop, Create string }
	indexes, err := pgx.CollectRows(found, pgx.RowToStructByPos[index])
	require.NoError(b, err)
	for _, i := range indexes {
		_, err := s.pool.Exec(b.Context(), i.Drop)
		require.NoError(b, err)
	}
	return func() {
		for _, i := range indexes {
			elapsed(b, s, i.Create)
		}
	}
}

// write makes the tokens in the format of a binary COPY (its page in PostgreSQL's manual).
func (c *contents) write(to io.Writer) error {
	maker, err := bench.NewMaker(c.tokens, c.groups)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(to, 1<<20)
	const flags, extension, null = 0, 0, math.MaxUint32
	row := binary.BigEndian.AppendUint64([]byte("PGCOPY\n\xff\r\n\x00"), flags<<32|extension)
	for i := range c.tokens {
		rec, value, err := maker.Make(background, i)
		if err != nil {
			return err
		}
		const most = 1_000_000
		if rand.N(20) == 0 {
			rec.Token.RevokedAt = c.ended.Add(-rand.N(time.Hour))
		} else if c.tokens <= most || rand.N(c.tokens) < most {
			c.values = append(c.values, value)
		}
		fields, err := encode(rec)
		if err != nil {
			return err
		}
		row = binary.BigEndian.AppendUint16(row, uint16(len(fields)))
		for _, field := range fields {
			if field == nil {
				row = binary.BigEndian.AppendUint32(row, null)
				continue
			}
			row = append(binary.BigEndian.AppendUint32(row, uint32(len(field))), field...)
		}
		if _, err := out.Write(row); err != nil {
			return err
		}
		row = row[:0]
	}
	if _, err := out.Write([]byte{0xff, 0xff}); err != nil {
		return err
	}
	return out.Flush()
}

// elapsed logs how long a statement takes.
func elapsed(b *testing.B, s *Store, statement string) {
	b.Helper()
	start := time.Now()
	_, err := s.pool.Exec(b.Context(), statement)
	require.NoError(b, err)
	b.Logf("%v: %s", time.Since(start), statement)
}
