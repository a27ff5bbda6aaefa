package bench

import "runtime"

// Heap returns how many bytes of the heap are in use, after what can be freed was.
func Heap() int64 {
	runtime.GC()
	runtime.GC() // frees what the first moved out of sync.Pools
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
