package benchmarks

import "testing"

// BenchmarkVerify measures what stands before every request: a value comes in, and its owner has to come out.
func BenchmarkVerify(b *testing.B) {
	for _, peer := range []func(*testing.B){
		verifyFloor,
		verifyPATMemory,
		verifyPATCache,
		verifyPATSQLite,
		verifyPATPostgres,
		verifyFosite,
		verifySCSMemory,
		verifySCSSQLite,
		verifyHandwritten,
		verifyJWT,
		verifySecureCookie,
		verifyPBKDF2,
		verifyArgon2id,
		verifyBcrypt,
	} {
		peer(b)
	}
}
