package httpadapter_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
)

// The tokens that the fuzzed service knows. Their values stay the same from run to run, so that an input that was found
// once means the same again. testdata/vectors of the module has them too.
const (
	publicValue  = "pat_mavzfVABqZ5Y-sOOlB1f46RfHk7hp3ILTgK2y3mH3Uqtm0xFyWI" // group 1, public_scope
	fullValue    = "pat_aFCrvkUb7keK-pQPXNubfuQPk3YWreXGJJ83LhPVhojEH3L008O" // group 2, full_scope
	expiredValue = "pat_GM5tAtLB653m-iNgRXjCXFfyEhrqPjQvZVuNsZt7ba2pI4E7A3T" // group 1
	revokedValue = "pat_3V7JVth9dTwF-C4DMVLbwLeExzYaYnL4JNjHYDfdDUL9D3ChkiV" // group 1
	foreignValue = "pat_NdeAm5Jraw8W-tJjMpAx122JcVOmyT6a02Dsw2TR1OoxF3sw156" // group 3, in which nobody may act
	unknownValue = "pat_mavzfVABqZ5Y-pQPXNubfuQPk3YWreXGJJ83LhPVhojEH3WiIUx" // the first prefix, and the second secret
)

// The ids of these tokens.
const (
	publicID  = "0199c0de-0000-7000-8000-000000000001"
	fullID    = "0199c0de-0000-7000-8000-000000000002"
	expiredID = "0199c0de-0000-7000-8000-000000000003"
	revokedID = "0199c0de-0000-7000-8000-000000000004"
	foreignID = "0199c0de-0000-7000-8000-000000000005"
)

// newFuzzedHost starts a service whose own functions never fail, so that nothing a client sends may make it answer 500.
// Each input gets one of its own.
func newFuzzedHost(t *testing.T) *host {
	t.Helper()
	h := newHost(t, func(s *settings) {
		s.pat.LastUsedInterval = -1
		knows, may := s.adapter.Authenticate, s.adapter.Authorize
		s.adapter.Authenticate = func(r *http.Request) (httpadapter.Caller, error) {
			for _, failing := range []string{nameless, faulty, panicking} {
				if strings.HasSuffix(r.Header.Get("Authorization"), failing) {
					return httpadapter.Caller{}, httpadapter.ErrUnauthenticated
				}
			}
			return knows(r) // which would take a personal access token too
		}
		s.adapter.Authorize = func(ctx context.Context, caller httpadapter.Caller, action httpadapter.Action, target httpadapter.Target) error {
			if target.GroupID == faultyGroup || target.GroupID == panickingGroup {
				return httpadapter.ErrGroupNotFound
			}
			return may(ctx, caller, action, target)
		}
	})
	for _, token := range []struct{ value, id, group, scope string }{
		{publicValue, publicID, "1", "public_scope"}, {fullValue, fullID, "2", "full_scope"},
		{expiredValue, expiredID, "1", "full_scope"}, {revokedValue, revokedID, "1", "full_scope"},
		{foreignValue, foreignID, "3", "full_scope"},
	} {
		sum := sha256.Sum256([]byte(token.value))
		digest, err := pat.ParseDigest("sha256$$" + string(sum[:]))
		require.NoError(t, err)
		scopes, err := pat.NewScopes(token.scope)
		require.NoError(t, err)
		rec := pat.Record{Digest: digest, Token: pat.Token{
			ID: token.id, UserID: "alice", GroupID: token.group, Name: "ci", Prefix: token.value[4:16], Scopes: scopes,
			CreatedAt: start, UpdatedAt: start, ExpiresAt: start.Add(time.Hour),
		}}
		switch token.value {
		case expiredValue:
			rec.Token.ExpiresAt = start
		case revokedValue:
			rec.Token.RevokedAt = start
		}
		require.NoError(t, h.store.Insert(t.Context(), rec, 0))
	}
	return h
}

