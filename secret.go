package pat

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret holds a token value on its way from [Issuer.Create] to its owner. It prints, logs and encodes as
// "[redacted]"; only [Secret.Reveal] gives the value. The zero Secret holds the empty string.
//
// The value sits behind a closure, so that printers which walk unexported fields by reflection (fmt on a nested
// struct, spew in a failed test) find a function pointer and no text. For the same reason two Secrets can't be
// compared with ==.
type Secret struct{ reveal func() string }

func newSecret(value string) Secret { return Secret{reveal: func() string { return value }} }

// Reveal returns the value. Hand it to its owner, once, and keep it nowhere.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// String returns "[redacted]".
func (s Secret) String() string { return redacted }

// Format prints "[redacted]" under every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]". It serves encoding/json and most other encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalBinary returns "[redacted]". It serves encoding/gob.
func (s Secret) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }
