package httpadapter_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/patkit/pat"
	"github.com/patkit/pat/httpadapter"
	"github.com/patkit/pat/storetest"
)

// load reads a description and has the validator accept it.
func load(t *testing.T, text []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(text)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	return doc
}

// closed forbids, in every schema of an answer, the fields that it does not describe. The published file leaves them
// open, so that a later release can add some; the tests must not miss one.
func closed(doc *openapi3.T) {
	no := false
	for _, schema := range doc.Components.Schemas {
		if len(schema.Value.Properties) > 0 {
			schema.Value.AdditionalProperties = openapi3.BoolSchema{Has: &no}
		}
	}
}

// description holds real requests and answers against the description.
type description struct {
	doc    *openapi3.T
	router routers.Router
	seen   map[string]bool // "operationId status" of every answer held
}

func newDescription(t *testing.T, text []byte) *description {
	t.Helper()
	doc := load(t, text)
	closed(doc)
	router, err := legacy.NewRouter(doc)
	require.NoError(t, err)
	return &description{doc: doc, router: router, seen: map[string]bool{}}
}

// hold serves the request, and checks the answer against the description, and the request too if it is meant to be
// valid.
func (d *description) hold(t *testing.T, handler http.Handler, method, target, credential, body string, valid bool) answer {
	t.Helper()
	request := func() *http.Request {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header = bearer(credential)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		return r
	}
	r := request()
	route, params, err := d.router.FindRoute(r)
	require.NoError(t, err)
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
		},
	}
	err = openapi3filter.ValidateRequest(t.Context(), input)
	if valid {
		require.NoError(t, err, "the description refuses a request that is valid")
	}
	got := serve(t, handler, request())
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: got.status, Header: got.header,
		Body: io.NopCloser(bytes.NewReader([]byte(got.body))), Options: input.Options,
	})
	require.NoError(t, err, "%s %s: %d %s", method, target, got.status, got.body)
	described := route.Operation.Responses.Status(got.status).Value
	for name := range got.header {
		if name == "Content-Type" || name == "X-Content-Type-Options" {
			continue
		}
		assert.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(described.Headers)), func(n string) bool {
			return strings.EqualFold(n, name)
		}), "%s %d has a header %s that is not described", route.Operation.OperationID, got.status, name)
	}
	if got.body == "" {
		assert.Empty(t, described.Content)
	}
	d.seen[route.Operation.OperationID+" "+strconv.Itoa(got.status)] = true
	return got
}

// promised returns "operationId status" of every answer that the description promises.
func (d *description) promised() []string {
	var list []string
	for _, item := range d.doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				list = append(list, operation.OperationID+" "+status)
			}
		}
	}
	slices.Sort(list)
	return list
}

