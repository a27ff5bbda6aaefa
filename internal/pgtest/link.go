package pgtest

import (
	"net"
	"sync"
	"time"
)

// link is a connection through a [Proxy]: one from the client, and one to the server.
type link struct {
	state  func() (delay time.Duration, pass <-chan struct{}) // the Proxy's
	closed <-chan struct{}
	cancel func() // closes it

	mu    sync.Mutex
	conns []net.Conn
}

// add has a connection closed with the link, or at once if the link is closed.
func (l *link) add(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conn)
	if l.isClosed() {
		_ = conn.Close()
	}
}

// close closes the connections. That one is closed already is no error.
func (l *link) close() { l.end(func(conn net.Conn) { _ = conn.Close() }) }

// reset is close, but throws away what was written and has not been read.
func (l *link) reset() {
	l.end(func(conn net.Conn) {
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	})
}

func (l *link) end(each func(net.Conn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancel()
	for _, conn := range l.conns {
		each(conn)
	}
}

func (l *link) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// carryBoth returns when both directions have ended.
func (l *link) carryBoth(client, server net.Conn) {
	var directions sync.WaitGroup
	directions.Go(func() { l.carry(server, client) })
	directions.Go(func() { l.carry(client, server) })
	directions.Wait()
}

// parcel is what was read at once, and when it may be passed on.
type parcel struct {
	data []byte
	due  time.Time
}

// carry carries one direction, to its end. Reading does not wait for writing, so that a delay takes no throughput.
func (l *link) carry(to, from net.Conn) {
	queue := make(chan parcel, 1024)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(queue)
		l.read(queue, from)
	})
	for p := range queue {
		if !l.wait(p.due) {
			break
		}
		if _, err := to.Write(p.data); err != nil {
			l.close()
			break
		}
	}
	reader.Wait()
	_ = to.(*net.TCPConn).CloseWrite()
}

// read reads until the end, or until the link is closed.
func (l *link) read(queue chan<- parcel, from net.Conn) {
	for l.wait(time.Now()) {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		delay, _ := l.state()
		select {
		case queue <- parcel{data[:n], time.Now().Add(delay)}:
		case <-l.closed:
			return
		}
		if err != nil {
			return
		}
	}
}

// wait returns true when the time has come and data may pass, or false when the link is closed.
func (l *link) wait(due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.closed:
		return false
	}
	_, pass := l.state()
	select {
	case <-pass:
		return true
	case <-l.closed:
		return false
	}
}
