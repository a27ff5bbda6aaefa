package httpadapter

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// maxBodyLength bounds a request body. The largest that makes sense has a few kilobytes.
const maxBodyLength = 64 << 10

// readBody reads the whole body. The length that the client declares is not looked at: a chunked body has none.
func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBodyLength+1))
	if err != nil {
		return nil, badRequest("The body could not be read to its end.")
	}
	if len(body) > maxBodyLength {
		return nil, badRequest("The body is longer than 65536 bytes.")
	}
	return body, nil
}

var errJSON = badRequest("The body must be one JSON object (RFC 8259) in UTF-8, with no name given twice.")

// decodeObject reads a body that is a JSON object, and calls field for each name, which reads or skips the value.
//
// The content type is not looked at: clients exist that send none, and a form or a text that happens to be a JSON
// object does no harm, as no route takes its credential from a cookie.
//
// Strictness comes from jsontext, with its defaults (RFC 7493): it refuses duplicate names, also within
// fields that are skipped, invalid UTF-8 and lone surrogates, and bounds the depth. Names are compared exactly, where
// encoding/json would take "TOKEN" for "token".
func decodeObject(body []byte, field func(dec *jsontext.Decoder, name string) error) error {
	dec := decoders.Get().(*jsontext.Decoder)
	dec.Reset(bytes.NewBuffer(body))
	err := decodeFields(dec, field)
	dec.Reset(http.NoBody) // so that the pool keeps no body, which may hold a token
	decoders.Put(dec)
	if _, ok := errors.AsType[*problem](err); err == nil || ok {
		return err
	}
	return errJSON // the decoder's own text holds parts of the input
}

// decoders are kept for reuse: making one costs six allocations, where all the rest of a verify makes eight.
var decoders = sync.Pool{New: func() any { return jsontext.NewDecoder(http.NoBody) }}

func decodeFields(dec *jsontext.Decoder, field func(dec *jsontext.Decoder, name string) error) error {
	if token, err := dec.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginObject {
		return errJSON
	}
	for {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if token.Kind() == jsontext.KindEndObject {
			break
		}
		if err := field(dec, token.String()); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errJSON // something follows the object
	}
	return nil
}

// readString reads a field that has to be a string.
func readString(dec *jsontext.Decoder, name string) (string, error) {
	if dec.PeekKind() != jsontext.KindString {
		return "", badRequest(name + " must be a string.")
	}
	token, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	return token.String(), nil
}

// readStrings reads a field that has to be an array of strings.
func readStrings(dec *jsontext.Decoder, name string) ([]string, error) {
	if token, err := dec.ReadToken(); err != nil || token.Kind() != jsontext.KindBeginArray {
		return nil, badRequest(name + " must be an array of strings.")
	}
	var list []string
	for dec.PeekKind() != jsontext.KindEndArray {
		text, err := readString(dec, "Each of "+name)
		if err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	_, err := dec.ReadToken()
	return list, err
}