// tokens returns every token there is.
func (h *host) tokens() map[string]pat.Token {
	h.t.Helper()
	all := make(map[string]pat.Token)
	for _, group := range []string{"1", "2", "3"} {
		found, err := h.store.List(h.t.Context(), pat.ListQuery{Owner: pat.Owner{GroupID: group}, IncludeRevoked: true, Limit: 100})
		require.NoError(h.t, err)
		for _, tok := range found {
			all[tok.ID] = tok
		}
	}
	return all
}

// problems are all the details that an answer to a client may have, by code. With them fixed, no answer can hold
// anything that was sent.
func problems() map[string][]string {
	return map[string][]string{
		"unauthenticated": {"The request has no bearer credential."},
		"invalid_token": {"The bearer credential is not valid.", "The token is not valid.",
			"A personal access token can't be used to manage personal access tokens."},
		"token_expired":       {"The token has expired."},
		"token_revoked":       {"The token has been revoked."},
		"forbidden":           {"The caller may not do this."},
		"insufficient_scope":  {"The token has not the scope that is needed here."},
		"token_limit_reached": {"The group has as many tokens as it may have."},
		"not_found":           {"There is no such group.", "There is no such token.", "There is nothing at this path."},
		"method_not_allowed":  {"The method is not one of those that the Allow header lists."},
		"invalid_request": {
			"The request has more than one Authorization header.",
			"The body is longer than 65536 bytes.",
			"The body must be one JSON object (RFC 8259) in UTF-8, with no name given twice.",
			"name must be a string.", "token must be a string.", "scopes must be an array of strings.", "Each of scopes must be a string.",
			"groupId must be given once, as a whole number from 1 to 9007199254740991 in decimal digits.",
			"groupId must not be given more than once.", "includeRevoked must not be given more than once.",
			"limit must not be given more than once.", "cursor must not be given more than once.",
			"The query string is malformed.", "includeRevoked must be true or false.", "cursor must not be empty.",
			"limit must be a whole number from 1 to 1000 in decimal digits.",
			"cursor must be the one of a Link header that this route returned.",
			"The token id must be a UUID.",
			"The body and the Authorization header hold different tokens.", "The request holds no token.",
			"expiresInDays must be a whole number from 1 to the maximum that the server allows.",
			"name must be 1 to 255 characters of valid UTF-8, not all of them invisible, " +
				"without control, line-separating or bidirectional-override characters.",
			"scopes must be RFC 6749 scope-tokens of at most 128 bytes.", "scopes must be at most 64.",
			"scopes must be scopes that the policy knows.",
		},
	}
}

// checkFixed fails the test unless the status is one of those given and an error is one of the known ones, with headers
// that have nothing of the request either. What serve checks holds beside it.
func checkFixed(t *testing.T, got answer, statuses ...int) {
	t.Helper()
	if !slices.Contains(statuses, got.status) {
		t.Fatalf("status %d: %s", got.status, got.body)
	}
	if got.status < 400 {
		return
	}
	var doc struct{ Code, Detail string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &doc))
	if !slices.Contains(problems()[doc.Code], doc.Detail) {
		t.Fatalf("an unknown problem: %s", got.body)
	}
	for name, values := range got.header {
		switch name {
		case "Cache-Control", "Content-Type", "X-Content-Type-Options":
		case "Www-Authenticate":
			if !challengeForm.MatchString(values[0]) {
				t.Fatalf("an unknown challenge: %q", values)
			}
		case "Allow":
			if !slices.Contains([]string{"GET, POST", "POST", "DELETE"}, values[0]) {
				t.Fatalf("an unknown Allow: %q", values)
			}
		default:
			t.Fatalf("a header that an error has not: %s", name)
		}
	}
}

var challengeForm = regexp.MustCompile(
	`\ABearer realm="pat"(, error="(invalid_token|invalid_request)"|, error="insufficient_scope", scope="(public_scope|full_scope)")?\z`)

// bearerForm is an Authorization header with the scheme Bearer.
var bearerForm = regexp.MustCompile(`\A[Bb][Ee][Aa][Rr][Ee][Rr] +([^ ].*?) *\z`)

// credentialOf reads a header in another way than the package does.
func credentialOf(header string) string {
	if m := bearerForm.FindStringSubmatch(strings.ReplaceAll(header, "\n", "\x00")); m != nil {
		return m[1]
	}
	return ""
}
