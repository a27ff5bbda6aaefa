package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/patkit/pat/httpadapter"
)

func guardByRoutes(t *testing.T, h *host) *guarded {
	t.Helper()
	return guard(h.verifier, httpadapter.RequireRouteScope(profileRoutes(t)))
}

// FuzzRouting holds the router against http.ServeMux with the documented routes as patterns.
func FuzzRouting(f *testing.F) {
	for _, target := range []string{
		"/pats", "/pats/", "/pats/x", "/pats/verify", "/pats/verify/", "/pats/x/y", "/pats/..", "/pats/.", "/pats//x", "//pats", "/pats/x%2fy", "%2Fpats", "%2fpats/x",
		"/pats/%2e%2e", "/pat", "/patsx", "/pats/%76erify", "/pats?x", "/../pats", "/pats/x;y", "", "/",
	} {
		for _, method := range []string{"GET", "POST", "DELETE", "HEAD", "PUT", "OPTIONS", "get", "CONNECT"} {
			f.Add(method, base+target)
		}
	}
	mux := http.NewServeMux()
	for _, pattern := range []string{"GET " + base + "/pats", "POST " + base + "/pats", "DELETE " + base + "/pats/{id}", "POST " + base + "/pats/verify"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method == http.MethodConnect { // whose target is no path (RFC 9110, section 9.3.6)
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.Method, r.URL = method, u
		got := serve(t, newFuzzedHost(t).handler, r)
		checkFixed(t, got, 400, 401, 404, 405)

		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, r)
		want := recorder.Code
		switch {
		case want >= 300 && want < 400: // to a path without dot segments and empty ones
			want = http.StatusNotFound
		// An encoded slash is no separator, and in no id. It is looked for in what was sent: EscapedPath, which the mux
		// goes by, encodes a path anew that has a byte it may not have, and then the slash is like any other.
		case strings.Contains(strings.ToLower(u.RawPath), "%2f"):
			want = http.StatusNotFound
		case strings.HasSuffix(u.Path, "/.") || strings.HasSuffix(u.Path, "/.."): // %2e is a dot (RFC 3986, section 6.2.2.2)
			want = http.StatusNotFound
		case want == http.StatusTeapot && method == http.MethodHead:
			want = http.StatusMethodNotAllowed // the contract has GET alone
		case u.Path == base+"/pats/verify" && method != http.MethodPost:
			want = http.StatusMethodNotAllowed // verify is no id
		}
		routed := got.status == http.StatusUnauthorized || got.status == http.StatusBadRequest
		if want == http.StatusTeapot && !routed || want != http.StatusTeapot && got.status != want {
			t.Fatalf("status %d, where the mux has %d: %s %s", got.status, want, method, target)
		}
	})
}
