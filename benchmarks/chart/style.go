package main

import (
	"bytes"
	"image/color"
	"math"
	"os"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours are those of Okabe and Ito, which people with any kind of colour vision can tell apart.
var (
	grey   = color.RGBA{0x80, 0x80, 0x80, 0xff}
	blue   = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	orange = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
	green  = color.RGBA{0x00, 0x9e, 0x73, 0xff}
	faint  = color.RGBA{0xe4, 0xe4, 0xe4, 0xff}
)

var colours = map[kind]color.RGBA{floor: grey, ours: blue, lookup: orange, selfContained: green}

var legend = []struct {
	kind kind
	text string
}{
	{floor, "the least work that could do it"},
	{ours, "this library"},
	{lookup, "others, with a look-up"},
	{selfContained, "others, without a look-up: not revocable"},
}

const textSize = 10

// chart is a plot with the size it is made for.
type chart struct {
	*plot.Plot
	width, height vg.Length
}

func newChart(title string, width, height vg.Length) *chart {
	p := plot.New()
	sans := font.Font{Typeface: "Liberation", Variant: "Sans"}
	p.BackgroundColor = color.White // opaque, for pages with a dark background
	p.Title.Text = title
	p.Title.TextStyle.Font = font.From(sans, 12)
	p.Title.Padding = 8
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = font.From(sans, textSize)
		axis.Label.Padding = 4
		axis.Tick.Label.Font = font.From(sans, textSize)
	}
	p.Legend.TextStyle.Font = font.From(sans, textSize)
	return &chart{p, width, height}
}

// save writes the chart as SVG.
func (c *chart) save(path string) error {
	const margin = 10
	canvas := vgsvg.New(c.width, c.height)
	area := draw.New(canvas)
	area.SetColor(color.White)
	area.Fill(area.Rectangle.Path())
	c.Draw(draw.Crop(area, margin, -margin, margin, -margin))
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return err
	}
	// For readers without this font, one of the same widths.
	svg := strings.ReplaceAll(text.String(), "font-family:Liberation Sans", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif")
	return os.WriteFile(path, []byte(svg), 0o600)
}

// duration writes nanoseconds with three digits, in the unit that suits them.
func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return digits(ns) + " ns"
	case ns < 1e6:
		return digits(ns/1e3) + " µs"
	}
	return digits(ns/1e6) + " ms"
}

// digits writes three of them, or the whole part if that has more.
func digits(x float64) string {
	switch {
	case x >= 99.95:
		return thousands(strconv.FormatFloat(x, 'f', 0, 64))
	case x >= 9.995:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// thousands puts commas into a whole number.
func thousands(number string) string {
	for i := len(number) - 3; i > 0; i -= 3 {
		number = number[:i] + "," + number[i:]
	}
	return number
}

// The logarithmic axes are linear ones of logarithms, because gonum pads one with a LogScale as if the axis' name were
// written near its end.

// durationTicks are those of an axis of decimal logarithms of nanoseconds.
func durationTicks(lowest, highest float64) (ticks []plot.Tick) {
	for decade := math.Pow10(int(lowest)); math.Log10(decade) <= highest; decade *= 10 {
		ticks = append(ticks, plot.Tick{Value: math.Log10(decade), Label: wholeDuration(decade)})
		for i := 2.0; i < 10 && math.Log10(decade*i) <= highest; i++ {
			ticks = append(ticks, plot.Tick{Value: math.Log10(decade * i)})
		}
	}
	return ticks
}

// wholeDuration is duration without digits behind the point, for powers of ten.
func wholeDuration(ns float64) string {
	switch {
	case ns < 1e3:
		return strconv.FormatFloat(ns, 'f', 0, 64) + " ns"
	case ns < 1e6:
		return strconv.FormatFloat(ns/1e3, 'f', 0, 64) + " µs"
	}
	return strconv.FormatFloat(ns/1e6, 'f', 0, 64) + " ms"
}
