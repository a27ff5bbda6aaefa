package httpadapter

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/patkit/pat"
)

// create answers POST {base}/pats. The order is that of list: who asks, what is asked, may they, do it. What only the
// Issuer knows (the scopes, the maximum lifetime, the form of a name) is refused after Authorize.
func (h *Handler) create(r *http.Request) (response, error) {
	caller, err := h.caller(r)
	if err != nil {
		return response{}, err
	}
	body, err := readBody(r)
	if err != nil {
		return response{}, err
	}
	params, err := decodeCreate(body, h.groups)
	if err != nil {
		return response{}, err
	}
	if err := h.authorize(r.Context(), caller, ActionCreate, Target{GroupID: params.GroupID}); err != nil {
		return response{}, verdict(err)
	}
	params.UserID = caller.UserID // never from the body
	issued, err := h.issuer.Create(r.Context(), params)
	if errors.Is(err, pat.ErrLimitReached) {
		return response{}, tokenLimitReached
	}
	if err != nil {
		return response{}, badArgument(err)
	}
	var e encoder
	h.encodeToken(&e, &issued.Token, issued.Value.Reveal())
	return e.response(http.StatusCreated)
}

// decodeCreate reads the body of a create. An absent field stays zero, which the Issuer takes for its default, or
// refuses.
func decodeCreate(body []byte, groups groupForm) (pat.CreateParams, error) {
	var params pat.CreateParams
	err := decodeObject(body, func(dec *jsontext.Decoder, name string) (err error) {
		switch name {
		case "name":
			params.Name, err = readString(dec, name)
		case "groupId":
			params.GroupID, err = groups.read(dec)
		case "scopes":
			params.Scopes, err = readStrings(dec, name)
		case "expiresInDays":
			params.Lifetime, err = readDays(dec)
		default:
			err = dec.SkipValue()
		}
		return err
	})
	if err != nil {
		return pat.CreateParams{}, err
	}
	if params.GroupID == "" {
		return pat.CreateParams{}, groups.invalid()
	}
	return params, nil
}

const (
	day     = 24 * time.Hour
	maxDays = uint64(math.MaxInt64 / day) // more would overflow a time.Duration
)

// readDays reads a lifetime. As with a group id, the literal counts, so that 60.0 and 6e1 are not taken for 60.
func readDays(dec *jsontext.Decoder) (time.Duration, error) {
	if dec.PeekKind() != jsontext.KindNumber {
		return 0, badRequest(lifetimeDetail)
	}
	token, err := dec.ReadToken()
	if err != nil {
		return 0, err
	}
	literal := token.String()
	days, err := strconv.ParseUint(literal, 10, 64)
	if err != nil || days > maxDays || strings.HasPrefix(literal, "0") {
		return 0, badRequest(lifetimeDetail)
	}
	return time.Duration(days) * day, nil
}
