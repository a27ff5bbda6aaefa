package main

import (
	"fmt"
	"slices"
)

// kind is how a subject is coloured.
type kind int

const (
	floor kind = iota
	ours
	lookup
	selfContained
)

// subject is a peer over a store, as the charts and tables name it.
type subject struct {
	peer, store string
	label       string
	kind        kind
	grows       bool // is shown against the number of tokens
}

// subjects are in the order of the tables.
var subjects = []subject{
	{"floor", "map", "floor: Go map", floor, true},
	{"pat", "memory", "pat: memory", ours, true},
	{"pat", "cache", "pat: cache", ours, true},
	{"pat", "sqlite", "pat: SQLite", ours, true},
	{"pat-writes-every-use-in-batches", "sqlite", "pat: SQLite, every use, in batches", ours, false},
	{"pat", "postgres", "pat: PostgreSQL, no cache", ours, true},
	{"fosite", "memory", "fosite: memory", lookup, true},
	{"scs", "memory", "scs: memory", lookup, true},
	{"scs", "sqlite", "scs: SQLite", lookup, true},
	{"handwritten-select-only", "sqlite", "by hand: SQLite, SELECT alone", lookup, true},
	{"handwritten-records-every-use-normal", "sqlite", "by hand: SQLite, every use, NORMAL", lookup, false},
	{"handwritten-records-every-use-full", "sqlite", "by hand: SQLite, every use, FULL", lookup, false},
	{"golang-jwt-HS256", "none", "JWT HS256", selfContained, false},
	{"golang-jwt-EdDSA", "none", "JWT EdDSA", selfContained, false},
	{"golang-jwt-RS256", "none", "JWT RS256, 2048 bits", selfContained, false},
	{"securecookie", "none", "securecookie", selfContained, false},
	{"pbkdf2-10000", "map", "PBKDF2, 10,000 rounds: Go map", lookup, false},
	{"argon2id", "map", "Argon2id: Go map", lookup, false},
	{"bcrypt-10", "map", "bcrypt, cost 10: Go map", lookup, false},
}

// creators are the subjects of the chart of creates.
var creators = []subject{
	{"pat", "sqlite", "pat: SQLite", ours, true},
	{"handwritten", "sqlite", "by hand: SQLite, a transaction each", lookup, true},
	{"pat", "postgres", "pat: PostgreSQL", ours, true},
}

// check returns an error for a peer that was measured and has no line above, and so would be left out.
func check(r results) error {
	for benchmark, known := range map[string][]subject{"Verify": subjects, "Create": creators} {
		for _, m := range r.pick(benchmark, "") {
			if !slices.ContainsFunc(known, func(s subject) bool { return s.peer == m.peer && s.store == m.store }) {
				return fmt.Errorf("%s: the peer %s over %s has no line in subjects.go", benchmark, m.peer, m.store)
			}
		}
	}
	return nil
}
