package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzVerify sends any body, any Authorization headers and any query. Only the value of a valid token may be answered
// with 200, and only who knows a whole value learns that it has expired or was revoked.
func FuzzVerify(f *testing.F) {
	for _, value := range []string{publicValue, fullValue, expiredValue, revokedValue, foreignValue, unknownValue, publicValue[:54], "x", ""} {
		f.Add([]byte(`{"token":"`+value+`"}`), "", "", "")
		f.Add([]byte(`{"token":"`+value+`"}`), "Bearer "+publicValue, "", "token="+value)
		f.Add([]byte(``), "Bearer "+value, "", "")
		f.Add([]byte(`{}`), "bearer  "+value, "Bearer "+fullValue, "token="+publicValue)
	}
	f.Add([]byte(`{"token":"\u0070`+publicValue[1:]+`"}`), "Bearer "+alice, "", "")
	f.Add([]byte(`{"token":null}`), "Bearer "+publicValue, "", "")
	f.Add([]byte(`{"TOKEN":"`+publicValue+`"}`), "", "", "")
	f.Fuzz(func(t *testing.T, body []byte, authorization, second, query string) {
		h := newFuzzedHost(t)
		r := httptest.NewRequest(http.MethodPost, base+"/pats/verify", bytes.NewReader(body))
		r.URL.RawQuery = query
		for _, header := range []string{authorization, second} {
			if header != "" {
				r.Header["Authorization"] = append(r.Header["Authorization"], header)
			}
		}
		got := serve(t, h.handler, r)
		checkFixed(t, got, 200, 400, 401)
		presented := presentedIn(body, r.Header["Authorization"])
		want, ids := "", map[string]string{publicValue: publicID, fullValue: fullID, foreignValue: foreignID}
		switch presented {
		case publicValue, fullValue, foreignValue:
		case expiredValue:
			want = "token_expired"
		case revokedValue:
			want = "token_revoked"
		default:
			want = "invalid_token"
		}
		switch got.status {
		case http.StatusOK:
			if want != "" || got.object(t)["tokenId"] != ids[presented] || strings.Contains(got.body, presented) {
				t.Fatalf("%q presented, %s", presented, got.body)
			}
		case http.StatusUnauthorized:
			if got.code() != want {
				t.Fatalf("%q presented, %s", presented, got.body)
			}
		case http.StatusBadRequest: // what has to be refused so is the matter of FuzzDecodeVerify
			if string(body) == `{"token":"`+publicValue+`"}` && authorization+second == "" || len(body) == 0 && presented == publicValue {
				t.Fatalf("refused: %s", got.body)
			}
		}
	})
}

// presentedIn reads a verify in another way than the package does: the body's token, or else that of the one header.
func presentedIn(body []byte, headers []string) string {
	var fields map[string]json.RawMessage
	var token string
	if json.Unmarshal(body, &fields) == nil && json.Unmarshal(fields["token"], &token) == nil && token != "" {
		return token
	}
	if len(headers) != 1 {
		return ""
	}
	return credentialOf(headers[0])
}

// FuzzRequireToken sends any request to a route of the host that a token guards.
func FuzzRequireToken(f *testing.F) {
	const profile = base + "/profile"
	for _, value := range []string{publicValue, fullValue, expiredValue, revokedValue, unknownValue, "", "x"} {
		for _, target := range []string{profile, profile + "/a", profile + "/", profile + "/../x", profile + "/%2e%2e/x", "/x?token=" + publicValue} {
			f.Add("GET", target, "Bearer "+value, "")
		}
	}
	f.Add("DELETE", profile, "Bearer "+publicValue, "")
	f.Add("GET", profile, "bearer  "+publicValue+" ", "")
	f.Add("GET", profile, "Bearer "+publicValue, "Bearer "+publicValue)
	f.Fuzz(func(t *testing.T, method, target, authorization, second string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		h := newFuzzedHost(t)
		g := guardByRoutes(t, h)
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Method, r.URL = method, u
		for _, header := range []string{authorization, second} {
			if header != "" {
				r.Header["Authorization"] = append(r.Header["Authorization"], header)
			}
		}
		got := serve(t, g, r)
		checkFixed(t, got, http.StatusAccepted, 400, 401, 403)
		if passed := got.status == http.StatusAccepted; passed != (len(g.tokens) == 1) {
			t.Fatalf("status %d, and %d requests passed", got.status, len(g.tokens))
		}
		value := ""
		if headers := r.Header["Authorization"]; len(headers) == 1 {
			value = credentialOf(headers[0])
		}
		wanted := http.StatusUnauthorized
		switch {
		case second != "" && authorization != "":
			wanted = http.StatusBadRequest
		case value == fullValue, value == foreignValue:
			wanted = http.StatusAccepted
		case value == publicValue && isProfile(method, u):
			wanted = http.StatusAccepted
		case value == publicValue:
			wanted = http.StatusForbidden
		}
		if got.status != wanted {
			t.Fatalf("status %d instead of %d", got.status, wanted)
		}
	})
}

// isProfile is the contract's route table, for paths that have one reading only: any other needs the full scope.
func isProfile(method string, u *url.URL) bool {
	const profile = base + "/profile"
	if strings.ContainsAny(u.Path, `\%;`) || strings.Contains(u.Path, "//") || strings.Contains(strings.ToLower(u.RawPath), "%2f") {
		return false
	}
	below, ok := strings.CutPrefix(u.Path, profile+"/")
	for segment := range strings.SplitSeq(below, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return u.Path == profile && method == http.MethodGet || ok && below != ""
}
