package httpadapter_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/storetest"
)

// requests makes one successful request of each route, in an order in which they succeed.
func requests(h *host) map[string]func() answer {
	tok, value := h.issue(pat.CreateParams{})
	return map[string]func() answer{
		"list":   func() answer { return h.list(alice, "groupId=1") },
		"create": func() answer { return h.create(alice, `{"name":"ci","groupId":1}`) },
		"verify": func() answer { return h.verify(nil, `{"token":"`+value+`"}`) },
		"delete": func() answer { return h.delete(alice, tok.ID) },
	}
}

func TestAFaultOfTheStoreIsA500AndNothingElse(t *testing.T) {
	calls := map[string][]string{
		"list": {"List"}, "create": {"Insert"}, "verify": {"FindByPrefix"}, "delete": {"FindByID", "Revoke"},
	}
	for sentence, fault := range map[string]error{
		"is down":                           errFault,
		"is too slow":                       context.DeadlineExceeded,
		"is corrupt":                        pat.ErrCorrupt,
		"claims that the token is invalid":  pat.ErrUnknown,
		"claims that the token is expired":  pat.ErrExpired,
		"speaks of an argument of its own":  &pat.ArgumentError{Argument: "Store.Shard", Rule: "must be there"},
		"says forbidden":                    httpadapter.ErrForbidden,
		"says unauthenticated":              httpadapter.ErrUnauthenticated,
		"finds ids and prefixes taken only": pat.ErrExists,
	} {
		for route, methods := range calls {
			for i, method := range methods {
				t.Run(route+" while "+method+" "+sentence, func(t *testing.T) {
					h := newHost(t)
					ask := requests(h)[route]
					n := i + 1
					if len(methods) == 1 {
						n = storetest.EveryCall // ids and prefixes that are taken are drawn again
					}
					h.store.Inject(n, storetest.Fail(fault))
					got := ask()
					assert.Equal(t, http.StatusInternalServerError, got.status, got.body)
					assert.Equal(t, "internal_error", got.code())
					assert.Empty(t, got.header.Values("WWW-Authenticate"))
					require.Len(t, h.reports, 1)
					assert.ErrorContains(t, h.reports[0], fault.Error(), "the host learns the cause")
				})
			}
		}
	}
}

func TestAnAbsentGroupIsTheHostsToSayAndNotTheStores(t *testing.T) {
	h := newHost(t)
	h.store.Inject(storetest.EveryCall, storetest.Fail(pat.ErrNotFound))
	assert.Equal(t, http.StatusInternalServerError, h.list(alice, "groupId=1").status)
	assert.Equal(t, http.StatusInternalServerError, h.create(alice, `{"name":"ci","groupId":1}`).status)
}

