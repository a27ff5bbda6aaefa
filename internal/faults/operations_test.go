package faults

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// operation is one public operation on a service.
type operation struct {
	name string
	run  func(ctx context.Context, s *service) outcome
	// over says how a caller reaches it.
	over surface
	// crowd is how many expired tokens it needs in a group of their own.
	crowd int
	// repeated is what a repetition fails with, if the first try was done although its answer was an error.
	repeated error
	// repeats says that such a repetition does the same once more.
	repeats bool
	// inSteps says that each of its writes stands for itself, as the operation's documentation says.
	inSteps bool
	// writesBehind says that it answers first and writes then.
	writesBehind bool
}

type surface int

const (
	overGo surface = iota
	overHTTP
)

// outcome is what came of an operation.
type outcome struct {
	err      error
	panicked any
	// admitted says that somebody was let in: a token came back from a verification, or the host's handler was called.
	admitted bool
}

// statusError is an answer of 400 and above.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

var operations = []operation{
	{name: "Create", repeats: true, run: func(ctx context.Context, s *service) outcome {
		issued, err := s.issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "made"})
		assert.Equal(s.t, err != nil, issued.Value.Reveal() == "", "no value with an error")
		return outcome{err: err}
	}},
	{name: "Get", run: func(ctx context.Context, s *service) outcome {
		_, err := s.issuer.Get(ctx, s.tokens["current"].ID)
		return outcome{err: err}
	}},
	{name: "List", run: func(ctx context.Context, s *service) outcome {
		page, err := s.issuer.List(ctx, pat.ListParams{UserID: "alice"})
		assert.Equal(s.t, err != nil, len(page.Tokens) == 0, "no part of a list with an error")
		return outcome{err: err}
	}},
	{name: "Rotate", repeated: pat.ErrRevoked, run: rotating(0)},
	{name: "Rotate with grace", repeated: pat.ErrRotated, run: rotating(time.Hour)},
	{name: "Revoke", run: func(ctx context.Context, s *service) outcome {
		_, err := s.issuer.Revoke(ctx, s.tokens["current"].ID)
		return outcome{err: err}
	}},
	{name: "RevokeAll", run: func(ctx context.Context, s *service) outcome {
		_, err := s.issuer.RevokeAll(ctx, pat.Owner{UserID: "alice"})
		return outcome{err: err}
	}},
	{
		name: "Purge", inSteps: true, crowd: 501,
		run: func(ctx context.Context, s *service) outcome {
			_, err := s.issuer.Purge(ctx, time.Now())
			return outcome{err: err}
		},
	},
	{name: "Import", run: func(ctx context.Context, s *service) outcome {
		_, err := s.issuer.Import(ctx, importParams("another-key"))
		return outcome{err: err}
	}},
	{name: "Verify", run: verifying("current")},
	{name: "Verify of an outdated digest", run: verifying("outdated")},
	{name: "Verify of an imported token", run: verifying("imported")},
	{name: "Verify and its background writes", inSteps: true, writesBehind: true, run: verifyingAndWriting("current")},
	{name: "Verify and its background writes, of an outdated digest", inSteps: true, writesBehind: true,
		run: verifyingAndWriting("outdated")},
	{name: "Verify and its background writes, of an imported token", inSteps: true, writesBehind: true,
		run: verifyingAndWriting("imported")},
	{name: "Verify and Close", inSteps: true, run: func(ctx context.Context, s *service) outcome {
		v, err := pat.NewVerifier(s.store, s.config()) // another process each time: a closed Verifier writes nothing more
		require.NoError(s.t, err)
		if _, err := v.Verify(ctx, s.values["outdated"]); err != nil {
			return outcome{err: err}
		}
		return outcome{err: v.Close(ctx)}
	}},

	{name: "list", over: overHTTP, run: requesting(http.MethodGet, "/pats?groupId=1", "")},
	{name: "list of more than a page", over: overHTTP, crowd: 1001,
		run: requesting(http.MethodGet, "/pats?groupId="+crowdedGroup, "")},
	{name: "create", over: overHTTP, repeats: true, run: requesting(http.MethodPost, "/pats", `{"name":"made","groupId":1}`)},
	{name: "revoke", over: overHTTP, run: func(ctx context.Context, s *service) outcome {
		return requesting(http.MethodDelete, "/pats/"+s.tokens["current"].ID, "")(ctx, s)
	}},
	{name: "verify", over: overHTTP, run: verifyingOverHTTP("current")},
	{name: "verify of an outdated digest", over: overHTTP, run: verifyingOverHTTP("outdated")},
	{name: "verify of an imported token", over: overHTTP, run: verifyingOverHTTP("imported")},
	{name: "RequireToken", over: overHTTP, run: func(ctx context.Context, s *service) outcome {
		before := s.passed
		err := s.ask(s.guarded, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody), s.values["current"])
		return outcome{err: err, admitted: s.passed > before}
	}},
}