func TestTheDescriptionHoldsForEveryAnswerThatItPromises(t *testing.T) {
	for sentence, asText := range map[string]bool{"with numbers as group ids": false, "with strings as group ids": true} {
		t.Run(sentence, func(t *testing.T) {
			h := newHost(t, func(s *settings) {
				s.adapter.StringGroupIDs = asText
				s.pat.GroupLimit = 3
				s.pat.Lifetime.AllowNoExpiry = true
			})
			d := newDescription(t, served(t, h, "").body())
			group := func(id string) string {
				if asText {
					return `"` + id + `"`
				}
				return id
			}
			list := func(credential, query string, valid bool) answer {
				return d.hold(t, h.handler, http.MethodGet, base+"/pats"+query, credential, "", valid)
			}
			create := func(credential, body string, valid bool) answer {
				return d.hold(t, h.handler, http.MethodPost, base+"/pats", credential, body, valid)
			}
			revoke := func(credential, id string, valid bool) answer {
				return d.hold(t, h.handler, http.MethodDelete, base+"/pats/"+id, credential, "", valid)
			}
			verify := func(credential, body string, valid bool) answer {
				return d.hold(t, h.handler, http.MethodPost, base+"/pats/verify", credential, body, valid)
			}

			list(alice, "?groupId=1", true)
			minimal := create(alice, `{"name":"ci","groupId":`+group("1")+`}`, true)
			id, value := minimal.object(t)["id"].(string), minimal.object(t)["token"].(string)
			create(alice, `{"name":"ci","groupId":`+group("1")+`,"scopes":["public_scope","full_scope"],"expiresInDays":1825}`, true)
			_, eternal := h.issue(pat.CreateParams{Lifetime: pat.NoExpiry})
			brief, expired := h.issue(pat.CreateParams{Lifetime: time.Second, GroupID: "2"})
			require.NoError(t, h.store.Touch(t.Context(), []pat.Use{{Prefix: brief.Prefix, At: start}}))
			h.clock.Add(time.Minute)

			verify("", `{"token":"`+value+`"}`, true)
			verify(value, "", true)
			verify(value, "{}", true)
			verify("", `{"token":"`+eternal+`"}`, true)
			verify(alice, `{"token":"`+expired+`"}`, true)
			verify("", `{"token":"zebra"}`, true)
			verify(eternal, `{"token":"`+value+`"}`, true)
			verify("", `{"token":1}`, false)
			verify("", "", true)

			list(alice, "?groupId=1&includeRevoked=true&limit=2", true)
			list(alice, "?groupId=2", true)
			list(alice, "", false)
			list("", "?groupId=1", true)
			list("zebra", "?groupId=1", true)
			list(carol, "?groupId=1", true)
			list(alice, "?groupId=999", true)
			list(alice, "?groupId="+faultyGroup, true)

			create(alice, `{"name":"ci","groupId":`+group("1")+`}`, true) // over the limit
			create(carol, `{"name":"ci","groupId":`+group("1")+`}`, true)
			create(alice, `{"name":"ci","groupId":`+group("999")+`}`, true)
			create(alice, `{"name":"ci","groupId":`+group(faultyGroup)+`}`, true)
			create(alice, `{"name":"ci"}`, false)
			create("", `{"name":"ci","groupId":`+group("1")+`}`, true)

			revoke(carol, id, true)
			revoke(bob, brief.ID, true)
			revoke(alice, id, true)
			list(alice, "?groupId=1&includeRevoked=true", true)
			revoke(alice, "zebra", false)
			revoke("", id, true)
			verify("", `{"token":"`+value+`"}`, true)
			h.store.Inject(storetest.EveryCall, storetest.Fail(errFault))
			revoke(alice, id, true)
			verify("", `{"token":"`+value+`"}`, true)

			seen := slices.Sorted(maps.Keys(d.seen))
			assert.Equal(t, d.promised(), seen, "every status of every route is promised and was seen")
		})
	}
}

func TestTheDescriptionPromisesTheStatusesOfTheContract(t *testing.T) {
	assert.Equal(t, []string{
		"createPat 201", "createPat 400", "createPat 401", "createPat 403", "createPat 404", "createPat 500",
		"deletePat 204", "deletePat 400", "deletePat 401", "deletePat 403", "deletePat 404", "deletePat 500",
		"listPats 200", "listPats 400", "listPats 401", "listPats 403", "listPats 404", "listPats 500",
		"verifyPat 200", "verifyPat 400", "verifyPat 401", "verifyPat 500",
	}, newDescription(t, httpadapter.OpenAPI()).promised())
}

func TestACreatedTokenIsDescribedAsAnyOtherAndItsValueBesides(t *testing.T) {
	schemas := load(t, httpadapter.OpenAPI()).Components.Schemas
	token, created := schemas["Token"].Value, schemas["CreatedToken"].Value
	require.Contains(t, created.Properties, "token")
	assert.Equal(t, append(slices.Clone(token.Required), "token"), created.Required)

	delete(created.Properties, "token")
	created.Required = token.Required
	want, err := json.Marshal(token)
	require.NoError(t, err)
	got, err := json.Marshal(created)
	require.NoError(t, err)
	assert.JSONEq(t, string(want), string(got))
}

func TestTheDescribedVersionIsThatOfTheAPI(t *testing.T) {
	info := load(t, httpadapter.OpenAPI()).Info
	major, _, _ := strings.Cut(info.Version, ".")
	assert.Equal(t, "v"+major, path.Base(httpadapter.DefaultBasePath))
	assert.Contains(t, info.Description, "The version is that of this API")
}

