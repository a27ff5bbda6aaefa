package httpadapter_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
)

func TestBodiesAreCapped(t *testing.T) {
	h := newHost(t)
	const head, tail = `{"name":"ci","groupId":1,"x":"`, `"}`
	fits := head + strings.Repeat("z", 64<<10-len(head)-len(tail)) + tail
	assert.Equal(t, http.StatusCreated, h.create(alice, fits).status)
	over := h.create(alice, fits+" ")
	assertBadRequest(t, over)
	assert.Contains(t, over.body, "longer than 65536 bytes", "and not that its JSON is wrong")
	assertBadRequest(t, h.create(alice, strings.Repeat("[", 64<<10)))
	assertBadRequest(t, h.create(alice, `{"x":`+strings.Repeat("[", 60000)))
	_, value := h.issue(pat.CreateParams{})
	verify := `{"token":"` + value + `"}`
	assert.Equal(t, http.StatusOK, h.verify(nil, verify+strings.Repeat(" ", 64<<10-len(verify))).status)
	assertBadRequest(t, h.verify(nil, verify+strings.Repeat(" ", 64<<10-len(verify)+1)))
	assertBadRequest(t, h.verify(bearer(value), strings.Repeat(" ", 64<<10+1)))
}

func TestAChunkedBodyIsCappedAndReadToItsEnd(t *testing.T) {
	h := newHost(t)
	server := httptest.NewServer(h.handler)
	defer server.Close()
	post := func(body string) answer {
		r, err := http.NewRequest(http.MethodPost, server.URL+base+"/pats", struct{ *strings.Reader }{strings.NewReader(body)})
		require.NoError(t, err)
		require.EqualValues(t, 0, r.ContentLength)
		r.ContentLength = -1
		r.Header = bearer(alice)
		return fetch(t, r)
	}
	assert.Equal(t, http.StatusCreated, post(`{"name":"ci","groupId":1,"x":"`+strings.Repeat("z", 40000)+`"}`).status)
	assertBadRequest(t, post(`{"name":"ci","groupId":1,"x":"`+strings.Repeat("z", 1<<20)+`"}`))
}

// fetch asks a server over the network.
func fetch(t *testing.T, r *http.Request) answer {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(r) // follows no redirect
	if !assert.NoError(t, err) {
		return answer{}
	}
	defer func() { assert.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	assert.NoError(t, err)
	return answer{status: res.StatusCode, header: res.Header, body: string(body)}
}

func TestABodyThatBreaksOffIsABadRequest(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	body := io.MultiReader(strings.NewReader(`{"token":"`+value+`"}`), brokenReader{})
	r := httptest.NewRequest(http.MethodPost, base+"/pats/verify", body)
	assertBadRequest(t, serve(t, h.handler, r))
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errFault }
