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
	"github.com/patkit/pat/internal/leak"
	"github.com/patkit/pat/internal/testscale"
	"github.com/patkit/pat/sqlite"
)

// importedPart is the public part of the imported tokens' values, which becomes their prefix.
const importedPart = "old-0"

// client does everything that the API can, through Go and HTTP, and collects every value that it saw.
type client struct {
	t       *testing.T
	issuer  *pat.Issuer
	handler http.Handler
	verify  *pat.Verifier
	values  []string // of tokens, and of what was refused
	prefix  string   // of a token that is there
}

func (c *client) do(round int) {
	t := c.t
	ctx := t.Context()
	issued, err := c.issuer.Create(ctx, pat.CreateParams{UserID: "user", GroupID: "1", Name: "name"})
	require.NoError(t, err)
	c.prefix = issued.Token.Prefix
	c.present(issued.Value.Reveal(), http.StatusOK)
	rotated, err := c.issuer.Rotate(ctx, issued.Token.ID, pat.RotateParams{Grace: time.Hour})
	require.NoError(t, err)
	c.present(rotated.Value.Reveal(), http.StatusOK)
	_, err = c.issuer.Revoke(ctx, rotated.Token.ID)
	require.NoError(t, err)
	c.present(rotated.Value.Reveal(), http.StatusUnauthorized)

	created := c.send(http.MethodPost, "", "Bearer session", `{"name":"name","groupId":1}`, http.StatusCreated)
	_, value, _ := strings.Cut(created, `"token":"`)
	value = value[:55]
	c.present(value, http.StatusOK)
	c.present(value[:54]+"!", http.StatusUnauthorized)
	c.send(http.MethodGet, "?groupId=1&cursor="+value, "Bearer session", "", http.StatusBadRequest)
	c.send(http.MethodDelete, "/"+value, "Bearer session", "", http.StatusBadRequest)

	old := importedPart + string(rune('A'+round)) + "|" + strings.Repeat("sEcReTiMpOrTeD"+string(rune('a'+round)), 2)
	digest, err := bcrypt.GenerateFromPassword([]byte(old), bcrypt.MinCost)
	require.NoError(t, err)
	key, _, _ := strings.Cut(old, "|")
	imported, err := c.issuer.Import(ctx, pat.ImportParams{
		LookupKey: key, Algorithm: "bcrypt", Digest: string(digest), UserID: "user", GroupID: "1", Name: "name",
		CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	c.present(old, http.StatusOK)
	_, err = c.issuer.Revoke(ctx, imported.ID)
	require.NoError(t, err)
	_, err = c.issuer.Purge(ctx, time.Now())
	require.NoError(t, err)
}

// present verifies a value through Go and HTTP.
func (c *client) present(value string, status int) {
	c.values = append(c.values, value)
	_, err := c.verify.Verify(c.t.Context(), value)
	require.Equal(c.t, status == http.StatusOK, err == nil)
	c.send(http.MethodPost, "/verify", "", `{"token":"`+value+`"}`, status)
}

func (c *client) send(method, path, authorization, body string, status int) string {
	r := httptest.NewRequest(method, httpadapter.DefaultBasePath+"/pats"+path, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, r)
	require.Equal(c.t, status, w.Code, w.Body)
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
	c := &client{t: t}
	c.issuer, err = pat.NewIssuer(store, cfg)
	require.NoError(t, err)
	c.verify, err = pat.NewVerifier(store, cfg)
	require.NoError(t, err)
	c.handler, err = httpadapter.New(httpadapter.Config{
		Issuer: c.issuer, Verifier: c.verify,
		Authenticate: func(*http.Request) (httpadapter.Caller, error) { return httpadapter.Caller{UserID: "user"}, nil },
		Authorize:    func(context.Context, httpadapter.Caller, httpadapter.Action, httpadapter.Target) error { return nil },
	})
	require.NoError(t, err)
	for round := range testscale.Rounds(t, 5, 26) {
		c.do(round)
	}

	searched := searchFiles(t, path, c.values, "-wal", "-shm")
	assert.Contains(t, searched, c.prefix, "the prefix is there, so the right bytes were searched")
	require.NoError(t, c.verify.Close(t.Context()))
	searchFiles(t, path, c.values, "-wal", "-shm") // now with last-used times and the digests that replace imported ones
	require.NoError(t, store.Close())
	assert.Contains(t, searchFiles(t, path, c.values), c.prefix)
}

// searchFiles looks for the parts of each value's secret in the database and the files beside it, and returns all their
// bytes.
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
		parts += leak.Parts(secret)
		require.Empty(t, leak.Find(all.String(), secret), "the files hold a part of a secret")
	}
	t.Logf("%d parts of %d values in %d bytes of %d files", parts, len(values), all.Len(), 1+len(endings))
	return all.String()
}
