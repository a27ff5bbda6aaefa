package pat

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What must not be seen. Key and digest are printable, because an encoder could otherwise hide them by accident.
const (
	hidden       = "pat_0QJG9EqYRifx-uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q0ZHUxl"
	hiddenKey    = "Kq7WmZ2xRt9LcVb4YnHs6TgPd1FjEu8A"
	hiddenDigest = "Gw5QzXe3DkMv0BiNr7UoCyJa2SfLp9Th"
)

// subject is a type that holds something hidden.
type subject struct {
	value    any
	embedded any // in a struct, without a field name
	// bytes says that the type holds it as plain bytes, and not behind a closure.
	bytes bool
}

func subjects(t *testing.T) map[string]subject {
	t.Helper()
	secret := NewSecret(hidden)
	issued := Issued{Token: Token{Name: "deploy"}, Value: secret}
	key := PepperKey{ID: "k1", Key: NewSecret(hiddenKey)}
	cfg := Config{PepperKeys: []PepperKey{key}, LastUsedInterval: -1}
	digest := makeDigest(algorithmSHA256, "", []byte(hiddenDigest))
	rec := Record{Token: Token{Name: "deploy"}, Digest: digest}
	rotation := Rotation{OldID: "id", New: rec}
	// A used Verifier and a used Issuer: their pools are filled.
	store := &oneRecord{}
	verifier, err := NewVerifier(store, cfg)
	require.NoError(t, err)
	_, err = verifier.Verify(t.Context(), hidden)
	require.ErrorIs(t, err, ErrUnknown)
	issuer, err := NewIssuer(store, cfg)
	require.NoError(t, err)
	issuer.hashers.digest(hidden)
	return map[string]subject{
		"Secret":    {secret, struct{ Secret }{secret}, false},
		"Issued":    {issued, struct{ Issued }{issued}, false},
		"PepperKey": {key, struct{ PepperKey }{key}, false},
		"Config":    {cfg, struct{ Config }{cfg}, false},
		"Digest":    {digest, struct{ Digest }{digest}, true},
		"Record":    {rec, struct{ Record }{rec}, true},
		"Rotation":  {rotation, struct{ Rotation }{rotation}, true},
		"Verifier":  {verifier, struct{ *Verifier }{verifier}, false},
		"Issuer":    {issuer, struct{ *Issuer }{issuer}, false},
	}
}

type unexportedField struct{ value any }

// nestings are ways in which a program may hold a value that it comes to print.
func nestings(s subject) map[string]any {
	v := reflect.ValueOf(s.value)
	pointer := reflect.New(v.Type())
	pointer.Elem().Set(v)
	slice := reflect.Append(reflect.MakeSlice(reflect.SliceOf(v.Type()), 0, 1), v)
	array := reflect.New(reflect.ArrayOf(1, v.Type())).Elem()
	array.Index(0).Set(v)
	values := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), v.Type()))
	values.SetMapIndex(reflect.ValueOf("k"), v)
	exported := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Name", Type: reflect.TypeFor[string]()}, {Name: "Value", Type: v.Type()},
	})).Elem()
	exported.Field(1).Set(v)
	all := map[string]any{
		"itself":                        s.value,
		"a pointer":                     pointer.Interface(),
		"a slice":                       slice.Interface(),
		"an array":                      array.Interface(),
		"a map value":                   values.Interface(),
		"an exported field":             exported.Interface(),
		"an embedded field":             s.embedded,
		"an interface":                  []any{s.value},
		"a pointer in a slice":          []any{pointer.Interface()},
		"an unexported field":           unexportedField{s.value},
		"a pointer to an unexported":    &unexportedField{s.value},
		"an unexported pointer":         unexportedField{pointer.Interface()},
		"an unexported field two deep":  unexportedField{unexportedField{s.value}},
		"an unexported field of a map":  map[string]unexportedField{"k": {s.value}},
		"an unexported slice":           unexportedField{slice.Interface()},
		"a value that logs as a group":  groupValue{s.value},
		"a value that logs as itself":   anyValue{s.value},
		"an error that was made of it":  fmt.Errorf("failed: %v", s.value),
		"an error that tries to wrap":   wrapping(s.value),
		"an error in a field":           struct{ Err error }{fmt.Errorf("failed: %+v", s.value)},
		"a function that returns it":    func() any { return s.value },
		"a channel of it, not received": channelOf(s.value),
	}
	if v.Comparable() {
		all["a map key"] = map[any]string{s.value: "v"}
	}
	return all
}

