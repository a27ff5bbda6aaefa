// Command chart draws the charts of docs/performance.md, and writes its tables, from the raw output of the benchmarks:
//
//	go run ./chart -doc ../docs/performance.md results/2026-11-24.txt
//
// The charts go into the folder beside the document that has its name without ".md". The tables replace what stands in
// the document between "<!-- table NAME -->" and "<!-- end -->".
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	doc := flag.String("doc", "../docs/performance.md", "the document")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: go run ./chart [-doc FILE.md] RESULTS…")
		os.Exit(2)
	}
	if err := run(*doc, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func run(doc string, files []string) error {
	measured, err := read(files)
	if err != nil {
		return err
	}
	if err := check(measured); err != nil {
		return err
	}
	folder := strings.TrimSuffix(doc, filepath.Ext(doc))
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	for name, draw := range map[string]func(results) (*chart, error){
		"verify":  drawVerify,
		"tokens":  drawTokens,
		"creates": drawCreates,
	} {
		drawn, err := draw(measured)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := drawn.save(filepath.Join(folder, name+".svg")); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return rewrite(doc, map[string]string{
		"verify":  verifyTable(measured),
		"tokens":  tokensTable(measured),
		"creates": createsTable(measured),
		"http":    httpTable(measured),
		"steps":   stepsTable(measured),
	})
}
