package tokenrow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

// plain is the format of a database that takes what Go has, and whose texts have no NUL.
type plain struct{}

func (plain) Text(text string) any              { return text }
func (plain) Binary(bytes []byte) any           { return bytes }
func (plain) Time(micros int64) any             { return micros }
func (plain) IsNull(value any) bool             { return value == nil }
func (plain) ToText(value any) (string, bool)   { text, ok := value.(string); return text, ok }
func (plain) ToBinary(value any) ([]byte, bool) { bytes, ok := value.([]byte); return bytes, ok }
func (plain) ToTime(value any) (int64, bool)    { micros, ok := value.(int64); return micros, ok }
func (plain) Holds(text string) bool            { return IsText(text) && text != "a\x00b" }
func (plain) TextRule() string                  { return "the rule of plain" }

const oneID, otherID = "0199c0de-0000-7000-8000-000000000001", "0199c0de-0000-7000-8000-000000000002"

// full returns a record that has every field.
func full(t *testing.T) pat.Record {
	t.Helper()
	digest, err := pat.ParseDigest("sha256$$" + "dddddddddddddddddddddddddddddddd")
	require.NoError(t, err)
	scopes, err := pat.NewScopes("read", "write")
	require.NoError(t, err)
	at := time.Date(2031, 3, 4, 5, 6, 7, 890_123_000, time.UTC)
	return pat.Record{Digest: digest, Token: pat.Token{
		Prefix: "abcdefABCDEF", ID: oneID, UserID: "user", GroupID: "group", Name: "name", Scopes: scopes,
		CreatedAt: at, UpdatedAt: at.Add(1 * time.Hour), ExpiresAt: at.Add(2 * time.Hour), LastUsedAt: at.Add(3 * time.Hour),
		RevokedAt: at.Add(4 * time.Hour), RotatedFrom: otherID, RotatedTo: oneID,
	}}
}
