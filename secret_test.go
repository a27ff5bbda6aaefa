package pat

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hidden = "pat_0QJG9EqYRifx-uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q0ZHUxl"

// holders are ways in which a program may come to print a Secret without meaning to.
func holders() map[string]any {
	s := newSecret(hidden)
	type unexported struct{ secret Secret }
	type deep struct{ inner *unexported }
	type embedded struct{ Secret }
	type Exported struct {
		Name  string
		Value Secret
	}
	return map[string]any{
		"itself":                       s,
		"a pointer":                    &s,
		"a slice":                      []Secret{s},
		"an array":                     [1]Secret{s},
		"a map value":                  map[string]Secret{"k": s},
		"an exported field":            Exported{Value: s},
		"an unexported field":          unexported{s},
		"a pointer to a struct":        &unexported{s},
		"a nested pointer":             deep{&unexported{s}},
		"an embedded field":            embedded{s},
		"an interface":                 []any{s},
		"an Issued":                    Issued{Value: s},
		"a pointer to an Issued":       &Issued{Value: s},
		"an unexported Issued":         struct{ i Issued }{Issued{Value: s}},
		"an error that was made of it": fmt.Errorf("failed: %v", s),
	}
}

func TestSecretIsRedactedUnderEveryVerb(t *testing.T) {
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#x", "%d", "%T", "%t", "%c", "%U", "%e", "%p", "%20s", "%-5v", "%w", "%!"}
	for name, holder := range holders() {
		for _, verb := range verbs {
			printed := fmt.Sprintf(verb, holder)
			assertHidden(t, name+" under "+verb, printed)
		}
		assertHidden(t, name+" under Sprint", fmt.Sprint(holder))
		assertHidden(t, name+" in a panic", fmt.Sprint(recovered(holder)))
		assertHidden(t, name+" in a failed assertion", failedAssertion(holder))
	}
}

func TestSecretIsRedactedByEveryEncoder(t *testing.T) {
	for name, holder := range holders() {
		if encoded, err := json.Marshal(holder); err == nil {
			assertHidden(t, name+" as JSON", string(encoded))
		}
		if encoded, err := xml.Marshal(holder); err == nil {
			assertHidden(t, name+" as XML", string(encoded))
		}
		var encoded bytes.Buffer
		if err := gob.NewEncoder(&encoded).Encode(holder); err == nil {
			assertHidden(t, name+" as gob", encoded.String())
		}
		for handler, logger := range map[string]*slog.Logger{
			"text": slog.New(slog.NewTextHandler(&encoded, nil)),
			"json": slog.New(slog.NewJSONHandler(&encoded, nil)),
		} {
			encoded.Reset()
			logger.Info("message", "key", holder, slog.Group("group", "key", holder))
			logger.With("key", holder).Info("message")
			assertHidden(t, name+" in a slog "+handler+" handler", encoded.String())
		}
	}
}

func TestSecretSaysThatItIsRedacted(t *testing.T) {
	s := newSecret(hidden)
	assert.Equal(t, "[redacted]", s.String())
	assert.Equal(t, "[redacted]", fmt.Sprintf("%#v", s))
	assert.Equal(t, "[redacted]", s.LogValue().String())
	encoded, err := json.Marshal(s)
	require.NoError(t, err)
	assert.Equal(t, `"[redacted]"`, string(encoded))
	encoded, err = s.MarshalBinary()
	require.NoError(t, err)
	assert.Equal(t, "[redacted]", string(encoded))
}

func TestRevealGivesTheValue(t *testing.T) {
	assert.Equal(t, hidden, newSecret(hidden).Reveal())
	assert.Empty(t, Secret{}.Reveal())
	assert.Equal(t, "[redacted]", fmt.Sprint(Secret{}), "an empty secret looks like any other")
}

func assertHidden(t *testing.T, where, text string) {
	t.Helper()
	for _, part := range []string{hidden, hidden[17:], fmt.Sprintf("%x", hidden[17:]), fmt.Sprintf("%X", hidden[17:]), fmt.Sprintf("% x", hidden[17:])} {
		if bytes.Contains([]byte(text), []byte(part)) {
			t.Errorf("%s shows the secret", where)
		}
	}
}

func recovered(v any) (p any) {
	defer func() { p = recover() }()
	panic(v)
}

// failedAssertion is what testify prints of a value: it walks pointers and unexported fields by reflection.
func failedAssertion(v any) string {
	var recorder assertionRecorder
	assert.Equal(&recorder, errors.New("something else"), v)
	return recorder.text
}

type assertionRecorder struct{ text string }

func (r *assertionRecorder) Errorf(format string, args ...any) {
	r.text += fmt.Sprintf(format, args...)
}
