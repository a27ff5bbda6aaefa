package main

import (
	"cmp"
	"errors"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// point is a median with its spread.
type point struct{ x, y, lowest, highest float64 }

// line is what was measured of a subject, from left to right.
type line struct {
	subject
	points []point
}

// drawTokens draws the cost of a verification against the number of tokens held.
func drawTokens(r results) (*chart, error) {
	one := r.pick("Verify", "one")
	var lines []line
	for _, s := range subjects {
		if s.grows {
			lines = append(lines, lineOf(s, one, "ns/op", math.Log10, func(m *measurement) float64 { return float64(m.tokens) }))
		}
	}
	c := newChart("One verification, one caller", 9*vg.Inch, 5.6*vg.Inch)
	c.X.Label.Text = "tokens held (logarithmic scale)"
	c.Y.Label.Text = "time per verification (logarithmic scale)"
	if err := c.addLines(lines); err != nil {
		return nil, err
	}
	c.Y.Min, c.Y.Max = math.Floor(c.Y.Min), math.Ceil(c.Y.Max)
	c.Y.Tick.Marker = plot.ConstantTicks(durationTicks(c.Y.Min, c.Y.Max))
	return c, nil
}

// drawCreates draws how many tokens per second can be created against how many do it at once.
func drawCreates(r results) (*chart, error) {
	created := r.pick("Create", "")
	var lines []line
	for _, s := range creators {
		lines = append(lines, lineOf(s, created, "creates/s", asItIs, func(m *measurement) float64 {
			callers, _ := strconv.ParseFloat(m.callers, 64)
			return callers
		}))
	}
	c := newChart("Creates per second, each on disk before it is answered", 9*vg.Inch, 4.6*vg.Inch)
	c.X.Label.Text = "callers at once (logarithmic scale)"
	c.Y.Label.Text = "creates per second"
	if err := c.addLines(lines); err != nil {
		return nil, err
	}
	step := math.Pow10(int(math.Log10(c.Y.Max)))
	if c.Y.Max < 3*step {
		step /= 2
	}
	c.Y.Min, c.Y.Max = 0, math.Ceil(c.Y.Max/step)*step
	var ticks []plot.Tick
	for y := 0.0; y <= c.Y.Max; y += step {
		ticks = append(ticks, plot.Tick{Value: y, Label: thousands(strconv.FormatFloat(y, 'f', 0, 64))})
	}
	c.Y.Tick.Marker = plot.ConstantTicks(ticks)
	return c, nil
}

func asItIs(x float64) float64 { return x }

// lineOf makes the line of a subject: x says where a measurement stands, and scale turns its figures into heights.
func lineOf(s subject, from results, unit string, scale func(float64) float64, x func(*measurement) float64) line {
	l := line{subject: s}
	for _, m := range from.by(s.peer, s.store) {
		median, lowest, highest := m.of(unit)
		l.points = append(l.points, point{x(m), scale(median), scale(lowest), scale(highest)})
	}
	slices.SortFunc(l.points, func(p, q point) int { return cmp.Compare(p.x, q.x) })
	return l
}

// addLines adds the lines that have points, their names at their ends, and axes that have room for all of it.
func (c *chart) addLines(lines []line) error {
	lines = slices.DeleteFunc(lines, func(l line) bool { return len(l.points) == 0 })
	if len(lines) == 0 {
		return errors.New("nothing to draw")
	}
	c.X.Min, c.X.Max, c.Y.Min, c.Y.Max = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	var ticks []plot.Tick
	for _, l := range lines {
		for _, p := range l.points {
			c.X.Min, c.X.Max = min(c.X.Min, math.Log10(p.x)), max(c.X.Max, math.Log10(p.x))
			c.Y.Min, c.Y.Max = min(c.Y.Min, p.lowest), max(c.Y.Max, p.highest)
			if tick := (plot.Tick{Value: math.Log10(p.x), Label: thousands(strconv.FormatFloat(p.x, 'f', 0, 64))}); !slices.Contains(ticks, tick) {
				ticks = append(ticks, tick)
			}
		}
	}
	c.X.Tick.Marker = plot.ConstantTicks(ticks)
	width := c.X.Max - c.X.Min
	c.X.Min -= 0.03 * width
	c.X.Max += 0.5 * width // for the names
	c.Add(&linePlot{lines: lines, style: c.X.Tick.Label})
	return nil
}

// linePlot draws lines with the spread of each point, and names them where they end.
type linePlot struct {
	lines []line
	style draw.TextStyle
}

// Plot implements [plot.Plotter].
func (l *linePlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, tick := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if tick.Label != "" {
			c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.7}, c.Min.X, y(tick.Value), c.Max.X, y(tick.Value))
		}
	}
	names := make([]endName, 0, len(l.lines))
	for _, line := range l.lines {
		colour := colours[line.kind]
		stroke := draw.LineStyle{Color: colour, Width: 2}
		path := make([]vg.Point, len(line.points))
		for i, p := range line.points {
			path[i] = vg.Point{X: x(math.Log10(p.x)), Y: y(p.y)}
			c.StrokeLine2(draw.LineStyle{Color: colour, Width: 1}, path[i].X, y(p.lowest), path[i].X, y(p.highest))
			c.DrawGlyph(draw.GlyphStyle{Color: colour, Radius: 3, Shape: draw.CircleGlyph{}}, path[i])
		}
		c.StrokeLines(stroke, path)
		last := line.points[len(line.points)-1]
		names = append(names, endName{line.label, colour, path[len(path)-1], y(last.y)})
	}
	l.drawNames(c, names)
}

// endName is the name of a line, beside its last point, or higher or lower where another name is in the way.
type endName struct {
	text   string
	colour color.Color
	end    vg.Point
	y      vg.Length
}

func (l *linePlot) drawNames(c draw.Canvas, names []endName) {
	const apart, gap = textSize + 3, 14
	slices.SortFunc(names, func(x, y endName) int { return cmp.Compare(x.y, y.y) })
	// Push up what is too close to the one below, and then the whole pile down by half of what its top has moved.
	for from := 0; from < len(names); {
		to := from + 1
		for to < len(names) && names[to].y < names[to-1].y+apart {
			names[to].y = names[to-1].y + apart
			to++
		}
		down := (names[to-1].y - names[to-1].end.Y) / 2
		for i := from; i < to; i++ {
			names[i].y -= down
		}
		from = to
	}
	style := l.style
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	for _, name := range names {
		at := vg.Point{X: name.end.X + gap, Y: name.y}
		c.StrokeLine2(draw.LineStyle{Color: name.colour, Width: 0.7}, name.end.X+4, name.end.Y, at.X-2, at.Y)
		c.FillText(style, at, name.text)
	}
}
