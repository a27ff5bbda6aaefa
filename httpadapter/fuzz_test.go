package httpadapter

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

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

// FuzzDecodeVerify holds the strict decoder against encoding/json, both ways: whatever the first takes, the second
// takes too and reads the same token from it; and what the second takes, the first takes unless it repeats a name, is
// no UTF-8, or names something else than a string for the token.
func FuzzDecodeVerify(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `{}`, `null`, `[]`, `{"token":"pat_a"}`, `{"token":""}`, `{"token":null}`, `{"token":1}`, `{"Token":"a"}`, `{"x":1e999}`,
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
		taken := !refused(t, err)
		if strings.Trim(original, " \t\r\n") == "" {
			if !taken || value != "" {
				t.Fatal("refused no body")
			}
			return
		}
		fields := objectOf(t, body)
		token, there := fields["token"]
		var want string
		isString := there && string(token) != "null" && json.Unmarshal(token, &want) == nil
		switch {
		case taken && fields == nil:
			t.Fatalf("took %q", original)
		case taken && (there && !isString || value != want):
			t.Fatalf("read %q for %q", value, original)
		case !taken && fields != nil && (!there || isString) && !surrogates.MatchString(original):
			t.Fatalf("refused %q", original)
		}
	})
}

// surrogates are the escapes of half a character, of which encoding/json takes a lone one. Bodies with any are held
// against it in one direction only.
var surrogates = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// objectOf returns the fields of a body that is a JSON object in UTF-8 with no name given twice, or nil.
func objectOf(t *testing.T, body []byte) map[string]json.RawMessage {
	t.Helper()
	var fields map[string]json.RawMessage
	if !utf8.Valid(body) || json.Unmarshal(body, &fields) != nil {
		return nil
	}
	if dec := json.NewDecoder(bytes.NewReader(body)); repeatsAName(t, dec) {
		return nil
	}
	return fields
}

// repeatsAName reads one value, which is known to be valid JSON.
func repeatsAName(t *testing.T, dec *json.Decoder) (repeated bool) {
	t.Helper()
	dec.UseNumber() // so that 1e999 is no error
	token, err := dec.Token()
	require.NoError(t, err)
	if _, opens := token.(json.Delim); !opens {
		return false
	}
	names := make(map[string]bool)
	for dec.More() {
		if token == json.Delim('{') {
			name, err := dec.Token()
			require.NoError(t, err)
			repeated = repeated || names[name.(string)]
			names[name.(string)] = true
		}
		repeated = repeatsAName(t, dec) || repeated
	}
	_, err = dec.Token()
	require.NoError(t, err)
	return repeated
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
		fields := objectOf(t, body)
		if fields == nil {
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
			if string(want.GroupID) != params.GroupID || !isSpecifiedGroup(params.GroupID) {
				t.Fatalf("read group %q for %q", params.GroupID, want.GroupID)
			}
		}
	})
}

// FuzzParseListQuery holds the query against rules 1 and 2, each as an expression, and checks that what is taken comes
// back from the Link header unchanged.
func FuzzParseListQuery(f *testing.F) {
	for _, seed := range []string{
		"", "groupId=1", "groupId=1&groupId=1", "groupId=01", "groupId=+1", "groupId=%31", "groupId=1;x", "groupId=1&limit=10&cursor=a",
		"groupId=1&includeRevoked=true&limit=1", "groupId=a%26b", "group%49d=1", "groupId=1&limit=1000", "groupId=%ff", "%",
		"groupId=9007199254740991", "groupId=9007199254740992", "groupId=1&limit=1001", "groupId=1&limit=00", "groupId=1&x=1&x=2", "groupId=1&cursor=",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, raw string, text bool) {
		form := groupForm{text: text}
		query, err := parseListQuery(raw, form)
		values, specified := specifiedQuery(raw, text)
		if refused(t, err) {
			if specified {
				t.Fatalf("refused %q", raw)
			}
			return
		}
		if !specified || query.groupID != values.Get("groupId") || query.cursor != values.Get("cursor") ||
			query.includeRevoked != (values.Get("includeRevoked") == "true") {
			t.Fatalf("read %+v for %q", query, raw)
		}
		if limit := values.Get("limit"); limit != "" && limit != strconv.Itoa(query.limit) || limit == "" && query.limit != 0 && !query.includeRevoked {
			t.Fatalf("the limit %d for %q", query.limit, raw)
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

var (
	groupNumber = regexp.MustCompile(`\A[1-9][0-9]{0,15}\z`)
	controls    = regexp.MustCompile(`\p{Cc}`)
	pageSize    = regexp.MustCompile(`\A([1-9][0-9]{0,2}|1000)\z`)
)

// isSpecifiedGroup is rule 2 of the contract for a groupId, as an expression and a comparison of digits.
func isSpecifiedGroup(id string) bool {
	const largest = "9007199254740991" // 2^53-1
	return groupNumber.MatchString(id) && (len(id) < len(largest) || id <= largest)
}

// specifiedQuery reads a query by the rules as they are written in the contract.
func specifiedQuery(raw string, text bool) (url.Values, bool) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return values, false
	}
	rules := map[string]func(string) bool{
		"groupId":        isSpecifiedGroup,
		"includeRevoked": func(v string) bool { return v == "true" || v == "false" },
		"limit":          pageSize.MatchString,
		"cursor":         func(v string) bool { return v != "" },
	}
	if text {
		rules["groupId"] = func(v string) bool {
			return v != "" && len(v) <= 255 && utf8.ValidString(v) && !controls.MatchString(v)
		}
	}
	for name, holds := range rules {
		given := values[name]
		if len(given) > 1 || len(given) == 1 && !holds(given[0]) || len(given) == 0 && name == "groupId" {
			return values, false
		}
	}
	return values, true
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
