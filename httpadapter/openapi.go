package httpadapter

import (
	"bytes"
	"cmp"
	_ "embed"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
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
	doc := describe(cmp.Or(serverURL, h.base, "/"), h.groups)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			methodNotAllowed("GET, HEAD").response().write(w)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(doc)))
		_, _ = w.Write(doc)
	})
}

// The two places of the file that differ from host to host, as they stand in it.
const (
	describedServer = `{"url": "` + DefaultBasePath + `"}`
	describedGroup  = `{"type": "integer", "format": "int64", "minimum": 1, "maximum": 9007199254740991}`
	textGroup       = `{"type": "string", "minLength": 1, "maxLength": 255}`
)

// describe puts the server and the form of group ids into the description. The rest of the file stays as a person
// wrote it.
func describe(serverURL string, groups groupForm) []byte {
	server := []byte(`{"url": `)
	server, _ = jsontext.AppendQuote(server, serverURL) // what is not UTF-8 is replaced
	server = append(server, '}')
	doc := bytes.Replace(openAPI, []byte(describedServer), server, 1)
	if groups.text {
		doc = bytes.Replace(doc, []byte(describedGroup), []byte(textGroup), 1)
	}
	return doc
}