// wrapping makes an error with a value that %w does not fit.
func wrapping(v any) error {
	format := "failed: %w"
	return fmt.Errorf(format, v)
}

func channelOf(v any) chan any {
	c := make(chan any, 1)
	c <- v
	return c
}

// hiddenForms are what is searched for: 16 characters of a secret, a key or a digest, from every fourth on, as they are
// and as an encoder or a verb may write them.
func hiddenForms() []string {
	var forms []string
	for _, text := range []string{hidden[secretStart:], hiddenKey, hiddenDigest} {
		for at := 0; at+16 <= len(text); at += 4 {
			part := text[at : at+16]
			forms = append(forms, part,
				fmt.Sprintf("%x", part), fmt.Sprintf("%X", part), fmt.Sprintf("% x", part), fmt.Sprintf("% X", part),
				fmt.Sprintf("%# x", part), fmt.Sprintf("%# X", part),
				inner(fmt.Sprint([]byte(part))), inner(fmt.Sprintf("%#v", []byte(part))), inner(fmt.Sprintf("%b", []byte(part))),
				inner(fmt.Sprintf("%o", []byte(part))), inner(fmt.Sprintf("%c", []byte(part))), inner(fmt.Sprintf("%q", []rune(part))),
				inner(fmt.Sprintf("%U", []rune(part))), inner(strings.Join(strings.Fields(fmt.Sprint([]byte(part))), ",")),
			)
			for skip := range 3 { // base64 has three forms, by where the text begins within three bytes
				aligned := base64.StdEncoding.EncodeToString([]byte(part[skip:]))
				forms = append(forms, aligned[:16])
			}
		}
	}
	return forms
}

// inner takes away brackets, and the type before them.
func inner(list string) string {
	return strings.TrimRight(list[strings.LastIndexAny(list, "[{")+1:], "]}")
}

func leaks(forms []string, text string) bool {
	for _, form := range forms {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// asksNoMethod reports the cells in which no method of a type is asked, so that what it holds as bytes is printed as
// bytes: fmt asks none under %p, nor under %w of what is no error, and it can't in an unexported field. A pointer within
// something, under a verb that doesn't fit a pointer, it prints with all that is behind. What testify prints never asks.
// A type of the host's that says how it is logged is safe from slog alone.
func asksNoMethod(nesting, sink string) bool {
	verb := sink[len(sink)-1]
	isVerb := strings.HasPrefix(sink, "%")
	switch {
	case isVerb && (verb == 'p' || verb == 'w'), sink == "Errorf with %w", sink == "errors.Join", sink == "a failed assertion":
		return true
	case strings.Contains(nesting, "logs as"):
		return !strings.HasPrefix(sink, "slog") || sink == "slog text with a map"
	case nesting == "a pointer in a slice":
		return isVerb || sink == "text/template"
	}
	return strings.Contains(nesting, "unexported") || nesting == "an error that tries to wrap"
}

func TestNothingThatHoldsASecretShowsIt(t *testing.T) {
	forms := hiddenForms()
	cells, excepted, shown := 0, 0, 0
	for name, s := range subjects(t) {
		for nesting, holder := range nestings(s) {
			for sink, show := range sinks() {
				cells++
				leaked := leaks(forms, show(holder))
				if s.bytes && asksNoMethod(nesting, sink) {
					excepted++
					if leaked {
						shown++
					}
					continue
				}
				if leaked {
					t.Errorf("%s as %s shows what it holds to %s", name, nesting, sink)
				}
			}
		}
	}
	t.Logf("%d cells, of which %d are exceptions that PepperKey, Digest and Record document, of which %d do show bytes", cells, excepted, shown)
	assert.Greater(t, cells-excepted, 300)
	assert.Positive(t, shown, "an exception that is none any more: take it out, and out of the documentation")
}

func TestTheSearchFindsEveryFormOfASecret(t *testing.T) {
	forms := hiddenForms()
	for _, text := range []string{hidden[secretStart:], hiddenKey, hiddenDigest} {
		for _, format := range []string{"%s", "%x", "%X", "% x", "%# X", "%q", "%d", "%v", "%#v", "%b", "%o", "%c"} {
			assert.True(t, leaks(forms, fmt.Sprintf(format, []byte("-"+text))), "%s of %s", format, text)
		}
		assert.True(t, leaks(forms, base64.StdEncoding.EncodeToString([]byte("-"+text))))
	}
	assert.False(t, leaks(forms, hidden[:secretStart]), "the prefix is public")
}
