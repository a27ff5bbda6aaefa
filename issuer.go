package pat

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Issuer creates and manages tokens. It is safe for concurrent use. Make it with [NewIssuer].
//
// An Issuer does not know who calls it: the host decides, before each call, whether the caller may act for this user
// and in this group. Get, Rotate and Revoke take an id of any group; look at the token's GroupID before acting on it.
type Issuer struct {
	store Store
	*settings
}

// NewIssuer returns an Issuer over the store. A nil store and a Config that contradicts itself are an [ArgumentError]
// that names the field.
func NewIssuer(store Store, cfg Config) (*Issuer, error) {
	s, err := cfg.resolve(store)
	if err != nil {
		return nil, err
	}
	return &Issuer{store: store, settings: s}, nil
}

// begin is the first thing that every method does.
func (i *Issuer) begin(ctx context.Context, operation string) error {
	if i == nil || i.settings == nil {
		return errNotMade
	}
	if err := ctx.Err(); err != nil {
		return fault(operation, err)
	}
	return nil
}

// CreateParams says what token to create.
type CreateParams struct {
	// UserID is the host's id of the user for whom the token is made; GroupID that of the group it belongs to. Both
	// are required, valid UTF-8 without control characters, of at most 255 bytes. A host without groups can
	// pass the user's id as the group.
	UserID  string
	GroupID string
	// Name is what the owner calls the token. White space around it is cut off. It has to have 1 to 255
	// characters, not all of them invisible, be valid UTF-8, and have no control, line-separating or
	// bidirectional-override characters.
	Name string
	// Scopes is what the token may do. None means the policy's default.
	Scopes []string
	// Lifetime is how long the token lives. Zero means the policy's default; see also [NoExpiry].
	Lifetime time.Duration
}

// Create makes a token and returns it with its value, which can't be had again. Once it returns, the token is as
// durable as the store promises.
//
// Its errors are [ArgumentError], [ErrLimitReached], that of ctx, and faults of the store. After [ErrOutcomeUnknown],
// which comes once the store could not find out by trying again, a token whose value nobody has may count against the
// limit; it is in the list.
func (i *Issuer) Create(ctx context.Context, params CreateParams) (Issued, error) {
	if err := i.begin(ctx, "create"); err != nil {
		return Issued{}, err
	}
	name, err := checkOwnerAndName("CreateParams", params.UserID, params.GroupID, params.Name)
	if err != nil {
		return Issued{}, err
	}
	scopes, err := i.scopes.grant(params.Scopes)
	if err != nil {
		return Issued{}, inField("CreateParams.Scopes", err)
	}
	now := canonicalTime(i.now())
	expires, err := i.lifetime.expiry(now, params.Lifetime, "CreateParams.Lifetime")
	if err != nil {
		return Issued{}, err
	}
	tok := Token{
		UserID: params.UserID, GroupID: params.GroupID, Name: name, Scopes: scopes,
		CreatedAt: now, UpdatedAt: now, ExpiresAt: expires,
	}
	issued, err := i.issue("create", tok, func(rec Record) error {
		return insist(ctx, func() error { return i.store.Insert(ctx, rec, i.groupLimit) })
	})
	if err == nil {
		emit(ctx, i.onEvent, Event{Type: EventCreated, Time: now}, &issued.Token)
	}
	return issued, err
}

// maxDraws is how often a taken id or prefix is drawn again. With 71 random bits once is already a rarity; several
// in a row mean that the store is wrong about ErrExists.
const maxDraws = 3

// issue gives tok an id and a value and hands the record to store.
func (i *Issuer) issue(operation string, tok Token, store func(Record) error) (Issued, error) {
	for draw := 1; ; draw++ {
		id, err := newID()
		if err != nil {
			return Issued{}, fault(operation, err)
		}
		value, prefix := newValue()
		tok.ID, tok.Prefix = id, prefix
		err = store(Record{Token: tok, Digest: i.hashers.digest(value)})
		if err == nil {
			return Issued{Token: tok, Value: NewSecret(value)}, nil
		}
		if !errors.Is(err, ErrExists) || draw == maxDraws {
			return Issued{}, fault(operation, err)
		}
	}
}

// newID returns a UUID of version 7 (RFC 9562): it grows with time, so that a store's index on it grows at one end.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	return id.String(), nil
}

// Get returns the token with this id, also if it is revoked or expired. An id that is no UUID is an
// [ArgumentError]; an absent one is [ErrNotFound].
func (i *Issuer) Get(ctx context.Context, id string) (Token, error) {
	if err := i.begin(ctx, "get"); err != nil {
		return Token{}, err
	}
	id, err := parseID(id)
	if err != nil {
		return Token{}, err
	}
	tok, err := i.find(ctx, id)
	if err != nil {
		return Token{}, fault("get", err)
	}
	return tok, nil
}

// find returns the token with this id. The host is going to decide by its owner, and Rotate to copy it, so that
// another token must not pass for it.
func (i *Issuer) find(ctx context.Context, id string) (Token, error) {
	tok, err := i.store.FindByID(ctx, id)
	if err != nil {
		return Token{}, err
	}
	if tok.ID != id || !isWhole(&tok) {
		return Token{}, ErrCorrupt
	}
	return tok, nil
}

// ListParams says which tokens to list.
type ListParams struct {
	// UserID and GroupID select the tokens of a user, of a group, or, with both set, of a user in a group. One of
	// them is required: there is no list of everything.
	UserID  string
	GroupID string
	// IncludeRevoked also lists revoked tokens.
	IncludeRevoked bool
	// Limit is the size of a page, up to [MaxPageSize]. Zero means [DefaultPageSize].
	Limit int
	// Cursor is the NextCursor of the page before, or empty for the first page.
	Cursor string
}

