package cache_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/cache"
	"github.com/patkit/pat/httpadapter"
)

func TestWithoutTheDatabaseATokenIsGoodUntilItsLeaseEndsAndThenTheDatabaseIsDown(t *testing.T) {
	for _, staleness := range []time.Duration{10 * time.Millisecond, time.Second, time.Hour} {
		t.Run(staleness.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newDatabase()
				verifier := newVerifier(t, inFrontOf(t, db, cache.WithMaxStaleness(staleness)), pat.Config{})
				known, unseen := issue(t, db), issue(t, db)
				_, err := verifier.Verify(t.Context(), known.Value.Reveal())
				require.NoError(t, err)
				db.goDown()
				_, err = verifier.Verify(t.Context(), unseen.Value.Reveal())
				require.ErrorIs(t, err, errDown)

				time.Sleep(staleness - 1)
				_, err = verifier.Verify(t.Context(), known.Value.Reveal())
				require.NoError(t, err)
				time.Sleep(time.Nanosecond)
				_, err = verifier.Verify(t.Context(), known.Value.Reveal())
				require.ErrorIs(t, err, errDown)
				require.NotErrorIs(t, err, pat.ErrInvalidToken)
				require.NotErrorIs(t, err, pat.ErrNotFound)

				db.Heal()
				_, err = verifier.Verify(t.Context(), known.Value.Reveal())
				require.NoError(t, err)
			})
		})
	}
}

func TestOverHTTPADatabaseThatIsDownIs500AndNot401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDatabase()
		var told error
		guarded := httpadapter.RequireToken(newVerifier(t, inFrontOf(t, db), pat.Config{}),
			httpadapter.OnError(func(_ *http.Request, err error) { told = err }))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		value := issue(t, db).Value.Reveal()
		status := func() int {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			request.Header.Set("Authorization", "Bearer "+value)
			recorder := httptest.NewRecorder()
			guarded.ServeHTTP(recorder, request)
			return recorder.Code
		}
		require.Equal(t, http.StatusOK, status())
		db.goDown()
		require.Equal(t, http.StatusOK, status())
		time.Sleep(time.Second)
		require.Equal(t, http.StatusInternalServerError, status())
		require.ErrorIs(t, told, errDown)
	})
}

// A Verifier writes the last use of a token every minute, and a new digest where the old one is outdated. That these
// writes fail, too, must not cost the records of just those tokens that are in use.
func TestWithoutTheDatabaseTheWritesOfAVerifierThatFailTakeNoTokenAway(t *testing.T) {
	peppered := pat.Config{PepperKeys: []pat.PepperKey{{ID: "k1", Key: pat.NewSecret(strings.Repeat("k", 32))}}}
	for name, cfg := range map[string]pat.Config{
		"last use":              {LastUsedInterval: time.Minute},
		"digest":                {LastUsedInterval: -1, PepperKeys: peppered.PepperKeys},
		"last use, then digest": {LastUsedInterval: time.Minute, PepperKeys: peppered.PepperKeys},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newDatabase()
				failed := 0
				cfg.OnEvent = countWriteFailures(&failed)
				verifier := newVerifier(t, inFrontOf(t, db, cache.WithMaxStaleness(time.Hour)), cfg)
				value := issue(t, db).Value.Reveal()
				db.goDown()
				_, err := verifier.Verify(t.Context(), value)
				require.ErrorIs(t, err, errDown)
				db.Heal()
				_, err = verifier.Verify(t.Context(), value)
				require.NoError(t, err)
				db.goDown()
				for range 59 {
					time.Sleep(time.Minute)
					_, err := verifier.Verify(t.Context(), value)
					require.NoError(t, err)
				}
				time.Sleep(10 * time.Second)
				synctest.Wait()
				assert.GreaterOrEqual(t, failed, 59)
			})
		})
	}
}

func countWriteFailures(n *int) func(context.Context, pat.Event) {
	return func(_ context.Context, e pat.Event) {
		if e.Type == pat.EventWriteFailed {
			*n++
		}
	}
}
