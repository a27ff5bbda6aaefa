package sqlite_test

import (
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
)

// disk is a model of what a folder's files are on the disk while a process works on them: what was synced is there
// for certain; of everything since then, a power cut leaves any part.
type disk struct {
	folder  string
	inode   uint64 // the folder's own
	names   map[string]*diskFile
	inodes  map[uint64]*diskFile
	synced  map[string]*diskFile
	entries []diskEntry // changes of the folder that are not synced
}

type diskFile struct {
	synced  []byte
	changes []diskChange
}

// diskEntry gives a name to a file, or takes it away if there is no file.
type diskEntry struct {
	name string
	file *diskFile
}

// diskChange is a write, or a truncation to the offset if there is no data.
type diskChange struct {
	offset int
	data   []byte
}

// sectorSize is what a disk writes as a whole or not at all. SQLite assumes no more of it than that a write that fails
// leaves the bytes beside it alone (https://www.sqlite.org/psow.html).
const sectorSize = 512

// newDisk returns a disk with the files of a folder, all of them synced.
func newDisk(folder string, files map[string][]byte) *disk {
	d := &disk{folder: folder, names: make(map[string]*diskFile), inodes: make(map[uint64]*diskFile)}
	for name, content := range files {
		d.names[name] = &diskFile{synced: slices.Clone(content)}
	}
	d.synced = maps.Clone(d.names)
	return d
}

// do does an operation of the log.
func (d *disk) do(op operation) {
	file := d.inodes[op.Inode]
	name, _ := filepath.Rel(d.folder, string(op.data))
	switch op.Kind {
	case opOpen:
		if name == "." {
			d.inode = op.Inode
			return
		}
		if d.names[name] == nil {
			d.name(name, new(diskFile))
		}
		d.inodes[op.Inode] = d.names[name]
	case opUnlink:
		d.name(name, nil)
	case opWrite:
		file.changes = append(file.changes, diskChange{int(op.Offset), op.data})
	case opTruncate:
		file.changes = append(file.changes, diskChange{int(op.Offset), nil})
	case opSync:
		if op.Inode == d.inode {
			d.synced, d.entries = maps.Clone(d.names), nil
			return
		}
		for _, change := range file.changes {
			file.synced = change.apply(file.synced)
		}
		file.changes = nil
	case opNote:
	}
}

func (d *disk) name(name string, file *diskFile) {
	d.entries = append(d.entries, diskEntry{name, file})
	if d.names[name] = file; file == nil {
		delete(d.names, name)
	}
}

// unsynced returns the names of what would not survive a power cut for certain, or "." for the folder. The -shm file
// need not survive: SQLite makes it anew.
func (d *disk) unsynced() (names []string) {
	for _, entry := range d.entries {
		if !isShm(entry.name) {
			names = append(names, ".")
		}
	}
	for name, file := range d.names {
		if len(file.changes) > 0 && !isShm(name) {
			names = append(names, name)
		}
	}
	return names
}

func isShm(name string) bool { return strings.HasSuffix(name, "-shm") }

// apply makes the change to the content, in place if it has room.
func (c diskChange) apply(content []byte) []byte {
	if c.data == nil {
		return resize(content, c.offset)
	}
	content = resize(content, max(len(content), c.offset+len(c.data)))
	copy(content[c.offset:], c.data)
	return content
}

func resize(content []byte, size int) []byte {
	if size <= len(content) {
		return content[:size]
	}
	return append(content, make([]byte, size-len(content))...)
}

// cut returns the files that a power cut may leave. Each name, each truncation and each sector of a write that are not
// synced are there with the given probability; the -shm file is anything at all.
func (d *disk) cut(survival float64) map[string][]byte {
	survives := func() bool { return rand.Float64() < survival }
	names := maps.Clone(d.synced)
	lost := make(map[string]bool) // a later change of a name does not survive an earlier one
	for _, entry := range d.entries {
		if lost[entry.name] = lost[entry.name] || !survives(); !lost[entry.name] {
			names[entry.name] = entry.file
		}
	}
	files := make(map[string][]byte)
	for name, file := range names {
		switch {
		case file == nil:
		case isShm(name):
			if survives() {
				files[name] = garbage(rand.N(100_000))
			}
		default:
			files[name] = file.cut(survives)
		}
	}
	return files
}

func (f *diskFile) cut(survives func() bool) []byte {
	content := slices.Clone(f.synced)
	for _, change := range f.changes {
		if change.data == nil {
			if survives() {
				content = change.apply(content)
			}
			continue
		}
		// The file may have grown and yet not have what was written there, but what was on the disk before.
		if end := change.offset + len(change.data); end > len(content) && survives() {
			content = resize(content, max(len(content), change.offset))
			content = append(content, garbage(end-len(content))...)
		}
		for at := change.offset; at < change.offset+len(change.data); {
			next := min((at/sectorSize+1)*sectorSize, change.offset+len(change.data))
			if survives() {
				content = diskChange{at, change.data[at-change.offset : next-change.offset]}.apply(content)
			}
			at = next
		}
	}
	return content
}

func garbage(size int) []byte {
	bytes := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(rand.N(256))}).Read(bytes)
	return bytes
}
