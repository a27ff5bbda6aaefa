package sqlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/sqlite"
)

// FuzzDamagedDatabase opens a database file and a log that were edited behind the library's back, and holds what the
// store says against a plain reading of the same file.
//
// It asserts: no panic and no hang; an error of Open that names neither the path nor a column's content; no value
// accepted that has not its own digest in a row that is live by the plain reading; and, where SQLite's own check finds
// nothing wrong, the one right answer for every value, before and after writes, or pat.ErrCorrupt.
//
// It can't assert that a revoked token stays revoked: who edits the file, or takes the log away, can bring back an
// earlier state of a row. What no edit can make is a digest whose value somebody knows and that was not there.
func FuzzDamagedDatabase(f *testing.F) {
	whole := makeWholeDatabase(f)
	f.Add([]byte{})
	for kind := range byte(8) { // every kind of edit, to the header and further behind, in the file and in the log
		for _, place := range [][2]byte{{0, 18}, {20, 100}} {
			f.Add([]byte{kind << 1, place[0], place[1], 5})
			f.Add([]byte{kind<<1 | 1, place[0], place[1], 5})
		}
	}
	// A digest becomes that of an algorithm that nobody has, in every row.
	var algorithms []byte
	for at := range whole.file {
		if bytes.HasPrefix(whole.file[at:], []byte("sha256$$")) {
			algorithms = append(binary.BigEndian.AppendUint16(append(algorithms, 0), uint16(at)), 'z')
		}
	}
	f.Add(algorithms)
	f.Fuzz(func(t *testing.T, edits []byte) {
		// Far beyond what a slow machine needs. SQLite can't be interrupted from here, so this ends the process.
		hangs := time.AfterFunc(time.Minute, func() { panic("a damaged database is still being read after a minute") })
		defer hangs.Stop()
		path := filepath.Join(t.TempDir(), "secret-name.db")
		whole.write(t, path, edits)
		s, err := sqlite.Open(path, sqlite.WithBusyTimeout(100*time.Millisecond))
		if err != nil {
			if s != nil || len(edits) < 4 {
				t.Fatalf("a store, or an undamaged database: %v", err)
			}
			checkFault(t, err)
			return
		}
		verifier, err := pat.NewVerifier(s, pat.Config{Now: func() time.Time { return damageTime }, LastUsedInterval: -1})
		require.NoError(t, err)
		checkDamaged(t, s, verifier, path)
		if err := errors.Join(verifier.Close(context.Background()), s.Close()); err != nil {
			checkFault(t, err)
		}
	})
}

// checkFault refuses an error that could be taken for an answer, or that says too much.
func checkFault(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, pat.ErrInvalidToken) || errors.Is(err, pat.ErrNotFound) || !strings.HasPrefix(err.Error(), "sqlite: ") {
		t.Fatalf("not a fault: %v", err)
	}
	for _, secret := range []string{"secret-name", "sha256$", validValue[4:16], revokedValue[4:16]} {
		if strings.Contains(err.Error(), secret) {
			t.Fatalf("an error that holds %s: %v", secret, err)
		}
	}
}

func checkDamaged(t *testing.T, s *sqlite.Store, verifier *pat.Verifier, path string) {
	t.Helper()
	checkVerify(t, verifier, path)
	group := pat.Owner{GroupID: "group"}
	tokens, err := s.List(t.Context(), pat.ListQuery{Owner: group, IncludeRevoked: true, Limit: 100})
	if err == nil && len(tokens) > 100 {
		t.Fatalf("%d tokens in a list of 100", len(tokens))
	}
	if err != nil {
		checkFault(t, err)
	}
	rec := damageRecord(t, newValue, 99)
	if s.Insert(t.Context(), rec, 0) == nil {
		checkVerify(t, verifier, path)
	}
	if _, err := s.RevokeAll(t.Context(), group, damageTime); err != nil {
		checkFault(t, err)
	}
	checkVerify(t, verifier, path)
	if _, err := s.Purge(t.Context(), damageTime.Add(time.Hour), 100); err != nil {
		checkFault(t, err)
	}
}

// checkVerify compares what the store leads to with the plain reading, for the value of every token, for one without
// a token, and for one with the prefix of a token and the secret of another.
func checkVerify(t *testing.T, verifier *pat.Verifier, path string) {
	t.Helper()
	rows, whole, scanErr := readPlainly(t, path)
	for _, value := range []string{validValue, lateValue, expiredValue, revokedValue, newValue, mixedValue} {
		tok, err := verifier.Verify(t.Context(), value)
		want := verdict(rows, value)
		switch {
		case err == nil && tok.Prefix != value[4:16]:
			t.Fatalf("the token of another: %s", tok.Prefix)
		case err == nil && scanErr == nil && want != nil:
			t.Fatalf("accepted, and not by the plain reading: %v", want)
		case whole && errors.Is(want, errNoVerdict):
			if err == nil || errors.Is(err, pat.ErrInvalidToken) {
				t.Fatalf("%v, for a digest of another algorithm", err)
			}
		case whole && !errors.Is(err, want) && (!errors.Is(err, pat.ErrCorrupt) || errors.Is(want, pat.ErrUnknown)):
			t.Fatalf("%v instead of %v, in a database without damage", err, want)
		case errors.Is(err, pat.ErrNotFound):
			t.Fatalf("an error of the store that is no answer: %v", err)
		}
	}
}
