package httpadapter

import "net/http"

type reporter func(*http.Request, error)

type groupForm struct{ text bool }

func parseBasePath(string) (string, error) { return "", nil }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotImplemented)
}
