package pat

import (
	"slices"
	"strings"
)

// digestIsSeen lists the cells in which the bytes of a digest are seen. A digest is no credential, and stores keep it in
// the clear. It says how it is printed, but can't sit behind a closure like a Secret, because digests are compared. So
// it is seen where a printer asks no method: fmt under %w of what is no error, under %p of what is no pointer, in an
// unexported field, and behind a pointer within something under a verb that fits no pointer; testify in the difference
// that a failed assertion shows. ImportParams is no subject: its digest is a text of the older system's, printed like
// any other.
func digestIsSeen(name, nesting, sink string) bool {
	var all string
	switch name {
	case "Record", "Rotation":
		all = seenOfARecord(nesting)
	case "Digest":
		if all = seenOfARecord(nesting); nesting == "a pointer in a slice" {
			all = "difference" // fmt asks a *Digest there, though not what is within a *Record
		}
	case replacingVerifier:
		all = seenOfAVerifier(nesting)
	}
	return slices.Contains(strings.Fields(all), sinkFamily(sink))
}

func seenOfARecord(nesting string) string {
	return map[string]string{
		"itself":                       "%w %p difference",
		"an array":                     "%w %p difference",
		"an exported field":            "%w %p difference",
		"an embedded field":            "%w %p difference",
		"a pointer":                    "%w difference",
		"a slice":                      "%w difference",
		"a map value":                  "%w difference",
		"a map key":                    "%w difference",
		"an interface":                 "%w difference",
		"a pointer in a slice":         "misfit difference",
		"an unexported pointer":        "misfit difference",
		"an unexported field":          "%w %p misfit fit slog slog-map difference",
		"an unexported field two deep": "%w %p misfit fit slog slog-map difference",
		"an unexported slice":          "%w %p misfit fit slog slog-map difference",
		"an unexported field of a map": "%w misfit fit slog slog-map difference",
		"a pointer to an unexported":   "%w misfit fit slog difference",
		"a value that logs as a group": "%w %p misfit fit slog-map difference",
		"a value that logs as itself":  "%w %p misfit fit slog-map difference",
		"an error that tries to wrap":  "%w misfit fit slog slog-map slog-json difference",
	}[nesting]
}

// seenOfAVerifier is what waits for the store. It is behind one pointer more, to which fmt does not get by most ways.
func seenOfAVerifier(nesting string) string {
	switch nesting {
	case "itself":
		return "misfit difference"
	case "a pointer", "an error that tries to wrap", "an error that was made of it", "an error in a field",
		"a function that returns it", "a channel of it, not received":
		return ""
	}
	return "difference"
}

// sinkFamily groups the sinks that see the same of a digest. Any other sink is alone.
func sinkFamily(sink string) string {
	verb, isVerb := rune(sink[len(sink)-1]), strings.HasPrefix(sink, "%")
	switch {
	case isVerb && verb == 'w', sink == "Errorf with %w", sink == "errors.Join":
		return "%w"
	case isVerb && verb == 'p':
		return "%p"
	case isVerb && strings.ContainsRune("!EFGOUcefgqstz", verb), sink == "text/template": // it has a %q
		return "misfit"
	case isVerb && strings.ContainsRune("Xbdovx", verb):
		return "fit"
	}
	switch sink {
	case "Sprint", "Sprintln", "Errorf with %v", "package log", "html/template", "a recovered panic", "another type found":
		return "fit"
	case "slog text with an attribute", "slog text with Any", "slog text with a group", "slog text with With":
		return "slog"
	case "slog text with a map":
		return "slog-map"
	case "slog json with an attribute", "slog json with Any", "slog json with a group", "slog json with With":
		return "slog-json"
	case "a failed assertion":
		return "difference"
	}
	return sink
}
