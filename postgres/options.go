package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/patkit/pat"
)

// Option changes how [New] and [Migrate] work.
type Option func(*options)

type options struct {
	schema      string
	onlyCheck   bool
	pooler      bool
	readPool    *pgxpool.Pool
	feed        *pgx.ConnConfig
	nilArgument string
}

const (
	defaultSchema = "pat"
	// maxSchemaLength leaves room for the feed's channel, whose name begins with that of the schema: PostgreSQL's
	// names have up to 63 bytes.
	maxSchemaLength = 40
)

// WithSchema sets the schema of the library's tables. The default is "pat". A name has 1 to 40 characters: lower-case
// ASCII letters, digits and underscores, no digit first, and it does not begin with "pg_", which is PostgreSQL's own.
// Stores with different schemas in one database have nothing to do with each other.
func WithSchema(name string) Option {
	return func(o *options) { o.schema = name }
}

// WithoutMigration makes [New] only check the schema, and fail with [ErrOldSchema] where it would have changed it. With
// [Migrate] it means nothing.
func WithoutMigration() Option {
	return func(o *options) { o.onlyCheck = true }
}

// WithTransactionPooler is needed where a pooler such as PgBouncer stands before the database and lends a connection of
// the server for a transaction at a time. Statements are then not prepared under a name, which the next connection would
// not know; the server plans them at each call. [Store.Watch] needs a way around the pooler: see [WithFeedConfig].
func WithTransactionPooler() Option {
	return func(o *options) { o.pooler = true }
}

// WithInsecureReplicaReads sends FindByPrefix, FindByID and List to a replica. It gives up the guarantee that a revoked
// token is refused: while the replica lags, without any bound, tokens that were revoked, rotated or taken from their
// owner go on being verified, and new ones are unknown. A replica that is cut off lags for ever.
//
// It MUST NOT be used where a revocation has to be felt, and MUST NOT be combined with package cache, whose promise it
// would break: [Store.StaleReads] then reports true, and [Store.Watch] fails.
func WithInsecureReplicaReads(replica *pgxpool.Pool) Option {
	return func(o *options) {
		o.readPool = replica
		if replica == nil {
			o.nilArgument = "WithInsecureReplicaReads"
		}
	}
}

// WithFeedConfig sets how [Store.Watch] connects. The default is as the pool does, with its BeforeConnect hook. It has
// to lead to the server itself, or to a pooler that lends a connection for a whole session, because a LISTEN belongs to
// its session. The config is copied.
func WithFeedConfig(config *pgx.ConnConfig) Option {
	if config == nil {
		return func(o *options) { o.nilArgument = "WithFeedConfig" }
	}
	config = config.Copy()
	return func(o *options) { o.feed = config }
}

func resolve(pool *pgxpool.Pool, opts []Option) (options, error) {
	o := options{schema: defaultSchema}
	for _, opt := range opts {
		opt(&o)
	}
	switch {
	case pool == nil:
		return o, &pat.ArgumentError{Argument: "pool", Rule: "must not be nil"}
	case o.nilArgument != "":
		return o, &pat.ArgumentError{Argument: o.nilArgument, Rule: "must not be given nil"}
	case !isSchemaName(o.schema):
		return o, &pat.ArgumentError{Argument: "WithSchema", Rule: "must be given 1 to 40 of a-z, 0-9 and _, no digit first, and no pg_ in front"}
	}
	return o, nil
}

func isSchemaName(name string) bool {
	const first, further = "abcdefghijklmnopqrstuvwxyz_", "abcdefghijklmnopqrstuvwxyz_0123456789"
	return name != "" && len(name) <= maxSchemaLength && strings.Trim(name[:1], first) == "" && strings.Trim(name, further) == "" &&
		!strings.HasPrefix(name, "pg_")
}
