package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// measurement is what was measured of one thing, several times.
type measurement struct {
	benchmark string // "Verify", "Create", "HTTP" or "Step"
	peer      string // or the step
	store     string // or the route
	tokens    int
	callers   string
	figures   map[string][]float64 // by unit, sorted
}

type results []*measurement

// read reads the output of go test -bench.
func read(files []string) (all results, err error) {
	byName := make(map[string]*measurement)
	reader := benchfmt.Files{Paths: files}
	for reader.Scan() {
		result, ok := reader.Result().(*benchfmt.Result)
		if !ok {
			continue // a line that is no result
		}
		name := string(result.Name)
		m := byName[name]
		if m == nil {
			if m, err = parse(result.Name); err != nil {
				return nil, err
			}
			byName[name] = m
			all = append(all, m)
		}
		for _, v := range result.Values {
			value, unit := v.Value, v.Unit
			if v.OrigUnit != "" {
				value, unit = v.OrigValue, v.OrigUnit
			}
			m.figures[unit] = append(m.figures[unit], value)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("there are no results")
	}
	for _, m := range all {
		for _, figures := range m.figures {
			slices.Sort(figures)
		}
	}
	return all, nil
}

// parse takes a name like Verify/peer=pat/store=memory/tokens=1000/callers=one-2 apart.
func parse(name benchfmt.Name) (*measurement, error) {
	base, parts := name.Parts()
	m := &measurement{benchmark: string(base), figures: make(map[string][]float64)}
	for _, part := range parts {
		key, value, ok := strings.Cut(strings.TrimPrefix(string(part), "/"), "=")
		if !ok {
			continue // the number of cores
		}
		switch key {
		case "peer":
			m.peer = value
		case "store", "route":
			m.store = value
		case "step":
			m.peer = value
		case "callers":
			m.callers = value
		case "tokens":
			var err error
			if m.tokens, err = strconv.Atoi(value); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return m, nil
}

// of returns the figures of this unit: their median, the lowest and the highest.
func (m *measurement) of(unit string) (median, lowest, highest float64) {
	figures := m.figures[unit]
	if len(figures) == 0 {
		return 0, 0, 0
	}
	middle := len(figures) / 2
	median = figures[middle]
	if len(figures)%2 == 0 {
		median = (figures[middle-1] + median) / 2
	}
	return median, figures[0], figures[len(figures)-1]
}

func (m *measurement) median(unit string) float64 {
	median, _, _ := m.of(unit)
	return median
}

// pick returns the measurements of a benchmark with these callers; an empty string means any.
func (r results) pick(benchmark, callers string) (picked results) {
	for _, m := range r {
		if m.benchmark == benchmark && (callers == "" || m.callers == callers) {
			picked = append(picked, m)
		}
	}
	return picked
}

// by returns the measurements of one peer over one store.
func (r results) by(peer, store string) (picked results) {
	for _, m := range r {
		if m.peer == peer && m.store == store {
			picked = append(picked, m)
		}
	}
	return picked
}

// representative returns the measurement that stands for a peer in a comparison: with 100,000 tokens, or as many as it
// has where there is no such.
func (r results) representative() *measurement {
	if len(r) == 0 {
		return nil
	}
	for _, m := range r {
		if m.tokens == 100_000 {
			return m
		}
	}
	return slices.MaxFunc(r, func(x, y *measurement) int { return x.tokens - y.tokens })
}
