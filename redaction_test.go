package pat

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
)

// subject is a value of a type that holds something hidden.
type subject struct {
	value    any
	embedded any // in a struct, without a field name
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
	issuer, err := NewIssuer(&oneRecord{}, cfg)
	require.NoError(t, err)
	issuer.hashers.digest(hidden) // fills its pool
	verifier, replacing := usedVerifier(t, cfg), usedVerifier(t, cfg)
	replacing.behind.digests["0QJG9EqYRifx"] = digestSwap{old: digest, next: digest}
	return map[string]subject{
		"Secret":          {secret, struct{ Secret }{secret}},
		"Issued":          {issued, struct{ Issued }{issued}},
		"PepperKey":       {key, struct{ PepperKey }{key}},
		"Config":          {cfg, struct{ Config }{cfg}},
		"Issuer":          {issuer, struct{ *Issuer }{issuer}},
		"Verifier":        {verifier, struct{ *Verifier }{verifier}},
		"Digest":          {digest, struct{ Digest }{digest}},
		"Record":          {rec, struct{ Record }{rec}},
		"Rotation":        {rotation, struct{ Rotation }{rotation}},
		replacingVerifier: {replacing, struct{ *Verifier }{replacing}},
	}
}

// replacingVerifier is the name of the Verifier that holds a digest.
const replacingVerifier = "Verifier with a digest to replace"

// usedVerifier has had a value in its hands, and its pool is filled.
func usedVerifier(t *testing.T, cfg Config) *Verifier {
	t.Helper()
	v, err := NewVerifier(&oneRecord{}, cfg)
	require.NoError(t, err)
	_, err = v.Verify(t.Context(), hidden)
	require.ErrorIs(t, err, ErrUnknown)
	return v
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

func TestNothingThatHoldsASecretShowsIt(t *testing.T) {
	secrets, digests := searchFor(credentials(t)...), searchFor(hiddenDigest)
	cells, seen := 0, 0
	for name, s := range subjects(t) {
		for nesting, holder := range nestings(s) {
			for sink, show := range sinks() {
				printed := show(holder)
				if secrets.finds(printed) {
					t.Errorf("%s as %s shows a secret to %s", name, nesting, sink)
				}
				if got, want := digests.finds(printed), digestIsSeen(name, nesting, sink); got != want {
					t.Errorf("%s as %s shows a digest to %s: %t, and not %t", name, nesting, sink, got, want)
				} else if got {
					seen++
				}
				cells++
			}
		}
	}
	t.Logf("%d cells: no part of a value or a key in any, and a digest in the %d that are listed", cells, seen)
}
