package httpadapter

import (
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/patkit/pat"
)

// refused reports whether an error is a bad request that echoes nothing; any other error is a defect.
func refused(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	p, ok := errors.AsType[*problem](err)
	if !ok || p.status != 400 || p.code != "invalid_request" {
		t.Fatalf("not a bad request: %v", err)
	}
	return true
}

// FuzzDecodeVerify holds the strict decoder against encoding/json: whatever the first takes, the second takes too and
// reads the same token from it.
func FuzzDecodeVerify(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `{}`, `null`, `[]`, `{"token":"pat_a"}`, `{"token":""}`, `{"token":null}`, `{"token":1}`, `{"Token":"a"}`,
		`{"token":"a","token":"b"}`, `{"tok\u0065n":"a"}`, `{"token":"a"}{}`, `{"x":[{"a":1,"a":2}]}`, `{"token":"\ud800"}`, "{\"token\":\"\xff\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		original := string(body)
		value, err := decodeVerify(body)
		if string(body) != original {
			t.Fatal("the body was changed")
		}
		if refused(t, err) || strings.Trim(original, " \t\r\n") == "" {
			return
		}
		var fields map[string]any
		if !utf8.ValidString(original) || json.Unmarshal([]byte(original), &fields) != nil || fields == nil {
			t.Fatalf("took a body that is no JSON object: %q", original)
		}
		if want, _ := fields["token"].(string); value != want {
			t.Fatalf("read %q for %q", value, want)
		}
		if token, there := fields["token"]; there && token == nil {
			t.Fatal("took null for a token")
		}
	})
}

// FuzzDecodeCreate checks that what is taken obeys rules 2 and 4, and means to encoding/json what it means here.
func FuzzDecodeCreate(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"name":"ci","groupId":1}`, `{"name":"ci","groupId":9007199254740992,"scopes":["a"],"expiresInDays":60}`,
		`{"groupId":01}`, `{"groupId":1.0}`, `{"groupId":1e3}`, `{"groupId":-1}`, `{"groupId":"1"}`, `{"groupId":1,"expiresInDays":106752}`,
		`{"groupId":1,"expiresInDays":6e1}`, `{"groupId":1,"scopes":[null]}`, `{"groupId":1,"scopes":{}}`, `{"groupId":1,"userId":"x"}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, text bool) {
		params, err := decodeCreate(body, groupForm{text: text})
		if refused(t, err) {
			return
		}
		var want struct {
			Name          string
			GroupID       json.RawMessage
			Scopes        []string
			ExpiresInDays uint64
		}
		fields := map[string]json.RawMessage{}
		if json.Unmarshal(body, &fields) != nil {
			t.Fatalf("took a body that is no JSON object: %q", body)
		}
		for name, target := range map[string]any{"name": &want.Name, "groupId": &want.GroupID, "scopes": &want.Scopes, "expiresInDays": &want.ExpiresInDays} {
			if raw, there := fields[name]; there {
				if string(raw) == "null" || json.Unmarshal(raw, target) != nil {
					t.Fatalf("took %s for %s", raw, name)
				}
			}
		}
		if params.Name != want.Name || params.UserID != "" || strings.Join(params.Scopes, "\n") != strings.Join(want.Scopes, "\n") {
			t.Fatalf("read %+v", params)
		}
		if params.Lifetime < 0 || params.Lifetime != time.Duration(want.ExpiresInDays)*24*time.Hour || params.Lifetime == pat.NoExpiry {
			t.Fatalf("read a lifetime of %v for %d days", params.Lifetime, want.ExpiresInDays)
		}
		if !text {
			checkGroupNumber(t, params.GroupID)
			if string(want.GroupID) != params.GroupID {
				t.Fatalf("read group %q for %q", params.GroupID, want.GroupID)
			}
		}
	})
}

func checkGroupNumber(t *testing.T, id string) {
	t.Helper()
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n < 1 || n > 1<<53-1 || strconv.FormatUint(n, 10) != id {
		t.Fatalf("took %q for a group number", id)
	}
}

// FuzzParseListQuery checks that what is taken obeys rules 1 and 2, and comes back from the Link header unchanged.
func FuzzParseListQuery(f *testing.F) {
	for _, seed := range []string{
		"", "groupId=1", "groupId=1&groupId=1", "groupId=01", "groupId=+1", "groupId=%31", "groupId=1;x", "groupId=1&limit=10&cursor=a",
		"groupId=1&includeRevoked=true&limit=1", "groupId=a%26b", "group%49d=1", "groupId=1&limit=1000", "groupId=%ff", "%",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, raw string, text bool) {
		form := groupForm{text: text}
		query, err := parseListQuery(raw, form)
		if refused(t, err) {
			return
		}
		if !text {
			checkGroupNumber(t, query.groupID)
		}
		if query.limit < 0 || query.limit > pat.MaxPageSize {
			t.Fatalf("took the limit %d", query.limit)
		}
		if query.limit == 0 {
			return // no Link header
		}
		link := query.next("next")
		reference, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
		page, err := url.Parse(reference)
		if !ok || err != nil || strings.ContainsAny(reference, "<>\"\r\n ") {
			t.Fatalf("a broken Link header: %q", link)
		}
		query.cursor = "next"
		if again, err := parseListQuery(page.RawQuery, form); err != nil || again != query {
			t.Fatalf("%+v came back as %+v: %v", query, again, err)
		}
	})
}

// FuzzRouteTable checks that no spelling of a path passes for a listed route that a server behind could take for
// another.
func FuzzRouteTable(f *testing.F) {
	table, err := NewRouteTable("full", Route{Path: "/profile/*", Scope: "public"})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"/profile/a", "/profile/", "/profile/../x", "/profile/%2e%2e/x", "/profile//x", "/profile/a%2fb", "/profile/a/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		if table.scope("GET", u) != "public" {
			return
		}
		escaped := strings.ToLower(u.EscapedPath())
		if strings.Contains(escaped, "%2f") || strings.Contains(u.Path, "//") || !strings.HasPrefix(u.Path, "/profile/") {
			t.Fatalf("listed: %q", target)
		}
		for segment := range strings.SplitSeq(u.Path, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("listed: %q", target)
			}
		}
	})
}
