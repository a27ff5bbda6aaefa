// Package benchmarks measures a verification by this library beside the least work that could do it, and beside what
// people use instead. It is a module of its own, so that none of the peers enters the library's go.mod, and it uses
// nothing of the library but what is exported, and the tables of SQLite and PostgreSQL, to fill them quickly.
//
// Every peer has a file, whose comment says what it does less or more than this library. One command makes the raw
// output, in the form that benchstat reads, and another one the charts of docs/performance.md:
//
//	go test -run '^$' -bench . -benchmem -benchtime 0.1s -count 5 -timeout 1h . | tee results/DATE.txt
//	go run ./chart -doc ../docs/performance.md results/DATE.txt
//
// The flag -tokens says how many tokens the stores hold, such as -tokens 1000,1000000. A store with a million takes up
// to 41 seconds to fill, and the run to 1,000,000 in docs/performance.md eight minutes. Each store is filled outside what
// -count repeats. With PAT_TEST_POSTGRES in the environment, PostgreSQL is measured too: ../scripts/postgres starts a
// server and runs a command beside it.
package benchmarks
