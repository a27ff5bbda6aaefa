package pat

import (
	"context"
	"time"
)

// ImportParams describes a token that an older system issued.
type ImportParams struct {
	// ID keeps the token's id, if it is a UUID. Empty means a new one.
	ID string
	// LookupKey is what Config.Imported.LookupKey returns for the token's value: 1 to 128 printable ASCII characters
	// without space. It becomes the Token.Prefix.
	LookupKey string
	// Algorithm is the Algorithm of one of Config.Imported.Hashers, and Digest what the older system stored. Unlike
	// the Digest of a Record, it is plain text, and printed like any.
	Algorithm string
	Digest    string
	// UserID, GroupID, Name and Scopes are as in [CreateParams], but the group's limit is not applied.
	UserID  string
	GroupID string
	Name    string
	Scopes  []string
	// CreatedAt is required. LastUsedAt and RevokedAt may be zero.
	CreatedAt  time.Time
	LastUsedAt time.Time
	RevokedAt  time.Time
	// ExpiresAt is when the token ends. It may lie beyond Config.Lifetime.Max, because it was promised before.
	// Zero is refused unless NoExpiry is set.
	ExpiresAt time.Time
	// NoExpiry says that the token never ends. Config.Lifetime has to allow it.
	NoExpiry bool
}

// Import takes over a token of an older system, so that its value, in whatever form it has, keeps working. At its
// first successful verification the digest is replaced by one of this library's.
//
// An id or look-up key that is taken is [ErrExists]. To import the very same token again, with the same ID, which then
// has to be given, is no error as long as its digest was not replaced: it changes nothing, and returns the token as it
// now is. Once a token was purged, nothing is left to tell: a script that is run again would bring it back to life.
// Further errors are [ArgumentError], that of ctx, and faults of the store.
func (i *Issuer) Import(ctx context.Context, params ImportParams) (Token, error) {
	if err := i.begin(ctx, "import"); err != nil {
		return Token{}, err
	}
	rec, err := i.importedRecord(params)
	if err != nil {
		return Token{}, err
	}
	if err := insist(ctx, func() error { return i.store.Insert(ctx, rec, 0) }); err != nil {
		return Token{}, fault("import", err)
	}
	tok, err := i.find(ctx, rec.Token.ID)
	if err != nil {
		return Token{}, fault("import", err)
	}
	emit(ctx, i.onEvent, Event{Type: EventImported, Time: i.now()}, &tok)
	return tok, nil
}

func (i *Issuer) importedRecord(params ImportParams) (Record, error) {
	name, err := checkOwnerAndName("ImportParams", params.UserID, params.GroupID, params.Name)
	if err != nil {
		return Record{}, err
	}
	if !isLookupKey(params.LookupKey) {
		return Record{}, invalid("ImportParams.LookupKey", "must be 1 to 128 printable ASCII characters without space")
	}
	hasher := i.hashers.slow.byAlgorithm[params.Algorithm]
	if hasher == nil {
		return Record{}, invalid("ImportParams.Algorithm", "must be that of one of Config.Imported.Hashers")
	}
	if err := hasher.Check(params.Digest); err != nil {
		return Record{}, inField("ImportParams.Digest", err)
	}
	digest, err := ParseDigest(makeDigest(params.Algorithm, "", []byte(params.Digest)).Encoded())
	if err != nil {
		return Record{}, invalid("ImportParams.Digest", "must not be empty, nor longer than 500 bytes")
	}
	scopes, err := i.scopes.grant(params.Scopes)
	if err != nil {
		return Record{}, inField("ImportParams.Scopes", err)
	}
	tok := Token{
		ID: params.ID, UserID: params.UserID, GroupID: params.GroupID, Name: name, Prefix: params.LookupKey, Scopes: scopes,
		CreatedAt: canonicalTime(params.CreatedAt), UpdatedAt: canonicalTime(params.CreatedAt),
		ExpiresAt: canonicalTime(params.ExpiresAt), LastUsedAt: canonicalTime(params.LastUsedAt), RevokedAt: canonicalTime(params.RevokedAt),
	}
	if tok.ID == "" {
		tok.ID, err = newID()
	} else {
		tok.ID, err = parseID(params.ID)
	}
	if err != nil {
		return Record{}, inField("ImportParams.ID", err)
	}
	return Record{Token: tok, Digest: digest}, i.checkImportedTimes(params)
}

// Years that RFC 3339 and the stores' microseconds can express without doubt.
var earliest, latest = time.Unix(0, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func (i *Issuer) checkImportedTimes(params ImportParams) error {
	const rule = "must lie in the years 1970 to 9998"
	for _, field := range []struct {
		name     string
		time     time.Time
		required bool
	}{
		{"ImportParams.CreatedAt", params.CreatedAt, true},
		{"ImportParams.ExpiresAt", params.ExpiresAt, false},
		{"ImportParams.LastUsedAt", params.LastUsedAt, false},
		{"ImportParams.RevokedAt", params.RevokedAt, false},
	} {
		if field.time.IsZero() && !field.required {
			continue
		}
		if !field.time.After(earliest) || !field.time.Before(latest) {
			return invalid(field.name, rule)
		}
	}
	switch {
	case params.NoExpiry && !params.ExpiresAt.IsZero():
		return invalid("ImportParams.NoExpiry", "must not be set beside ExpiresAt")
	case params.NoExpiry && !i.lifetime.AllowNoExpiry:
		return invalid("ImportParams.NoExpiry", "must not be set, as Config.Lifetime does not allow it")
	case !params.NoExpiry && params.ExpiresAt.IsZero():
		return invalid("ImportParams.ExpiresAt", "must be set, unless NoExpiry is")
	}
	return nil
}
