package pat

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"expvar"
	"fmt"
	htmltemplate "html/template"
	"io"
	"log"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
)

// sinks are the ways in which a value becomes text. An encoder that refuses a value counts with its error's text.
func sinks() map[string]func(any) string {
	all := map[string]func(any) string{
		"Sprint":             func(v any) string { return fmt.Sprint(v) },
		"Sprintln":           func(v any) string { return fmt.Sprintln("x", v) },
		"Errorf with %v":     func(v any) string { return fmt.Errorf("failed: %v", v).Error() },
		"Errorf with %w":     func(v any) string { return wrapping(v).Error() },
		"errors.Join":        func(v any) string { return errors.Join(fmt.Errorf("%+v", v), wrapping(v)).Error() },
		"package log":        printed(func(w io.Writer, v any) { log.New(w, "", 0).Printf("%+v %v", v, v) }),
		"encoding/json":      encoded(json.Marshal),
		"indented JSON":      encoded(func(v any) ([]byte, error) { return json.MarshalIndent(map[string]any{"k": v}, "", " ") }),
		"encoding/xml":       encoded(xml.Marshal),
		"encoding/gob":       printed(func(w io.Writer, v any) { say(w, gob.NewEncoder(w).Encode(v)) }),
		"text/template":      templated("{{.}} {{printf `%v %+v %#v %q` . . . .}} {{print .}}"),
		"html/template":      htmlTemplated("<a title='{{.}}'>{{.}}</a><script>x = {{.}}</script>"),
		"expvar":             func(v any) string { return expvar.Func(func() any { return v }).String() },
		"a recovered panic":  func(v any) string { return fmt.Sprint(recovered(v)) },
		"a failed assertion": failedAssertion,
		"another type found": func(v any) string { return assertedEqual(errors.New("something else"), v) },
	}
	for _, verb := range "vsqxXdbocOUeEfFgGtTpw!z" {
		for _, flags := range []string{"", "+", "#", "# ", "-20", "+060.400"} {
			format := "%" + flags + string(verb)
			all[format] = func(v any) string { return fmt.Sprintf(format, v) }
		}
	}
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		for way, log := range map[string]func(*slog.Logger, any){
			"an attribute": func(l *slog.Logger, v any) { l.Info("m", "k", v) },
			"Any":          func(l *slog.Logger, v any) { l.LogAttrs(context.Background(), slog.LevelInfo, "m", slog.Any("k", v)) },
			"a group":      func(l *slog.Logger, v any) { l.Info("m", slog.Group("g", "k", v)) },
			"With":         func(l *slog.Logger, v any) { l.With("k", v).WithGroup("g").Info("m", "k", v) },
			"a map":        func(l *slog.Logger, v any) { l.Info("m", "k", map[string]any{"v": v}) },
		} {
			all["slog "+name+" with "+way] = printed(func(w io.Writer, v any) { log(slog.New(handler(w)), v) })
		}
	}
	return all
}

func printed(write func(io.Writer, any)) func(any) string {
	return func(v any) string {
		var text bytes.Buffer
		write(&text, v)
		return text.String()
	}
}

// encoded counts a panic of the encoder like its error: encoding/xml has one for some types without a name.
func encoded(marshal func(any) ([]byte, error)) func(any) string {
	return func(v any) (text string) {
		defer func() {
			if p := recover(); p != nil {
				text = fmt.Sprint(p)
			}
		}()
		document, err := marshal(v)
		return fmt.Sprintf("%s %v", document, err)
	}
}

func templated(text string) func(any) string {
	return printed(func(w io.Writer, v any) { say(w, template.Must(template.New("").Parse(text)).Execute(w, v)) })
}

func htmlTemplated(text string) func(any) string {
	return printed(func(w io.Writer, v any) { say(w, htmltemplate.Must(htmltemplate.New("").Parse(text)).Execute(w, v)) })
}

func say(w io.Writer, err error) { _, _ = fmt.Fprintln(w, err) }

func recovered(v any) (p any) {
	defer func() { p = recover() }()
	panic(v)
}

// failedAssertion is what testify prints of a value where one of the same type was expected: a difference between the
// two, for which it walks pointers and unexported fields by reflection, and asks no method.
func failedAssertion(v any) string {
	return assertedEqual(reflect.Zero(reflect.TypeOf(v)).Interface(), v)
}

func assertedEqual(expected, v any) string {
	var recorder assertionRecorder
	assert.Equal(&recorder, expected, v)
	return recorder.text
}

type assertionRecorder struct{ text string }

func (r *assertionRecorder) Errorf(format string, args ...any) {
	r.text += fmt.Sprintf(format, args...)
}

// groupValue and anyValue are a host's own types that say how they are logged.
type (
	groupValue struct{ v any }
	anyValue   struct{ v any }
)

func (g groupValue) LogValue() slog.Value { return slog.GroupValue(slog.Any("v", g.v)) }
func (a anyValue) LogValue() slog.Value   { return slog.AnyValue(a.v) }

// panicVariable names the subject with which a process of this test ends in a panic, and how it is nested.
const panicVariable = "PAT_TEST_PANIC"

// The runtime prints the value of a panic that nobody recovers, by rules of its own: it asks Error and String, and prints
// what has neither as an address.
func TestAPanicThatEndsTheProcessShowsNothing(t *testing.T) {
	if asked := os.Getenv(panicVariable); asked != "" {
		name, nesting, _ := strings.Cut(asked, "/")
		panic(nestings(subjects(t)[name])[nesting])
	}
	hiddenTexts := searchFor(append(credentials(t), hiddenDigest)...)
	for _, name := range []string{"Secret", "Issued", "PepperKey", "Digest", "Config"} {
		for _, nesting := range []string{"itself", "a pointer", "a slice", "an error that was made of it"} {
			t.Run(name+" as "+nesting, func(t *testing.T) {
				self, err := os.Executable()
				assert.NoError(t, err)
				cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestAPanicThatEndsTheProcessShowsNothing$")
				cmd.Env = append(os.Environ(), panicVariable+"="+name+"/"+nesting)
				output, err := cmd.CombinedOutput()
				assert.Error(t, err)
				assert.Contains(t, string(output), "panic: ")
				assert.False(t, hiddenTexts.finds(string(output)))
			})
		}
	}
}
