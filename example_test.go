package pat_test

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"regexp"
	"strings"
	"time"

	"github.com/patkit/pat"
	"github.com/patkit/pat/memory"
)

// Create a token, hand its value to its owner, and verify what a client presents.
func Example() {
	ctx := context.Background()
	store := memory.New() // or sqlite.Open("pat.db")
	cfg := pat.Config{Scopes: pat.PublicFullScopes()}
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer verifier.Close(ctx)

	issued, err := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "laptop"})
	if err != nil {
		log.Fatal(err)
	}
	value := issued.Value.Reveal() // show it to alice, once
	fmt.Println("logs show", issued.Value)

	tok, err := verifier.Verify(ctx, value)
	fmt.Println(tok.UserID, tok.Scopes, err)

	_, err = verifier.Verify(ctx, value[:54])
	fmt.Println(errors.Is(err, pat.ErrInvalidToken), err)
	// Output:
	// logs show [redacted]
	// alice public_scope <nil>
	// true pat: invalid token: malformed
}

// exampleHouse is what the examples below work on.
func exampleHouse(cfg pat.Config) (*pat.Issuer, *pat.Verifier) {
	store := memory.New()
	issuer, err := pat.NewIssuer(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := pat.NewVerifier(store, cfg)
	if err != nil {
		log.Fatal(err)
	}
	return issuer, verifier
}

// A Config that contradicts itself fails at once, with the name of the field.
func ExampleNewIssuer() {
	_, err := pat.NewIssuer(memory.New(), pat.Config{
		Lifetime: pat.LifetimePolicy{Default: 48 * time.Hour, Max: 24 * time.Hour},
	})
	fmt.Println(err)
	// Output: pat: Config.Lifetime.Default must not be above Config.Lifetime.Max
}

// The owner's state is the host's to know. It is asked on every verification.
func ExampleNewVerifier() {
	ctx := context.Background()
	issuer, verifier := exampleHouse(pat.Config{
		OwnerActive: func(ctx context.Context, userID, groupID string) (bool, error) {
			return userID != "mallory", nil // a query of the host's user table
		},
	})
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "mallory", GroupID: "1", Name: "laptop"})
	_, err := verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println(errors.Is(err, pat.ErrOwnerInactive))
	// Output: true
}

func ExampleIssuer_Create() {
	ctx := context.Background()
	issuer, _ := exampleHouse(pat.Config{GroupLimit: 1})
	params := pat.CreateParams{
		UserID:   "alice", // of the host's session, never of the request's body
		GroupID:  "1",
		Name:     "CI",
		Scopes:   []string{"repo:read"},
		Lifetime: 60 * 24 * time.Hour,
	}
	issued, err := issuer.Create(ctx, params)
	fmt.Println(issued.Token.Name, issued.Token.ExpiresAt.Sub(issued.Token.CreatedAt), err)

	_, err = issuer.Create(ctx, params)
	fmt.Println(errors.Is(err, pat.ErrLimitReached))

	params.Name = "CI\u202Egpj.exe"
	_, err = issuer.Create(ctx, params)
	var argument *pat.ArgumentError
	if errors.As(err, &argument) {
		fmt.Println(argument.Argument)
	}
	// Output:
	// CI 1440h0m0s <nil>
	// true
	// CreateParams.Name
}

func ExampleIssuer_List() {
	ctx := context.Background()
	issuer, _ := exampleHouse(pat.Config{})
	for _, name := range []string{"first", "second", "third"} {
		_, _ = issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: name})
	}
	params := pat.ListParams{GroupID: "1", Limit: 2}
	for {
		page, err := issuer.List(ctx, params)
		if err != nil {
			log.Fatal(err)
		}
		for _, tok := range page.Tokens {
			fmt.Println(tok.Name)
		}
		if page.NextCursor == "" {
			break
		}
		params.Cursor = page.NextCursor
	}
	// Output:
	// third
	// second
	// first
}

// With a grace period both tokens work for a while, so that an answer that gets lost locks nobody out.
func ExampleIssuer_Rotate() {
	ctx := context.Background()
	issuer, verifier := exampleHouse(pat.Config{})
	old, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "CI"})
	next, err := issuer.Rotate(ctx, old.Token.ID, pat.RotateParams{Grace: time.Hour})
	if err != nil {
		log.Fatal(err)
	}
	for _, issued := range []pat.Issued{old, next} {
		tok, err := verifier.Verify(ctx, issued.Value.Reveal())
		fmt.Println(tok.Name, err)
	}
	_, err = issuer.Rotate(ctx, old.Token.ID, pat.RotateParams{})
	fmt.Println(errors.Is(err, pat.ErrRotated))
	// Output:
	// CI <nil>
	// CI <nil>
	// true
}