func rotating(grace time.Duration) func(context.Context, *service) outcome {
	return func(ctx context.Context, s *service) outcome {
		issued, err := s.issuer.Rotate(ctx, s.tokens["second"].ID, pat.RotateParams{Grace: grace})
		assert.Equal(s.t, err != nil, issued.Value.Reveal() == "", "no value with an error")
		return outcome{err: err}
	}
}

func verifying(name string) func(context.Context, *service) outcome {
	return func(ctx context.Context, s *service) outcome {
		tok, err := s.verifier.Verify(ctx, s.values[name])
		return outcome{err: err, admitted: !assert.ObjectsAreEqual(pat.Token{}, tok)}
	}
}

// verifyingAndWriting goes on for as long as a background write may take, another try after it, and until the next use of
// the token is written again.
func verifyingAndWriting(name string) func(context.Context, *service) outcome {
	return func(ctx context.Context, s *service) outcome {
		out := verifying(name)(ctx, s)
		time.Sleep(90 * time.Second) // on the clock of the bubble that the test runs in, see testing/synctest
		return out
	}
}

func requesting(method, path, body string) func(context.Context, *service) outcome {
	return func(ctx context.Context, s *service) outcome {
		r := httptest.NewRequestWithContext(ctx, method, httpadapter.DefaultBasePath+path, strings.NewReader(body))
		return outcome{err: s.ask(s.handler, r, session)}
	}
}

func verifyingOverHTTP(name string) func(context.Context, *service) outcome {
	return func(ctx context.Context, s *service) outcome {
		out := requesting(http.MethodPost, "/pats/verify", `{"token":"`+s.values[name]+`"}`)(ctx, s)
		out.admitted = out.err == nil
		return out
	}
}

// ask makes a request, and checks what holds for every answer to one.
func (s *service) ask(handler http.Handler, r *http.Request, credential string) error {
	r.Header.Set("Authorization", "Bearer "+credential)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	if recorder.Code < 400 {
		return nil
	}
	header, body := recorder.Header(), recorder.Body.String()
	assert.Equal(s.t, "no-store", header.Get("Cache-Control"))
	assert.Equal(s.t, "application/problem+json", header.Get("Content-Type"))
	assert.Empty(s.t, header.Values("WWW-Authenticate"), "the client is not told that its credential is no good")
	assert.Contains(s.t, body, `"code":"internal_error"`)
	hidden := []string{secretOfAFault, session}
	for _, value := range s.values {
		hidden = append(hidden, value)
	}
	for _, text := range hidden {
		assert.NotContains(s.t, body, text)
		assert.NotContains(s.t, fmt.Sprint(header), text)
	}
	return statusError(recorder.Code)
}

// attempt runs an operation, and catches the panic of its store.
func (op operation) attempt(ctx context.Context, s *service) (out outcome) {
	defer func() {
		if p := recover(); p != nil {
			out.panicked = p
		}
	}()
	return op.run(ctx, s)
}

// again runs an operation once more, now without a fault. before is the state that the first try has left, final the one
// that an undisturbed try leaves.
func (op operation) again(t *testing.T, s *service, before, final string) {
	t.Helper()
	out := op.attempt(t.Context(), s)
	require.Nil(t, out.panicked)
	done := before == final
	switch {
	case done && op.repeated != nil:
		require.ErrorIs(t, out.err, op.repeated)
	case done && op.repeats:
		require.NoError(t, out.err)
		assert.Len(t, strings.Split(s.state(), "\n"), len(strings.Split(final, "\n"))+1)
		return
	default:
		require.NoError(t, out.err)
	}
	assert.Equal(t, final, s.state(), "the operation works when it is tried again")
}
