package tokenrow

import (
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/patkit/pat"
)

// ListKind names the variants of the list, each of which has a statement of its own.
type ListKind struct{ ByUser, ByGroup, IncludeRevoked bool }

// ListKinds returns all of them.
func ListKinds() []ListKind {
	return []ListKind{
		{ByUser: true}, {ByUser: true, IncludeRevoked: true},
		{ByGroup: true}, {ByGroup: true, IncludeRevoked: true},
		{ByUser: true, ByGroup: true}, {ByUser: true, ByGroup: true, IncludeRevoked: true},
	}
}

// KindOf returns the variant for the tokens of an owner, who is not the zero Owner.
func KindOf(owner pat.Owner, includeRevoked bool) ListKind {
	return ListKind{ByUser: owner.UserID != "", ByGroup: owner.GroupID != "", IncludeRevoked: includeRevoked}
}

// Behind returns the place behind which a list goes on, which is sorted from the newest to the oldest. The zero
// Position is before everything. Its time is later than any that a column can hold, also in a row that [Decode] refuses:
// such a row must be met, and not left out.
func Behind(p pat.Position) (createdAt time.Time, id []byte, err error) {
	if p == (pat.Position{}) {
		return time.UnixMicro(math.MaxInt64), make([]byte, len(uuid.UUID{})), nil
	}
	id, ok := EncodeID(p.ID)
	if !ok {
		return time.Time{}, nil, &pat.ArgumentError{Argument: "ListQuery.After.ID", Rule: idRule}
	}
	return p.CreatedAt, id, nil
}

// Tokens are the tokens of some rows. One that can't be read does not keep the others away.
type Tokens struct {
	Read    []pat.Token
	Corrupt error // of the first row that can't be a token, or nil
}

// Add adds what [Decode] has returned.
func (t *Tokens) Add(rec pat.Record, err error) {
	switch {
	case err == nil:
		t.Read = append(t.Read, rec.Token)
	case t.Corrupt == nil:
		t.Corrupt = err
	}
}
