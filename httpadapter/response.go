package httpadapter

import (
	"errors"
	"fmt"
	"net/http"
)

// response is a whole answer. It is made before anything is written, so that a failure half-way can't follow a 200.
type response struct {
	status      int
	contentType string // empty where there is no body
	body        []byte
	challenge   string // the WWW-Authenticate header, and so on; empty ones are left out
	allow       string
	link        string
}

func (p *problem) response() response {
	var doc encoder
	doc.open()
	doc.text("type", "about:blank") // the status says it all (RFC 9457, section 4.2.1); code says it to programs
	doc.text("title", http.StatusText(p.status))
	doc.number("status", p.status)
	doc.text("detail", p.detail)
	doc.text("code", p.code)
	doc.close()
	return response{
		status: p.status, contentType: "application/problem+json", body: doc.buf,
		challenge: p.challenge, allow: p.allow,
	}
}

func (res response) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if res.contentType != "" {
		header.Set("Content-Type", res.contentType)
		header.Set("X-Content-Type-Options", "nosniff")
	}
	if res.challenge != "" {
		header.Set("WWW-Authenticate", res.challenge)
	}
	if res.allow != "" {
		header.Set("Allow", res.allow)
	}
	if res.link != "" {
		header.Set("Link", res.link)
	}
	w.WriteHeader(res.status)
	if len(res.body) > 0 {
		_, _ = w.Write(res.body) // it fails if the client is gone, and then nobody is left to tell
	}
}

// reporter is the OnError function of the host, or nil.
type reporter func(*http.Request, error)

// failure returns the answer to a request that failed. Of an error that is no problem, the client learns nothing and
// the host everything.
func (report reporter) failure(r *http.Request, err error) response {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.response()
	}
	report.tell(r, err)
	return internalError.response()
}

func (report reporter) tell(r *http.Request, err error) {
	if report == nil {
		return
	}
	var panicked error
	// A report that fails must not take the answer with it, and there is nobody to report it to.
	defer contain(&panicked)
	report(r, err)
}

// contain makes an error of a panic in the host's functions. It has to be deferred. The panic's text stays out: it
// may hold a token. http.ErrAbortHandler goes on, as it asks net/http to drop the connection.
func contain(err *error) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		*err = fmt.Errorf("httpadapter: panic of type %T", p)
	}
}
