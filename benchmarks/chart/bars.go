package main

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bar is a subject with what it took, and how many tokens there were.
type bar struct {
	subject
	ns     float64
	tokens int
}

// drawVerify draws what a verification costs each subject, the cheapest on top.
func drawVerify(r results) (*chart, error) {
	one := r.pick("Verify", "one")
	var bars []bar
	for _, s := range subjects {
		if m := one.by(s.peer, s.store).representative(); m != nil {
			bars = append(bars, bar{s, m.median("ns/op"), m.tokens})
		}
	}
	if len(bars) == 0 {
		return nil, errors.New("nothing to draw")
	}
	slices.SortFunc(bars, func(x, y bar) int { return cmp.Compare(y.ns, x.ns) })

	c := newChart("One verification, one caller"+held(bars), 9*vg.Inch, 6.4*vg.Inch)
	c.X.Label.Text = "time per verification (logarithmic scale)"
	c.X.Min = math.Floor(math.Log10(bars[len(bars)-1].ns))
	c.X.Max = math.Log10(bars[0].ns) + 0.7 // room for the figure
	c.X.Tick.Marker = plot.ConstantTicks(durationTicks(c.X.Min, c.X.Max))
	labels := make([]string, len(bars))
	for i, bar := range bars {
		labels[i] = bar.label
	}
	c.NominalY(labels...)
	c.Y.Min, c.Y.Max = -0.6, float64(len(bars))-0.4
	c.Add(&barPlot{bars: bars, style: c.X.Tick.Label})
	for _, entry := range legend {
		c.Legend.Add(entry.text, swatch{colours[entry.kind]})
	}
	c.Legend.Top, c.Legend.Left = true, true
	c.Legend.XOffs = 3.3 * vg.Inch
	c.Legend.Padding = 3
	c.Y.Padding = 10
	return c, nil
}

// held says how many tokens the stores held, of the subjects that were measured at several sizes.
func held(bars []bar) string {
	var sizes []int
	for _, bar := range bars {
		if bar.grows {
			sizes = append(sizes, bar.tokens)
		}
	}
	if len(sizes) == 0 {
		return ""
	}
	fewest, most := thousands(fmt.Sprint(slices.Min(sizes))), thousands(fmt.Sprint(slices.Max(sizes)))
	if fewest != most {
		most = fewest + " to " + most
	}
	return ", " + most + " tokens where there is a store"
}

// barPlot draws horizontal bars from the lower end of the axis, because a logarithmic scale has no zero.
type barPlot struct {
	bars  []bar
	style draw.TextStyle
}

// Plot implements [plot.Plotter].
func (b *barPlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, tick := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if tick.Label != "" {
			c.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.7}, x(tick.Value), c.Min.Y, x(tick.Value), c.Max.Y)
		}
	}
	label := b.style
	label.XAlign, label.YAlign = draw.XLeft, draw.YCenter
	for i, bar := range b.bars {
		middle, half, end := y(float64(i)), (y(1)-y(0))*0.36, x(math.Log10(bar.ns))
		c.FillPolygon(colours[bar.kind], []vg.Point{
			{X: c.Min.X, Y: middle - half},
			{X: end, Y: middle - half},
			{X: end, Y: middle + half},
			{X: c.Min.X, Y: middle + half},
		})
		c.FillText(label, vg.Point{X: end + 4, Y: middle}, duration(bar.ns))
	}
}

// swatch is the picture of a colour in a legend.
type swatch struct{ colour color.Color }

// Thumbnail implements [plot.Thumbnailer].
func (s swatch) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(s.colour, []vg.Point{
		{X: c.Min.X, Y: c.Min.Y},
		{X: c.Max.X, Y: c.Min.Y},
		{X: c.Max.X, Y: c.Max.Y},
		{X: c.Min.X, Y: c.Max.Y},
	})
}
