/*
 * Preloaded into a process (LD_PRELOAD), this library writes down what the process does, by the C library, to the files
 * of the folder FILELOG_FOLDER: every operation that succeeded, with its data, in one order, at the end of the file
 * FILELOG_PATH. The process may add notes of its own there. While there is a file FILELOG_BROKEN, nothing can be synced.
 *
 * It knows the calls by which SQLite changes files (the table aSyscall of its os_unix.c). Changes of a shared mapping
 * are not seen: SQLite has one for the -shm file alone, which it never syncs and makes anew after a crash.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* What stands in front of the data of each operation. The reader is in filelog_test.go. */
struct record {
	uint64_t kind, inode, offset, length;
};

enum { OPEN = 1, WRITE, TRUNCATE, SYNC, UNLINK };

/* The function that this library stands in front of. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER; /* of operations and of their records alike */
static char watched[1 << 16];                             /* by descriptor; every open sets it anew */
static const char *folder, *broken;
static int log_file;

__attribute__((constructor)) static void start(void) {
	const char *path = getenv("FILELOG_PATH");
	if (path == NULL || (log_file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0) abort();
	folder = getenv("FILELOG_FOLDER");
	broken = getenv("FILELOG_BROKEN");
}

static void record(uint64_t kind, int fd, uint64_t offset, const void *data, size_t length) {
	struct stat status = {0};
	if (fd >= 0 && fstat(fd, &status) != 0) abort();
	struct record head = {kind, status.st_ino, offset, length};
	struct iovec parts[] = {{&head, sizeof head}, {(void *)data, length}};
	if (writev(log_file, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}

static int in_folder(const char *path) {
	size_t n = folder == NULL ? 0 : strlen(folder);
	return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == 0);
}

static int is_watched(int fd) { return fd >= 0 && (size_t)fd < sizeof watched && watched[fd]; }

static void opened(int fd, const char *path) {
	if (fd < 0) return;
	if ((size_t)fd >= sizeof watched) abort();
	watched[fd] = in_folder(path);
	if (watched[fd]) record(OPEN, fd, 0, path, strlen(path));
}

#define OPENER(name)                                     \
	int name(const char *path, int flags, ...) {         \
		va_list rest;                                    \
		va_start(rest, flags);                           \
		int mode = va_arg(rest, int);                    \
		va_end(rest);                                    \
		pthread_mutex_lock(&order);                      \
		int fd = REAL(name)(path, flags, mode);          \
		opened(fd, path);                                \
		pthread_mutex_unlock(&order);                    \
		return fd;                                       \
	}

#define WRITER(name, offset_type)                                                  \
	ssize_t name(int fd, const void *data, size_t length, offset_type offset) {    \
		pthread_mutex_lock(&order);                                                \
		ssize_t n = REAL(name)(fd, data, length, offset);                          \
		if (n > 0 && is_watched(fd)) record(WRITE, fd, offset, data, n);           \
		pthread_mutex_unlock(&order);                                              \
		return n;                                                                  \
	}

#define TRUNCATER(name, offset_type)                                               \
	int name(int fd, offset_type length) {                                         \
		pthread_mutex_lock(&order);                                                \
		int result = REAL(name)(fd, length);                                       \
		if (result == 0 && is_watched(fd)) record(TRUNCATE, fd, length, NULL, 0);  \
		pthread_mutex_unlock(&order);                                              \
		return result;                                                             \
	}

#define SYNCER(name)                                                               \
	int name(int fd) {                                                             \
		if (is_watched(fd) && broken != NULL && access(broken, F_OK) == 0) {       \
			errno = EIO;                                                           \
			return -1;                                                             \
		}                                                                          \
		pthread_mutex_lock(&order);                                                \
		int result = REAL(name)(fd);                                               \
		if (result == 0 && is_watched(fd)) record(SYNC, fd, 0, NULL, 0);           \
		pthread_mutex_unlock(&order);                                              \
		return result;                                                             \
	}

OPENER(open)
WRITER(pwrite, off_t)
TRUNCATER(ftruncate, off_t)
SYNCER(fsync)
SYNCER(fdatasync)

#ifdef __GLIBC__ /* other C libraries have one size of offsets, and these names as macros if at all */
OPENER(open64)
WRITER(pwrite64, off64_t)
TRUNCATER(ftruncate64, off64_t)
#endif

ssize_t write(int fd, const void *data, size_t length) {
	pthread_mutex_lock(&order);
	ssize_t n = REAL(write)(fd, data, length);
	if (n > 0 && is_watched(fd)) record(WRITE, fd, lseek(fd, 0, SEEK_CUR) - n, data, n);
	pthread_mutex_unlock(&order);
	return n;
}

int unlink(const char *path) {
	pthread_mutex_lock(&order);
	int result = REAL(unlink)(path);
	if (result == 0 && in_folder(path)) record(UNLINK, -1, 0, path, strlen(path));
	pthread_mutex_unlock(&order);
	return result;
}