func TestTheValidatorWouldNoticeAnAnswerThatBreaksTheDescription(t *testing.T) {
	d := newDescription(t, httpadapter.OpenAPI())
	r := httptest.NewRequest(http.MethodPost, base+"/pats/verify", http.NoBody)
	route, params, err := d.router.FindRoute(r)
	require.NoError(t, err)
	for sentence, body := range map[string]string{
		"a field is missing":     `{"tokenId":"` + unknownID + `","userId":"a","groupId":1,"name":"ci","tokenPrefix":"p","scopes":[]}`,
		"a field is too many":    `{"tokenId":"` + unknownID + `","userId":"a","groupId":1,"name":"ci","tokenPrefix":"p","scopes":[],"effectiveScope":"","x":1}`,
		"a field has a bad type": `{"tokenId":"` + unknownID + `","userId":"a","groupId":"1","name":"ci","tokenPrefix":"p","scopes":[],"effectiveScope":""}`,
		"a field is null":        `{"tokenId":"` + unknownID + `","userId":"a","groupId":1,"name":"ci","tokenPrefix":"p","scopes":[],"effectiveScope":"","expiresAt":null}`,
	} {
		err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
			Status:                 http.StatusOK,
			Header:                 http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}},
			Body:                   io.NopCloser(strings.NewReader(body)),
		})
		assert.Error(t, err, sentence)
	}
}

// servedDescription is the answer of the handler that OpenAPIHandler returns.
type servedDescription struct{ *httptest.ResponseRecorder }

func (s servedDescription) body() []byte { return s.Body.Bytes() }

func served(t *testing.T, h *host, serverURL string) servedDescription {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.handler.(*httpadapter.Handler).OpenAPIHandler(serverURL).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	require.Equal(t, http.StatusOK, recorder.Code)
	assert.Equal(t, []string{"application/json"}, recorder.Header().Values("Content-Type"))
	assert.Equal(t, []string{strconv.Itoa(recorder.Body.Len())}, recorder.Header().Values("Content-Length"))
	return servedDescription{recorder}
}

func TestTheServedDescriptionNamesTheServer(t *testing.T) {
	for _, c := range []struct{ basePath, serverURL, want string }{
		{"", "", base},
		{"/api/v2", "", "/api/v2"},
		{"/", "", "/"},
		{"/api/v2", "https://example.org/prefix/api/v2", "https://example.org/prefix/api/v2"},
		{"", `https://example.org/"quoted"`, `https://example.org/"quoted"`},
	} {
		h := newHost(t, func(s *settings) { s.adapter.BasePath = c.basePath })
		doc, err := openapi3.NewLoader().LoadFromData(served(t, h, c.serverURL).body())
		require.NoError(t, err)
		require.Len(t, doc.Servers, 1)
		assert.Equal(t, c.want, doc.Servers[0].URL)
	}
	assert.Equal(t, string(httpadapter.OpenAPI()), string(served(t, newHost(t), "").body()))
}

func TestTheServedDescriptionHasTheFormOfGroupIDs(t *testing.T) {
	form := func(asText bool) *openapi3.Schema {
		h := newHost(t, func(s *settings) { s.adapter.StringGroupIDs = asText })
		return load(t, served(t, h, "").body()).Components.Schemas["GroupId"].Value
	}
	assert.True(t, form(false).Type.Is("integer"))
	assert.True(t, form(true).Type.Is("string"))
}

func TestTheDescriptionIsReadOnly(t *testing.T) {
	handler := newHost(t).handler.(*httpadapter.Handler).OpenAPIHandler("")
	r := httptest.NewRequest(http.MethodPost, "/openapi.json", http.NoBody)
	got := serve(t, handler, r)
	assert.Equal(t, http.StatusMethodNotAllowed, got.status)
	assert.Equal(t, "GET, HEAD", got.header.Get("Allow"))

	first := httpadapter.OpenAPI()
	clear(first)
	assert.NotEqual(t, first, httpadapter.OpenAPI(), "what a caller does to its copy stays there")
}
