package sqlite_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/sqlite"
)

// importedPart is the public part of the imported tokens' values, which becomes their prefix.
const importedPart = "old-0"

// busy does everything that the API can, through Go and HTTP, and collects every value that it saw.
type busy struct {
	t       *testing.T
	issuer  *pat.Issuer
	handler http.Handler
	verify  *pat.Verifier
	values  []string // of tokens, and of what was refused
	prefix  string   // of a token that is there
}

func (b *busy) do(round int) {
	t := b.t
	ctx := t.Context()
	issued, err := b.issuer.Create(ctx, pat.CreateParams{UserID: "user", GroupID: "1", Name: "name"})
	require.NoError(t, err)
	b.prefix = issued.Token.Prefix
	b.present(issued.Value.Reveal(), http.StatusOK)
	rotated, err := b.issuer.Rotate(ctx, issued.Token.ID, pat.RotateParams{Grace: time.Hour})
	require.NoError(t, err)
	b.present(rotated.Value.Reveal(), http.StatusOK)
	_, err = b.issuer.Revoke(ctx, rotated.Token.ID)
	require.NoError(t, err)
	b.present(rotated.Value.Reveal(), http.StatusUnauthorized)

	created := b.send(http.MethodPost, "", "Bearer session", `{"name":"name","groupId":1}`, http.StatusCreated)
	_, value, _ := strings.Cut(created, `"token":"`)
	value = value[:55]
	b.present(value, http.StatusOK)
	b.present(value[:54]+"!", http.StatusUnauthorized)
	b.send(http.MethodGet, "?groupId=1&cursor="+value, "Bearer session", "", http.StatusBadRequest)
	b.send(http.MethodDelete, "/"+value, "Bearer session", "", http.StatusBadRequest)

	old := importedPart + string(rune('A'+round)) + "|" + strings.Repeat("sEcReTiMpOrTeD"+string(rune('a'+round)), 2)
	digest, err := bcrypt.GenerateFromPassword([]byte(old), bcrypt.MinCost)
	require.NoError(t, err)
	key, _, _ := strings.Cut(old, "|")
	imported, err := b.issuer.Import(ctx, pat.ImportParams{
		LookupKey: key, Algorithm: "bcrypt", Digest: string(digest), UserID: "user", GroupID: "1", Name: "name",
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	b.present(old, http.StatusOK)
	_, err = b.issuer.Revoke(ctx, imported.ID)
	require.NoError(t, err)
	_, err = b.issuer.Purge(ctx, time.Now())
	require.NoError(t, err)
}

// present verifies a value through Go and HTTP.
func (b *busy) present(value string, status int) {
	b.values = append(b.values, value)
	_, err := b.verify.Verify(b.t.Context(), value)
	require.Equal(b.t, status == http.StatusOK, err == nil)
	b.send(http.MethodPost, "/verify", "", `{"token":"`+value+`"}`, status)
}

func (b *busy) send(method, path, authorization, body string, status int) string {
	r := httptest.NewRequest(method, httpadapter.DefaultBasePath+"/pats"+path, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	require.Equal(b.t, status, w.Code, w.Body)
	return w.Body.String()
}

func TestNoPartOfASecretIsEverInTheFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pat.db")
	store, err := sqlite.Open(path)
	require.NoError(t, err)
	cfg := pat.Config{Imported: pat.Imported{
		LookupKey: func(value string) (string, bool) {
			key, _, ok := strings.Cut(value, "|")
			return key, ok
		},
		Hashers: []pat.Hasher{pat.Bcrypt()},
	}}
	b := &busy{t: t}
	b.issuer, err = pat.NewIssuer(store, cfg)
	require.NoError(t, err)
	b.verify, err = pat.NewVerifier(store, cfg)
	require.NoError(t, err)
	b.handler, err = httpadapter.New(httpadapter.Config{
		Issuer: b.issuer, Verifier: b.verify,
		Authenticate: func(*http.Request) (httpadapter.Caller, error) { return httpadapter.Caller{UserID: "user"}, nil },
		Authorize:    func(context.Context, httpadapter.Caller, httpadapter.Action, httpadapter.Target) error { return nil },
	})
	require.NoError(t, err)
	for round := range testscale.Rounds(t, 5, 26) {
		b.do(round)
	}

	searched := searchFiles(t, path, b.values, "-wal", "-shm")
	assert.Contains(t, searched, b.prefix, "the prefix is there, so the right bytes were searched")
	require.NoError(t, b.verify.Close(t.Context()))
	searchFiles(t, path, b.values, "-wal", "-shm") // now with last-used times and the digests that replace imported ones
	require.NoError(t, store.Close())
	assert.Contains(t, searchFiles(t, path, b.values), b.prefix)
}

// searchFiles looks for every 16 characters of each value's secret part in the database and the files beside it, and
// returns all their bytes.
func searchFiles(t *testing.T, path string, values []string, endings ...string) string {
	t.Helper()
	var all strings.Builder
	for _, ending := range append([]string{""}, endings...) {
		content, err := os.ReadFile(path + ending)
		require.NoError(t, err)
		all.Write(content)
	}
	parts := 0
	for _, value := range values {
		secret := value[strings.IndexAny(value, "-|")+1:]
		if strings.HasPrefix(value, importedPart) {
			_, secret, _ = strings.Cut(value, "|")
		}
		for at := range len(secret) - 15 {
			parts++
			if strings.Contains(all.String(), secret[at:at+16]) {
				t.Fatalf("the files hold a part of a secret, from its character %d on", at)
			}
		}
	}
	t.Logf("%d parts of %d values in %d bytes of %d files", parts, len(values), all.Len(), 1+len(endings))
	return all.String()
}
