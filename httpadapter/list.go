package httpadapter

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/patkit/pat"
)

// list answers GET {base}/pats. As on create, who asks comes before what is asked: a stranger learns nothing of the
// rules of a request, and a caller without rights in a group nothing of what is in it.
func (h *Handler) list(r *http.Request) (response, error) {
	caller, err := h.caller(r)
	if err != nil {
		return response{}, err
	}
	query, err := parseListQuery(r.URL.RawQuery, h.groups)
	if err != nil {
		return response{}, err
	}
	if err := h.authorize(r.Context(), caller, ActionList, Target{GroupID: query.groupID}); err != nil {
		return response{}, verdict(err)
	}
	params := pat.ListParams{
		GroupID: query.groupID, IncludeRevoked: query.includeRevoked, Limit: query.limit, Cursor: query.cursor,
	}
	if query.limit == 0 {
		params.Limit = pat.MaxPageSize
	}
	e := encoder{buf: []byte{'['}}
	for {
		page, err := h.issuer.List(r.Context(), params)
		if err != nil {
			return response{}, badArgument(err)
		}
		for i := range page.Tokens {
			if len(e.buf) > 1 {
				e.buf = append(e.buf, ',')
			}
			h.encodeToken(&e, &page.Tokens[i], "")
		}
		params.Cursor = page.NextCursor
		// Known clients ask without limit and count the rows, so that without one nothing may be missing.
		if query.limit != 0 || page.NextCursor == "" {
			break
		}
	}
	e.buf = append(e.buf, ']')
	res, err := e.response(http.StatusOK)
	if err == nil && params.Cursor != "" {
		res.link = query.next(params.Cursor)
	}
	return res, err
}

// listQuery is what the query string of a list says.
type listQuery struct {
	groupID        string
	includeRevoked bool
	limit          int // 0: everything there is, as known clients expect of the plain list
	cursor         string
}

// parseListQuery refuses a query string that net/url can't read, and a known parameter that is given twice: two readers
// could take a different one. Unknown parameters are ignored, as unknown fields are.
func parseListQuery(raw string, groups groupForm) (listQuery, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return listQuery{}, badRequest("The query string is malformed.")
	}
	for _, name := range []string{"groupId", "includeRevoked", "limit", "cursor"} {
		if len(values[name]) > 1 {
			return listQuery{}, badRequest(name + " must not be given more than once.")
		}
	}
	var query listQuery
	if query.groupID, err = groups.parse(values.Get("groupId")); err != nil {
		return listQuery{}, err
	}
	if values.Has("includeRevoked") {
		switch values.Get("includeRevoked") {
		case "true":
			query.includeRevoked = true
		case "false":
		default:
			return listQuery{}, badRequest("includeRevoked must be true or false.")
		}
	}
	switch {
	case values.Has("limit"):
		if query.limit, err = parsePageSize(values.Get("limit")); err != nil {
			return listQuery{}, err
		}
	case query.includeRevoked:
		// The group's limit bounds the living tokens, and nothing bounds the revoked ones.
		query.limit = pat.MaxPageSize
	}
	if query.cursor = values.Get("cursor"); query.cursor == "" && values.Has("cursor") {
		return listQuery{}, badRequest("cursor must not be empty.")
	}
	return query, nil
}

func parsePageSize(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > pat.MaxPageSize || strconv.Itoa(n) != text {
		return 0, badRequest("limit must be a whole number from 1 to 1000 in decimal digits.")
	}
	return n, nil
}

// next returns the Link header that leads to the next page (RFC 8288). The reference is a query alone, which leaves
// the path as the client wrote it (RFC 3986, section 5.2.2): what http.StripPrefix took away is not known here.
func (q listQuery) next(cursor string) string {
	values := url.Values{
		"groupId": {q.groupID},
		"limit":   {strconv.Itoa(q.limit)},
		"cursor":  {cursor},
	}
	if q.includeRevoked {
		values.Set("includeRevoked", "true")
	}
	return "<?" + values.Encode() + `>; rel="next"`
}
