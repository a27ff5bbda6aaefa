package httpadapter

import (
	"net/http"
	"net/url"
	"strings"
)

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res, err := h.answer(r)
	if err != nil {
		res = h.report.failure(r, err)
	}
	res.write(w)
}

// answer finds the route. It does so by itself, because http.ServeMux answers some requests with a redirect or with
// plain text.
func (h *Handler) answer(r *http.Request) (res response, err error) {
	defer contain(&err)
	rest, ok := strings.CutPrefix(r.URL.Path, h.collection)
	if !ok || hasEncodedSlash(r.URL) {
		return response{}, pathNotFound
	}
	switch rest {
	case "":
		switch r.Method {
		case http.MethodGet:
			return h.list(r)
		case http.MethodPost:
			return h.create(r)
		}
		return response{}, methodNotAllowed("GET, POST")
	case "/verify":
		if r.Method == http.MethodPost {
			return h.verify(r)
		}
		return response{}, methodNotAllowed(http.MethodPost)
	}
	id, ok := strings.CutPrefix(rest, "/")
	if !ok || id == "" || isDotSegment(id) || strings.Contains(id, "/") {
		return response{}, pathNotFound
	}
	if r.Method == http.MethodDelete {
		return h.revoke(r, id)
	}
	return response{}, methodNotAllowed(http.MethodDelete)
}

// hasEncodedSlash reports whether the path had a slash that separates nothing. It looks like a separator in URL.Path.
func hasEncodedSlash(u *url.URL) bool {
	return strings.Contains(u.RawPath, "%2F") || strings.Contains(u.RawPath, "%2f")
}

func isDotSegment(segment string) bool { return segment == "." || segment == ".." }

// parseBasePath checks Config.BasePath and returns it in the form that a further segment can be added to.
func parseBasePath(path string) (string, error) {
	switch path {
	case "":
		return DefaultBasePath, nil
	case "/":
		return "", nil
	}
	rest, ok := strings.CutPrefix(path, "/")
	for segment := range strings.SplitSeq(rest, "/") {
		ok = ok && segment != "" && !isDotSegment(segment) && strings.Trim(segment, unreserved) == ""
	}
	if !ok {
		return "", invalid("BasePath",
			"must be / or begin with it, must not end in it, and must have segments of letters, digits, '-', '.', '_' and '~'")
	}
	return path, nil
}

// unreserved are the characters that a path never needs to encode (RFC 3986, section 2.3).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
