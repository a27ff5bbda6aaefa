package pgtest

import (
	"context"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a test and a server, and is the network that a test wants: slow, cut, or silent. Its methods may
// be called by several goroutines at once.
type Proxy struct {
	target  *url.URL
	address string
	running sync.WaitGroup

	mu    sync.Mutex
	delay time.Duration
	pass  chan struct{} // closed while data may pass
	cut   bool
	links map[*link]struct{}
}

// NewProxy starts a Proxy in front of the target, an address such as [URL] returns, until the end of the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		target:  parsed,
		address: listener.Addr().String(),
		pass:    make(chan struct{}),
		links:   make(map[*link]struct{}),
	}
	close(p.pass)
	p.running.Go(func() { p.accept(listener) })
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Addr returns the host and port on which the Proxy listens.
func (p *Proxy) Addr() string { return p.address }

// URL returns the target's address with the Proxy in the place of the host and port.
func (p *Proxy) URL() string {
	through := *p.target
	through.Host = p.address
	return through.String()
}

// SetDelay lets all data that comes from now on wait so long before it is passed on, in each direction. The amount that
// passes in a time stays the same, as with a server that is far away. A connection itself is made without delay.
func (p *Proxy) SetDelay(delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = delay
}

// Cut resets all connections, and closes new ones as soon as they are made.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for l := range p.links {
		l.reset()
	}
}

// Blackhole stops all data, as a router does that drops every packet: connections stay open, new ones are made, and
// nobody is told. Data that is under way then waits until [Proxy.Heal].
func (p *Proxy) Blackhole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.passes() {
		p.pass = make(chan struct{})
	}
}

// Heal ends what Cut or Blackhole has begun.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	if !p.passes() {
		close(p.pass)
	}
}

// passes needs the mutex.
func (p *Proxy) passes() bool {
	select {
	case <-p.pass:
		return true
	default:
		return false
	}
}

// accept serves connections until the listener is closed.
func (p *Proxy) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{state: p.state, closed: ctx.Done(), cancel: cancel}
	l.add(client)
	defer l.close()
	if !p.register(l) {
		return
	}
	defer p.forget(l)
	if !l.wait(time.Now()) {
		return
	}
	server, err := new(net.Dialer).DialContext(ctx, "tcp", p.target.Host)
	if err != nil {
		return
	}
	l.add(server)
	l.carryBoth(client, server)
}

// register makes a link known to Cut, unless it comes too late for that.
func (p *Proxy) register(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cut {
		p.links[l] = struct{}{}
	}
	return !p.cut
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// state returns the delay, and what is closed as soon as data may pass.
func (p *Proxy) state() (delay time.Duration, pass <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay, p.pass
}
