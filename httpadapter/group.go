package httpadapter

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// groupForm is how group ids stand in requests and answers: as numbers, or as text.
type groupForm struct{ text bool }

const (
	maxGroupNumber = 1<<53 - 1 // the largest integer that JavaScript tells from its neighbours
	maxGroupLength = 255       // bytes
)

var errStoredGroup = errors.New("httpadapter: a stored group id is no number; see Config.StringGroupIDs")

// parse checks the text of a group id, as it stands in a query.
func (f groupForm) parse(id string) (string, error) {
	if f.text && isGroupText(id) || !f.text && isGroupNumber(id) {
		return id, nil
	}
	return "", f.invalid()
}

// read reads a group id from a body. Of a number, the literal counts: decoded as a float, 1.0, 1e0 and 1 would be the
// same, and numbers beyond 2^53 would become others.
func (f groupForm) read(dec *jsontext.Decoder) (string, error) {
	kind := jsontext.KindNumber
	if f.text {
		kind = jsontext.KindString
	}
	if dec.PeekKind() != kind {
		return "", f.invalid()
	}
	token, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	return f.parse(token.String())
}

func (f groupForm) invalid() error {
	if f.text {
		return badRequest("groupId must be given once, as 1 to 255 bytes of text without control characters.")
	}
	return badRequest("groupId must be given once, as a whole number from 1 to 9007199254740991 in decimal digits.")
}

func isGroupNumber(id string) bool {
	n, err := strconv.ParseUint(id, 10, 64) // which takes digits and nothing else
	return err == nil && id[0] != '0' && n <= maxGroupNumber
}

// isGroupText has the rule of pat.CreateParams. It can't be left to the Issuer, because Authorize is asked before, and
// must not be asked about a group that can't be.
func isGroupText(id string) bool {
	return id != "" && len(id) <= maxGroupLength && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl)
}
