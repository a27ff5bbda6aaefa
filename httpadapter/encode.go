package httpadapter

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/patkit/pat"
)

// encoder writes JSON objects. It writes by hand, not by reflection, because the answer to verify stands in other
// services' login path. The first error stays in err; buf is of no use then.
type encoder struct {
	buf []byte
	err error
}

func (e *encoder) open()  { e.buf = append(e.buf, '{') }
func (e *encoder) close() { e.buf = append(e.buf, '}') }

func (e *encoder) key(name string) {
	if e.buf[len(e.buf)-1] != '{' {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '"', ':')
}

// quote appends a JSON string. Text that is not UTF-8 was not written by this library and is an error.
func (e *encoder) quote(text string) {
	var err error
	if e.buf, err = jsontext.AppendQuote(e.buf, text); err != nil {
		e.err = err
	}
}

func (e *encoder) text(name, value string) {
	e.key(name)
	e.quote(value)
}

func (e *encoder) number(name string, value int) {
	e.key(name)
	e.buf = strconv.AppendInt(e.buf, int64(value), 10)
}

// time appends an RFC 3339 time in UTC, to the microsecond. The zero time is left out. A year that RFC 3339 can't
// write is an error.
func (e *encoder) time(name string, t time.Time) {
	if t.IsZero() {
		return
	}
	e.key(name)
	e.buf = append(e.buf, '"')
	var err error
	if e.buf, err = t.UTC().Truncate(time.Microsecond).AppendText(e.buf); err != nil {
		e.err = err
	}
	e.buf = append(e.buf, '"')
}

func (e *encoder) scopes(name string, scopes pat.Scopes) {
	e.key(name)
	e.buf = append(e.buf, '[')
	for scope := range scopes.All() {
		if e.buf[len(e.buf)-1] != '[' {
			e.buf = append(e.buf, ',')
		}
		e.quote(scope)
	}
	e.buf = append(e.buf, ']')
}

func (e *encoder) group(name, id string, form groupForm) {
	e.key(name)
	if form.text {
		e.quote(id)
		return
	}
	if !isGroupNumber(id) {
		e.err = errStoredGroup
	}
	e.buf = append(e.buf, id...)
}

// encodeToken writes a Token of the API. The value is that of a new token, and empty for any other.
func (h *Handler) encodeToken(e *encoder, tok *pat.Token, value string) {
	e.open()
	e.text("id", tok.ID)
	h.encodeGrant(e, tok)
	e.time("createdAt", tok.CreatedAt)
	e.time("updatedAt", tok.UpdatedAt)
	e.state(tok)
	e.key("displayOnceShown") // always: a token exists only once its value went out in the answer to create
	e.buf = append(e.buf, "true"...)
	if value != "" {
		e.text("token", value)
	}
	e.close()
}

// encodeVerified writes the answer to verify.
func (h *Handler) encodeVerified(e *encoder, tok *pat.Token) {
	e.open()
	e.text("tokenId", tok.ID)
	h.encodeGrant(e, tok)
	e.state(tok)
	e.close()
}

// encodeGrant writes what both have of who may do what.
func (h *Handler) encodeGrant(e *encoder, tok *pat.Token) {
	e.text("userId", tok.UserID)
	e.group("groupId", tok.GroupID, h.groups)
	e.text("name", tok.Name)
	e.text("tokenPrefix", tok.Prefix)
	e.scopes("scopes", tok.Scopes)
	e.text("effectiveScope", h.verifier.EffectiveScope(*tok).String())
}

// state writes what both have of what became of the token.
func (e *encoder) state(tok *pat.Token) {
	e.time("expiresAt", tok.ExpiresAt)
	e.time("lastUsedAt", tok.LastUsedAt)
	e.time("revokedAt", tok.RevokedAt)
}

// response returns the answer with what was written.
func (e *encoder) response(status int) (response, error) {
	if e.err != nil {
		return response{}, e.err
	}
	return response{status: status, contentType: "application/json", body: e.buf}, nil
}
