package pat_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

const vectorFolder = "testdata/vectors"

// vectorClasses is what the classes of the vectors mean here.
var vectorClasses = map[string]error{
	"valid":        nil,
	"format":       pat.ErrMalformed,
	"checksum":     pat.ErrMalformed,
	"unknown":      pat.ErrUnknown,
	"wrong-secret": pat.ErrWrongSecret,
	"expired":      pat.ErrExpired,
	"revoked":      pat.ErrRevoked,
}

func TestVectors(t *testing.T) {
	h := newVectorHouse(t)
	whole := regexp.MustCompile(`\A(?:` + pat.ValuePattern + `)\z`)
	files, err := filepath.Glob(filepath.Join(vectorFolder, "*.vector"))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(files), 207, "vectors are only ever added")
	seen := make(map[string]int)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			header, value, found := bytes.Cut(content, []byte("\n\n"))
			require.True(t, found, "no empty line behind the header")
			var class string
			_, err = fmt.Sscanf(string(header), "expect: %s\n", &class)
			require.NoError(t, err)
			want, known := vectorClasses[class]
			require.True(t, known, "a class that is not documented")
			seen[class]++

			before, _ := h.counts()
			_, err = h.Verify(t.Context(), string(value))
			if want == nil {
				require.NoError(t, err)
			} else {
				requireReason(t, err, want)
			}
			after, _ := h.counts()
			assert.Equal(t, !errors.Is(want, pat.ErrMalformed), after > before, "the store is asked about well-formed values alone")
			assert.Equal(t, class != "format", whole.Match(value), "the published expression fits every value that has the form")
		})
	}
	assert.Len(t, seen, len(vectorClasses), "every class has vectors")
}

// newVectorHouse has the tokens and the time of the vectors' state.
func newVectorHouse(t *testing.T) *house {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(vectorFolder, "state.json"))
	require.NoError(t, err)
	var state struct {
		Now    time.Time `json:"now"`
		Tokens map[string]struct {
			SHA256    string    `json:"sha256"`
			ExpiresAt time.Time `json:"expiresAt"`
			RevokedAt time.Time `json:"revokedAt"`
		} `json:"tokens"`
	}
	require.NoError(t, json.Unmarshal(content, &state))
	require.NotEmpty(t, state.Tokens)
	h := newHouse(t, pat.Config{Now: func() time.Time { return state.Now }})
	for prefix, held := range state.Tokens {
		sum, err := hex.DecodeString(held.SHA256)
		require.NoError(t, err)
		digest, err := pat.ParseDigest("sha256$$" + string(sum))
		require.NoError(t, err)
		require.NoError(t, h.store.Insert(t.Context(), pat.Record{Digest: digest, Token: pat.Token{
			ID: uuid.NewString(), UserID: "alice", GroupID: "1", Name: "vector", Prefix: prefix,
			CreatedAt: time.Unix(1, 0).UTC(), UpdatedAt: time.Unix(1, 0).UTC(),
			ExpiresAt: held.ExpiresAt, RevokedAt: held.RevokedAt,
		}}, 0))
	}
	return h
}