func ExampleIssuer_Get() {
	ctx := context.Background()
	issuer, _ := exampleHouse(pat.Config{})
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "CI"})
	tok, err := issuer.Get(ctx, issued.Token.ID)
	fmt.Println(tok.Name, err)
	_, err = issuer.Get(ctx, "01890a5d-ac96-774b-bcce-b302099a8057")
	fmt.Println(errors.Is(err, pat.ErrNotFound))
	// Output:
	// CI <nil>
	// true
}

func ExampleIssuer_Revoke() {
	ctx := context.Background()
	issuer, verifier := exampleHouse(pat.Config{})
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "lost laptop"})
	if _, err := issuer.Revoke(ctx, issued.Token.ID); err != nil {
		log.Fatal(err)
	}
	_, err := verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println(errors.Is(err, pat.ErrRevoked))
	// Output: true
}

// When a user leaves, everything that is theirs ends at once.
func ExampleIssuer_RevokeAll() {
	ctx := context.Background()
	issuer, _ := exampleHouse(pat.Config{})
	for _, group := range []string{"1", "2", "3"} {
		_, _ = issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: group, Name: "CI"})
	}
	n, err := issuer.RevokeAll(ctx, pat.Owner{UserID: "alice"})
	fmt.Println(n, err)
	// Output: 3 <nil>
}

// Run once a day, this keeps a year of ended tokens for the audit.
func ExampleIssuer_Purge() {
	issuer, _ := exampleHouse(pat.Config{})
	n, err := issuer.Purge(context.Background(), time.Now().AddDate(-1, 0, 0))
	fmt.Println(n, err)
	// Output: 0 <nil>
}

// Tokens of the form old_<id>_<secret>, of which the older system stored a bcrypt hash, keep working.
func ExampleIssuer_Import() {
	ctx := context.Background()
	issuer, verifier := exampleHouse(pat.Config{Imported: pat.Imported{
		LookupKey: func(value string) (string, bool) {
			id, _, found := strings.Cut(strings.TrimPrefix(value, "old_"), "_")
			return "old_" + id, found && strings.HasPrefix(value, "old_")
		},
		Hashers: []pat.Hasher{pat.Bcrypt()},
	}})
	_, err := issuer.Import(ctx, pat.ImportParams{
		LookupKey: "old_17",
		Algorithm: "bcrypt",
		Digest:    "$2a$04$N5/hoCl98C5GRSjCfrIag.Y.ZVAneP3DPWugC.xvAvA2FHLD1/fXC",
		UserID:    "alice", GroupID: "1", Name: "from before",
		CreatedAt: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC),
		ExpiresAt: time.Date(2125, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	tok, err := verifier.Verify(ctx, "old_17_5f4dcc3b5aa765d61d8327deb882cf99")
	fmt.Println(tok.Name, err)
	// Output: from before <nil>
}

// sha256Hex is what it takes to import tokens of which hexadecimal SHA-256 was stored.
type sha256Hex struct{}

func (sha256Hex) Algorithm() string { return "sha256-hex" }

func (sha256Hex) Check(encoded string) error {
	if raw, err := hex.DecodeString(encoded); err != nil || len(raw) != sha256.Size {
		return errors.New("not a hexadecimal SHA-256")
	}
	return nil
}

func (sha256Hex) Match(encoded, value string) (bool, error) {
	stored, err := hex.DecodeString(encoded)
	if err != nil {
		return false, err
	}
	sum := sha256.Sum256([]byte(value))
	return subtle.ConstantTimeCompare(stored, sum[:]) == 1, nil
}

// A host can bring the algorithm of its older system.
func ExampleHasher() {
	var hasher pat.Hasher = sha256Hex{}
	sum := sha256.Sum256([]byte("an old value"))
	match, err := hasher.Match(hex.EncodeToString(sum[:]), "an old value")
	fmt.Println(match, err)
	// Output: true <nil>
}

func ExampleVerifier_Verify() {
	issuer, verifier := exampleHouse(pat.Config{})
	ctx := context.Background()
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "CI"})

	_, err := verifier.Verify(ctx, issued.Value.Reveal()+" ")
	switch {
	case err == nil:
		fmt.Println("200")
	case errors.Is(err, pat.ErrInvalidToken):
		fmt.Println("401")
	default:
		fmt.Println("500") // the store is down: never 401
	}
	// Output: 401
}