// Page sizes of [ListParams].
const (
	// DefaultPageSize is the size of a page for which no Limit is given.
	DefaultPageSize = 100
	// MaxPageSize is the largest Limit.
	MaxPageSize = 1000
)

// Page is one page of a list.
type Page struct {
	// Tokens are in the order of creation, newest first.
	Tokens []Token
	// NextCursor asks for the next page. It is empty on the last one.
	NextCursor string
}

// List returns a page of tokens, newest first: the expired ones too, the revoked ones on request. Tokens created
// between two calls do not shift the pages.
func (i *Issuer) List(ctx context.Context, params ListParams) (Page, error) {
	if err := i.begin(ctx, "list"); err != nil {
		return Page{}, err
	}
	owner := Owner{UserID: params.UserID, GroupID: params.GroupID}
	if err := checkOwner("ListParams", owner); err != nil {
		return Page{}, err
	}
	limit := params.Limit
	if limit == 0 {
		limit = DefaultPageSize
	}
	if limit < 0 || limit > MaxPageSize {
		return Page{}, invalid("ListParams.Limit", "must be from 0 to 1000")
	}
	after, err := decodeCursor(params.Cursor)
	if err != nil {
		return Page{}, err
	}
	// One more than asked for tells whether there is a next page.
	tokens, err := i.store.List(ctx, ListQuery{Owner: owner, IncludeRevoked: params.IncludeRevoked, After: after, Limit: limit + 1})
	if err != nil {
		return Page{}, fault("list", err)
	}
	for n := range tokens {
		if !owner.Matches(tokens[n]) || !isWhole(&tokens[n]) {
			return Page{}, fault("list", ErrCorrupt)
		}
	}
	if len(tokens) <= limit {
		return Page{Tokens: tokens}, nil
	}
	last := tokens[limit-1]
	next, err := encodeCursor(Position{CreatedAt: last.CreatedAt, ID: last.ID})
	if err != nil {
		return Page{}, fault("list", err)
	}
	return Page{Tokens: tokens[:limit], NextCursor: next}, nil
}

// Revoke ends a token and returns it as it then is. A token that is revoked already keeps the time of the first
// revocation, without error; an expired one is revoked like any other. An absent id is [ErrNotFound], one that is no
// UUID an [ArgumentError]. A token that can't be read is revoked all the same, and the error wraps [ErrCorrupt].
//
// Once it returns, no verification that starts later succeeds; where another process verifies through package cache, none
// that starts more than its maximum staleness later. After [ErrOutcomeUnknown] call it again.
func (i *Issuer) Revoke(ctx context.Context, id string) (Token, error) {
	if err := i.begin(ctx, "revoke"); err != nil {
		return Token{}, err
	}
	id, err := parseID(id)
	if err != nil {
		return Token{}, err
	}
	now := canonicalTime(i.now())
	var tok Token
	var changed, repeated bool
	err = insist(ctx, func() (err error) {
		tok, changed, err = i.store.Revoke(ctx, id, now)
		// A first try of unknown outcome that was done shows in the time.
		changed = changed || repeated && tok.RevokedAt.Equal(now)
		repeated = true
		return err
	})
	if err != nil {
		return Token{}, fault("revoke", err)
	}
	// A store that says so and did not do so, or did it to another token, must not pass for a revocation.
	if tok.ID != id || !isWhole(&tok) || !tok.Revoked() {
		return Token{}, fault("revoke", ErrCorrupt)
	}
	if changed {
		emit(ctx, i.onEvent, Event{Type: EventRevoked, Time: now}, &tok)
	}
	return tok, nil
}

// RevokeAll ends every token of a user, of a group, or of a user in a group, all at once, and returns how many there
// were. The zero Owner is an [ArgumentError]. With an error that wraps [ErrCorrupt] all are revoked nevertheless; the
// number then leaves out those that can't be read. After [ErrOutcomeUnknown] call it again: then all are revoked, but
// those that the first call had revoked are neither counted nor reported as events.
func (i *Issuer) RevokeAll(ctx context.Context, owner Owner) (int, error) {
	if err := i.begin(ctx, "revoke all"); err != nil {
		return 0, err
	}
	if err := checkOwner("Owner", owner); err != nil {
		return 0, err
	}
	now := canonicalTime(i.now())
	revoked, err := i.store.RevokeAll(ctx, owner, now)
	total := 0
	for n := range revoked {
		if tok := &revoked[n]; owner.Matches(*tok) && isWhole(tok) && tok.Revoked() {
			emit(ctx, i.onEvent, Event{Type: EventRevoked, Time: now}, tok)
			total++
		}
	}
	if err == nil && total < len(revoked) { // as in Revoke
		err = ErrCorrupt
	}
	if err != nil {
		return total, fault("revoke all", err)
	}
	return total, nil
}

// purgeBatch bounds one step of Purge, so that a store's write lock is not held long.
const purgeBatch = 500

// Purge deletes the tokens that were revoked or expired before the given time, and returns how many. It works in
// small steps: after an error, the number says how many are gone already. The time must not be in the future. Keep
// tokens as long as an audit may ask for them; once purged, an id is unknown.
func (i *Issuer) Purge(ctx context.Context, before time.Time) (int, error) {
	if err := i.begin(ctx, "purge"); err != nil {
		return 0, err
	}
	if before.After(i.now()) {
		return 0, invalid("before", "must not be in the future")
	}
	for total := 0; ; {
		n, err := i.store.Purge(ctx, canonicalTime(before), purgeBatch)
		total += n
		if err != nil {
			return total, fault("purge", err)
		}
		if n < purgeBatch {
			return total, nil
		}
	}
}
