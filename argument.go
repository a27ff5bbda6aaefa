package pat

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	maxNameLength      = 255 // characters
	maxOwnerLength     = 255 // bytes
	maxLookupKeyLength = 128 // bytes
)

// checkOwnerAndName checks what Create and Import have in common, and returns the trimmed name. params is the name
// of the struct that holds the arguments.
func checkOwnerAndName(params, userID, groupID, name string) (string, error) {
	if !isOwnerID(userID) {
		return "", invalid(params+".UserID", ownerIDRule)
	}
	if !isOwnerID(groupID) {
		return "", invalid(params+".GroupID", ownerIDRule)
	}
	name = strings.TrimSpace(name)
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxNameLength ||
		strings.ContainsFunc(name, deceives) || !strings.ContainsFunc(name, isVisible) {
		return "", invalid(params+".Name",
			"must be 1 to 255 characters of valid UTF-8, not all of them invisible, "+
				"without control, line-separating or bidirectional-override characters")
	}
	return name, nil
}

// checkOwner checks an owner whose tokens are asked for: at least one of the two ids is given.
func checkOwner(argument string, owner Owner) error {
	if owner == (Owner{}) {
		return invalid(argument, "must have a UserID or a GroupID")
	}
	if owner.UserID != "" && !isOwnerID(owner.UserID) {
		return invalid(argument+".UserID", ownerIDRule)
	}
	if owner.GroupID != "" && !isOwnerID(owner.GroupID) {
		return invalid(argument+".GroupID", ownerIDRule)
	}
	return nil
}

const ownerIDRule = "must be 1 to 255 bytes of valid UTF-8 without control characters"

func isOwnerID(s string) bool {
	return s != "" && len(s) <= maxOwnerLength && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// deceives reports whether a character makes a name look like another one, or like several lines of a log. The
// overrides and isolates are those of Unicode's Bidirectional Algorithm (UAX #9) that "Trojan Source" (CVE-2021-42574)
// used; the plain direction marks, which Arabic and Hebrew names need, are allowed.
func deceives(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
		'\u202A' <= r && r <= '\u202E' || '\u2066' <= r && r <= '\u2069'
}

// isVisible reports whether a character shows by itself, as zero-width ones and spaces do not.
func isVisible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// isLookupKey reports whether the look-up key of an imported token is printable ASCII of bearable length.
func isLookupKey(s string) bool {
	if s == "" || len(s) > maxLookupKeyLength {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// parseID returns the canonical form of a UUID. Upper case is taken (RFC 9562, section 4); braces, the urn: form and a
// form without hyphens are not.
func parseID(id string) (string, error) {
	const canonicalLength = 36
	parsed, err := uuid.Parse(id)
	if err != nil || len(id) != canonicalLength {
		return "", invalid("id", "must be a UUID")
	}
	return parsed.String(), nil
}

// inField puts the name of a field in the place of the argument that an ArgumentError speaks of.
func inField(field string, err error) error {
	if a, ok := errors.AsType[*ArgumentError](err); ok {
		return invalid(field, a.Rule)
	}
	return err
}