func ExampleVerifier_RequireScope() {
	ctx := context.Background()
	issuer, verifier := exampleHouse(pat.Config{Scopes: pat.ScopePolicy{
		Implies: map[string][]string{"admin": {"write"}, "write": {"read"}, "read": nil},
		Default: "read",
	}})
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "CI", Scopes: []string{"read", "write"}})
	tok, _ := verifier.Verify(ctx, issued.Value.Reveal())
	fmt.Println(verifier.EffectiveScope(tok))
	fmt.Println(verifier.RequireScope(tok, "read"))
	fmt.Println(verifier.RequireScope(tok, "admin"))
	// Output:
	// write
	// <nil>
	// pat: insufficient scope: missing admin
}

// Last-used times are written in the background. Close writes the rest.
func ExampleVerifier_Close() {
	ctx := context.Background()
	issuer, verifier := exampleHouse(pat.Config{})
	issued, _ := issuer.Create(ctx, pat.CreateParams{UserID: "alice", GroupID: "1", Name: "CI"})
	_, _ = verifier.Verify(ctx, issued.Value.Reveal())
	err := verifier.Close(ctx)
	tok, _ := issuer.Get(ctx, issued.Token.ID)
	fmt.Println(tok.LastUsedAt.IsZero(), err)
	// Output: false <nil>
}

func ExampleSecret() {
	issuer, _ := exampleHouse(pat.Config{})
	issued, _ := issuer.Create(context.Background(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "CI"})
	fmt.Printf("%v %+v %q\n", issued.Value, issued.Value, issued.Value)
	fmt.Println(len(issued.Value.Reveal()))
	// Output:
	// [redacted] [redacted] [redacted]
	// 55
}

// A pepper key comes as bytes or as a string, and can't be seen in what is printed of a Config afterwards.
func ExampleNewSecret() {
	fromVault := []byte("0123456789abcdef0123456789abcdef") // or os.Getenv("PAT_PEPPER"); 32 random bytes, not these
	cfg := pat.Config{PepperKeys: []pat.PepperKey{{ID: "2026-01", Key: pat.NewSecret(fromVault)}}}
	clear(fromVault)
	fmt.Println(cfg.PepperKeys)
	_, err := pat.NewVerifier(memory.New(), cfg)
	fmt.Println(err)
	// Output:
	// [{2026-01 [redacted]}]
	// <nil>
}

// The pattern finds token values in text, as a secret scanner or a log filter does.
func ExampleValuePattern() {
	pattern := regexp.MustCompile(pat.ValuePattern)
	line := "Authorization: Bearer pat_0QJG9EqYRifx-uSysxGgWNcmcp8J9AbhOqlMxpOXHIj2Q0ZHUxl"
	fmt.Println(pattern.ReplaceAllString(line, "[token]"))
	// Output: Authorization: Bearer [token]
}

func ExampleNewScopes() {
	scopes, err := pat.NewScopes("repo:read", "repo:write", "repo:read")
	fmt.Println(scopes, err)
	_, err = pat.NewScopes("two words")
	fmt.Println(err)
	// Output:
	// repo:read repo:write <nil>
	// pat: scopes must be RFC 6749 scope-tokens of at most 128 bytes
}

func ExampleParseScopes() {
	scopes, err := pat.ParseScopes("repo:read repo:write")
	fmt.Println(scopes.Slice(), scopes.Contains("repo:write"), err)
	// Output: [repo:read repo:write] true <nil>
}

func ExamplePublicFullScopes() {
	policy := pat.PublicFullScopes()
	fmt.Println(policy.Default, policy.Implies[pat.ScopeFull])
	// Output: public_scope [public_scope]
}

func ExampleParseDigest() {
	sum := sha256.Sum256([]byte("a value"))
	digest, err := pat.ParseDigest("sha256$$" + string(sum[:]))
	fmt.Println(digest, digest.Algorithm(), err)
	// Output: digest(sha256) sha256 <nil>
}

// A host whose clients present a session or a token in the same header can tell which one it is.
func ExampleVerifier_Recognizes() {
	issuer, verifier := exampleHouse(pat.Config{})
	issued, _ := issuer.Create(context.Background(), pat.CreateParams{UserID: "alice", GroupID: "1", Name: "CI"})
	fmt.Println(verifier.Recognizes(issued.Value.Reveal()), verifier.Recognizes("a session"))
	// Output: true false
}