func TestARequestThatWasCancelledGetsNothingValid(t *testing.T) {
	h := newHost(t)
	_, value := h.issue(pat.CreateParams{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, base+"/pats/verify", http.NoBody)
	r.Header = bearer(value)
	assert.Equal(t, http.StatusInternalServerError, serve(t, h.handler, r).status)
	assert.ErrorIs(t, h.reports[0], context.Canceled)
}

func TestAFaultOfTheHostIsA500(t *testing.T) {
	h := newHost(t)
	for sentence, got := range map[string]answer{
		"Authenticate fails":        h.list(faulty, "groupId=1"),
		"Authenticate finds nobody": h.list(nameless, "groupId=1"),
		"Authorize fails":           h.list(alice, "groupId="+faultyGroup),
		"Authorize fails on create": h.create(alice, `{"name":"ci","groupId":`+faultyGroup+`}`),
	} {
		t.Run(sentence, func(t *testing.T) {
			assert.Equal(t, http.StatusInternalServerError, got.status)
			assert.Equal(t, "internal_error", got.code())
		})
	}
	assert.Len(t, h.reports, 4)
}

func TestAPanicOfTheHostIsA500WithoutItsText(t *testing.T) {
	for sentence, c := range map[string]struct {
		change func(*settings)
		ask    func(*host) answer
	}{
		"in Authenticate": {nil, func(h *host) answer { return h.list(panicking, "groupId=1") }},
		"in Authorize":    {nil, func(h *host) answer { return h.list(alice, "groupId="+panickingGroup) }},
		"in OwnerActive": {
			func(s *settings) {
				s.pat.OwnerActive = func(context.Context, string, string) (bool, error) { panic(errFault) }
			},
			func(h *host) answer { return requests(h)["verify"]() },
		},
		"in OnEvent": {
			func(s *settings) {
				s.pat.OnEvent = func(_ context.Context, e pat.Event) {
					if e.Type == pat.EventVerified {
						panic(errFault)
					}
				}
			},
			func(h *host) answer { return requests(h)["verify"]() },
		},
		"in the store": {nil, func(h *host) answer {
			verify := requests(h)["verify"]
			h.store.Inject(storetest.EveryCall, storetest.Panic(errFault))
			return verify()
		}},
	} {
		t.Run(sentence, func(t *testing.T) {
			var h *host
			if c.change == nil {
				h = newHost(t)
			} else {
				h = newHost(t, c.change)
			}
			got := c.ask(h)
			assert.Equal(t, http.StatusInternalServerError, got.status)
			assert.Equal(t, "internal_error", got.code())
			require.Len(t, h.reports, 1)
			assert.EqualError(t, h.reports[0], "httpadapter: panic of type *errors.errorString")
		})
	}
}

func TestAPanicOfOnErrorDoesNotTakeTheAnswerWithIt(t *testing.T) {
	h := newHost(t, func(s *settings) { s.adapter.OnError = func(*http.Request, error) { panic(errFault) } })
	assert.Equal(t, http.StatusInternalServerError, h.list(faulty, "groupId=1").status)
}

func TestWithoutOnErrorAFaultIsStillA500(t *testing.T) {
	h := newHost(t, func(s *settings) { s.adapter.OnError = nil })
	assert.Equal(t, http.StatusInternalServerError, h.list(faulty, "groupId=1").status)
}

func TestErrAbortHandlerIsPassedOn(t *testing.T) {
	h := newHost(t, func(s *settings) {
		s.adapter.Authenticate = func(*http.Request) (httpadapter.Caller, error) { panic(http.ErrAbortHandler) }
	})
	r := httptest.NewRequest(http.MethodGet, base+"/pats?groupId=1", http.NoBody)
	r.Header = bearer(alice)
	recorder := httptest.NewRecorder()
	assert.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { h.handler.ServeHTTP(recorder, r) })
	assert.Empty(t, recorder.Body.String())
}

func TestNewRefusesAConfigThatCanNotWork(t *testing.T) {
	h := newHost(t)
	for field, change := range map[string]func(*httpadapter.Config){
		"Issuer":       func(c *httpadapter.Config) { c.Issuer = nil },
		"Verifier":     func(c *httpadapter.Config) { c.Verifier = nil },
		"Authenticate": func(c *httpadapter.Config) { c.Authenticate = nil },
		"Authorize":    func(c *httpadapter.Config) { c.Authorize = nil },
	} {
		cfg := httpadapter.Config{Issuer: h.issuer, Verifier: h.verifier, Authenticate: authenticate, Authorize: h.authorize}
		change(&cfg)
		handler, err := httpadapter.New(cfg)
		assert.Nil(t, handler)
		assertNames(t, err, "httpadapter.Config."+field)
	}
	for _, path := range []string{
		"zebra", "zebra/", "/zebra/", "//", "//zebra", "/a//b", "/zebra/..", "/./zebra", "/zebra?", "/zebra#", "/zebra%20", "/{zebra}",
		"/zebra /", "/z\u00ebra", "/*", "https://zebra", "/zebra\n", " ",
	} {
		cfg := httpadapter.Config{Issuer: h.issuer, Verifier: h.verifier, Authenticate: authenticate, Authorize: h.authorize, BasePath: path}
		_, err := httpadapter.New(cfg)
		assertNames(t, err, "httpadapter.Config.BasePath")
		assert.NotContains(t, err.Error(), "bra")
	}
}

func TestAZeroHandlerLetsNothingPass(t *testing.T) {
	for _, path := range []string{"/verify", "/" + unknownID} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"token":"zebra"}`))
		r.URL.Path, r.Header = path, bearer(alice)
		if path != "/verify" {
			r.Method = http.MethodDelete
		}
		assert.Equal(t, http.StatusInternalServerError, serve(t, &httpadapter.Handler{}, r).status)
	}
}

// assertNames checks that an error names the argument, and so the line to look at.
func assertNames(t *testing.T, err error, argument string) {
	t.Helper()
	require.ErrorIs(t, err, pat.ErrInvalidArgument)
	bad, ok := errors.AsType[*pat.ArgumentError](err)
	require.True(t, ok)
	assert.Equal(t, argument, bad.Argument)
	assert.NotEmpty(t, bad.Rule)
}
