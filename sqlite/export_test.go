package sqlite

import (
	"context"
	"strconv"
)

// LimitPages sets how many pages the database may have.
func (s *Store) LimitPages(pages int) error {
	return sessions(s)[0].exec(context.Background(), "PRAGMA max_page_count = "+strconv.Itoa(pages))
}
