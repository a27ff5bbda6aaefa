package pat

import (
	"context"
	"errors"
	"fmt"
)

// maxTries is how often a write with an unknown outcome is tried.
const maxTries = 3

// insist repeats an Insert, a Rotate or a Revoke whose outcome is unknown, which is how to find out, see [Store]. If that
// were left to the host, a token might be there with a value that nobody has, or end without an event.
func insist(ctx context.Context, write func() error) error {
	err := write()
	if !errors.Is(err, ErrOutcomeUnknown) {
		return err
	}
	for try := 1; try < maxTries && ctx.Err() == nil; try++ {
		switch again := write(); {
		case isAnswer(again):
			return again
		case errors.Is(again, ErrCorrupt): // of the token, or of the database: then it says nothing of the first try
			return fmt.Errorf("%w: %w", err, again)
		}
	}
	// A later try that failed in another way says nothing of the first one.
	return err
}

// isAnswer reports whether a store that returns this was able to look.
func isAnswer(err error) bool {
	for _, answer := range []error{ErrNotFound, ErrExists, ErrLimitReached, ErrRevoked, ErrExpired, ErrRotated} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return err == nil
}
