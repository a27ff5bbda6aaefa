package httpadapter_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/storetest"
)

// wire is a server and what it sends, byte for byte.
type wire struct {
	t       *testing.T
	address string
}

func listen(t *testing.T, handler http.Handler) wire {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return wire{t, server.Listener.Addr().String()}
}

var dateHeader = regexp.MustCompile(`Date: [^\r]*\r\n`)

// ask sends a request and returns all bytes of the answer but the Date header, which tells the time and nothing else.
func (w wire) ask(method, path string, header http.Header, body string) string {
	w.t.Helper()
	conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", w.address)
	require.NoError(w.t, err)
	defer func() { _ = conn.Close() }()
	var request strings.Builder
	fmt.Fprintf(&request, "%s %s HTTP/1.1\r\nHost: host\r\nConnection: close\r\nContent-Length: %d\r\n", method, path, len(body))
	require.NoError(w.t, header.Write(&request))
	request.WriteString("\r\n" + body)
	_, err = io.WriteString(conn, request.String())
	require.NoError(w.t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(w.t, err)
	require.Regexp(w.t, dateHeader, string(answer))
	return dateHeader.ReplaceAllString(string(answer), "")
}

// refusedValues are values that prove nothing, by cause. Each of them may stand in a header and in JSON as it is.
func refusedValues(h *host) map[string]string {
	h.t.Helper()
	tok, value := h.issue(pat.CreateParams{})
	expired, _ := h.issue(pat.CreateParams{Lifetime: time.Hour})
	revoked, _ := h.issue(pat.CreateParams{})
	_, err := h.issuer.Revoke(h.t.Context(), revoked.ID)
	require.NoError(h.t, err)
	rotated, rotatedValue := h.issue(pat.CreateParams{})
	_, err = h.issuer.Rotate(h.t.Context(), rotated.ID, pat.RotateParams{Grace: time.Hour})
	require.NoError(h.t, err)
	purged, purgedValue := h.issue(pat.CreateParams{})
	_, err = h.issuer.Revoke(h.t.Context(), purged.ID)
	require.NoError(h.t, err)
	h.clock.Add(2 * time.Hour)
	n, err := h.store.Purge(h.t.Context(), start.Add(time.Minute), 10)
	require.NoError(h.t, err)
	require.Equal(h.t, 2, n)
	revokedAgain, _ := h.issue(pat.CreateParams{})
	_, err = h.issuer.Revoke(h.t.Context(), revokedAgain.ID)
	require.NoError(h.t, err)
	_, inactiveValue := h.issue(pat.CreateParams{UserID: "gone"})
	_, unknown := newHost(h.t).issue(pat.CreateParams{})

	all := map[string]string{
		"an unknown prefix":                     unknown,
		"a purged token":                        purgedValue,
		"a wrong secret":                        wrongSecret(tok.Prefix),
		"a wrong secret of an expired token":    wrongSecret(expired.Prefix),
		"a wrong secret of a revoked token":     wrongSecret(revokedAgain.Prefix),
		"a wrong secret of a rotated token":     wrongSecret(rotated.Prefix),
		"the secret of another token":           rotatedValue[:17] + value[17:],
		"an owner who is gone":                  inactiveValue,
		"a bad checksum of an unknown prefix":   unknown[:54] + other(unknown[54]),
		"nothing but the marker":                "pat_",
		"a value twice":                         value + value,
		"one character more":                    value + "0",
		"a long text":                           "pat_" + strings.Repeat("z", 4000),
		"text beyond ASCII":                     "pat_\u00e9\u202e",
		"the marker of another kind":            "ghp_" + value[4:],
		"the marker in upper case":              "PAT_" + value[4:],
		"a form that is not of this library":    "17|zebra",
		"a JSON web token":                      "ey" + "JhbGciOiJub25lIn0" + ".e30.",
		"the prefix alone":                      tok.Prefix,
		"the secret alone":                      value[17:],
		"the id":                                tok.ID,
		"an underscore in place of the hyphen":  strings.Replace(value, "-", "_", 1),
		"the whole value in upper case":         strings.ToUpper(value),
		"zeros":                                 strings.Repeat("0", 55),
		"a prefix of zeros with its checksum":   wrongSecret(strings.Repeat("0", 12)),
		"characters that base64 has and we not": strings.Repeat("+/=", 18) + "+",
	}
	for end := 5; end < len(value); end++ {
		all["cut off behind character "+strconv.Itoa(end)] = value[:end]
	}
	for at := range value {
		all["another character at "+strconv.Itoa(at)] = value[:at] + other(value[at]) + value[at+1:]
	}
	return all
}

// other returns another character than c.
func other(c byte) string {
	if c == 'x' {
		return "y"
	}
	return "x"
}

func TestAllRefusalsThatProveNothingAreOneAnswerByteForByte(t *testing.T) {
	h := newHost(t, func(s *settings) {
		s.pat.GroupLimit = 0
		s.pat.OwnerActive = func(_ context.Context, userID, _ string) (bool, error) { return userID != "gone", nil }
	})
	refused := refusedValues(h)
	api := listen(t, h.handler)
	guarded := listen(t, httpadapter.RequireToken(h.verifier)(http.NotFoundHandler()))
	scoped := listen(t, httpadapter.RequireToken(h.verifier, httpadapter.RequireScope(pat.ScopeFull))(http.NotFoundHandler()))
	for way, ask := range map[string]func(value string) string{
		"verify, in the body":      func(v string) string { return api.ask("POST", base+"/pats/verify", nil, `{"token":"`+v+`"}`) },
		"RequireToken":             func(v string) string { return guarded.ask("GET", "/", bearer(v), "") },
		"RequireToken for a scope": func(v string) string { return scoped.ask("GET", "/", bearer(v), "") },
		"verify, in the header": func(v string) string {
			if !strings.HasPrefix(v, "pat_") { // any other credential there is no token, which is a 400
				v = "pat_"
			}
			return api.ask("POST", base+"/pats/verify", bearer(v), "")
		},
	} {
		t.Run(way, func(t *testing.T) {
			want := ask("pat_zebra")
			require.Contains(t, want, "HTTP/1.1 401 Unauthorized\r\n")
			require.Contains(t, want, "Www-Authenticate: Bearer realm=\"pat\", error=\"invalid_token\"\r\n")
			require.Contains(t, want, `"code":"invalid_token"`)
			for cause, value := range refused {
				assert.Equal(t, want, ask(value), cause)
			}
			t.Logf("%d causes, one answer of %d bytes", len(refused), len(want))
		})
	}
}

func TestAllTokensThatACallerMayNotSeeAreOneAnswerByteForByte(t *testing.T) {
	h := newHost(t, func(s *settings) { s.pat.GroupLimit = 0 })
	inGroup := func(group string) string {
		tok, _ := h.issue(pat.CreateParams{GroupID: group})
		return tok.ID
	}
	revoke := func(id string) string {
		_, err := h.issuer.Revoke(t.Context(), id)
		require.NoError(t, err)
		return id
	}
	purged := revoke(inGroup("1"))
	h.clock.Add(time.Hour)
	_, err := h.store.Purge(t.Context(), start.Add(time.Minute), 10)
	require.NoError(t, err)
	rotated := inGroup("1")
	successor, err := h.issuer.Rotate(t.Context(), rotated, pat.RotateParams{})
	require.NoError(t, err)
	expired, _ := h.issue(pat.CreateParams{Lifetime: time.Second})
	h.clock.Add(time.Minute)
	api := listen(t, h.handler)
	ask := func(id string) string { return api.ask("DELETE", base+"/pats/"+id, bearer(carol), "") }
	want := ask(unknownID)
	require.Contains(t, want, "HTTP/1.1 404 Not Found\r\n")
	require.Contains(t, want, `"code":"not_found"`)
	for cause, id := range map[string]string{
		"another unknown id":                   "fedcba98-7654-4321-8fed-cba987654321",
		"the id of zeros":                      "00000000-0000-0000-0000-000000000000",
		"an unknown id in upper case":          strings.ToUpper(unknownID),
		"a group that the caller may not see":  inGroup("1"),
		"a group in which nobody may act":      inGroup("3"),
		"a group that does not exist any more": inGroup("999"),
		"a revoked token there":                revoke(inGroup("1")),
		"an expired token there":               expired.ID,
		"a rotated token there":                rotated,
		"a token that came of a rotation":      successor.Token.ID,
		"a purged token":                       purged,
		"a token there in upper case":          strings.ToUpper(inGroup("2")),
	} {
		assert.Equal(t, want, ask(id), cause)
	}
	assert.False(t, h.stored(successor.Token.ID).Revoked())
	id := inGroup("1")
	h.store.Inject(2, storetest.Fail(pat.ErrNotFound)) // the token is read, and then revoked
	assert.Equal(t, want, api.ask("DELETE", base+"/pats/"+id, bearer(alice), ""), "purged in the meantime")
}
