package pat

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret holds what must not be seen: a token value on its way from [Issuer.Create] to its owner, or the key of a
// [PepperKey]. It prints, logs and encodes as "[redacted]"; only [Secret.Reveal] gives what it holds. The zero Secret
// holds the empty string. It can't be changed, and is safe for concurrent use.
//
// The text sits behind a closure, so that printers which walk unexported fields by reflection (fmt on a nested
// struct, spew in a failed test) find a function pointer and no text. For the same reason two Secrets can't be
// compared with ==.
type Secret struct{ reveal func() string }

// NewSecret returns a Secret that holds a copy of text, such as a pepper key from a vault or from the environment. The
// bytes count as they are: decode a key that comes as base64 or hexadecimal first. It never fails, and is safe for
// concurrent use.
func NewSecret[T string | []byte](text T) Secret {
	held := string(text) // not text itself, whose owner may wipe or reuse its bytes
	return Secret{reveal: func() string { return held }}
}

// Reveal returns what the Secret holds. Hand a token value to its owner, once, and keep it nowhere.
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
