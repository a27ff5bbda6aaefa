package pat

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// A cursor is the position behind the last token of a page: eight bytes of microseconds and sixteen of UUID, in
// base64url. It is opaque to callers and needs no signature, because it only chooses where in the caller's own list
// to go on.
const cursorLength = 8 + 16

func encodeCursor(p Position) (string, error) {
	id, err := uuid.Parse(p.ID)
	if err != nil {
		return "", ErrCorrupt
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, cursorLength), uint64(p.CreatedAt.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(b, id[:]...)), nil
}

func decodeCursor(cursor string) (Position, error) {
	if cursor == "" {
		return Position{}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	// The length of the text too, because the decoder passes over line breaks.
	if err != nil || len(b) != cursorLength || len(cursor) != base64.RawURLEncoding.EncodedLen(cursorLength) {
		return Position{}, invalid("ListParams.Cursor", "must be a NextCursor that List returned")
	}
	return Position{
		CreatedAt: time.UnixMicro(int64(binary.BigEndian.Uint64(b))).UTC(),
		ID:        uuid.UUID(b[8:]).String(),
	}, nil
}
