package cache_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/patkit/pat/storetest"
)

// What is read while a change is being made may be what was before it. So nothing is forgotten too early.
func TestAChangeIsSeenAlthoughATokenWasReadWhileItWasMade(t *testing.T) {
	for _, ch := range changes() {
		if ch.elsewhere || ch.fails {
			continue
		}
		for when, slow := range map[string]bool{"and kept": false, "and not returned": true} {
			t.Run(ch.name+", read "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := ch.set(t)
					met := c.db.Inject(1, storetest.Block())
					made := make(chan error)
					go func() { made <- ch.make(c) }()
					<-met
					var held *stop
					if slow {
						held = c.db.stopNext(true)
					}
					look := ask(t.Context(), c.cache, c.rec.Token.Prefix)
					synctest.Wait()
					c.db.Heal() // and the change goes on
					require.NoError(t, <-made)
					if slow {
						close(held.goOn)
					}
					c.seen(t, <-look, "whatever was read meanwhile")
				})
			})
		}
	}
}
