package sqlite

import (
	"context"
	"io"
	"iter"

	"github.com/patkit/pat"
)

const (
	// recordsPage is how many records are read at once, so that neither a connection nor the write-ahead log is held
	// for as long as the caller takes.
	recordsPage = 500
	nextRecords = "SELECT " + columns + " FROM pat_tokens WHERE prefix > ? ORDER BY prefix LIMIT +?"
)

// Records returns every record, the revoked and the expired ones too, in the order of their prefixes: what it takes to
// move to another store. Digests are among it, so that what is written down of it has to be kept as the database is. Of
// what is written meanwhile, a part may be seen.
//
// The first error, that of ctx included, is the last element. One that wraps [pat.ErrCorrupt] means a row that can't
// be read.
func (s *Store) Records(ctx context.Context) iter.Seq2[pat.Record, error] {
	return func(yield func(pat.Record, error) bool) {
		for last := ""; ; {
			page, err := s.recordsAfter(ctx, last)
			for _, rec := range page {
				if !yield(rec, nil) {
					return
				}
			}
			if err != nil {
				yield(pat.Record{}, failed(ctx, "records", err))
				return
			}
			if len(page) < recordsPage {
				return
			}
			last = page[len(page)-1].Token.Prefix
		}
	}
}

// recordsAfter returns the next records behind a prefix, and with an error those before it.
func (s *Store) recordsAfter(ctx context.Context, prefix string) (page []pat.Record, err error) {
	c, err := s.readers.acquire(ctx, s.closed)
	if err != nil {
		return nil, err
	}
	defer s.readers.release(c)
	rows, err := c.query(ctx, c.reads.next, prefix, int64(recordsPage))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // what could fail, rows.Next has told
	for {
		switch err := rows.Next(c.row); {
		case err == io.EOF: //nolint:errorlint // as package driver has it
			return page, nil
		case err != nil:
			return page, err
		}
		rec, err := decode(c.row)
		if err != nil {
			return page, err
		}
		page = append(page, rec)
	}
}
