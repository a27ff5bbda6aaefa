package postgres_test

import (
	"context"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
	"github.com/patkit/pat/postgres"
)

func Example() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	store, err := postgres.New(ctx, pool)
	if err != nil {
		log.Fatal(err)
	}
	issuer, err := pat.NewIssuer(store, pat.Config{GroupLimit: 50})
	if err != nil {
		log.Fatal(err)
	}
	issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "ann", GroupID: "team", Name: "deploy"})
	if err != nil {
		log.Fatal(err)
	}
	log.Println("to be shown once:", issued.Value.Reveal())
}

// The migration is run by a role that may change the schema, and the service by one that may not.
func ExampleMigrate() {
	ctx := context.Background()
	owner, err := pgxpool.New(ctx, os.Getenv("OWNER_DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer owner.Close()
	if err := postgres.Migrate(ctx, owner); err != nil {
		log.Fatal(err)
	}
}

func ExampleNew_withoutMigration() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	if _, err := postgres.New(ctx, pool, postgres.WithoutMigration()); err != nil {
		log.Fatal(err) // matches postgres.ErrOldSchema until Migrate was run
	}
}
