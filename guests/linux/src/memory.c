/* Stands before libc's allocator for every library of the process. The kernel has no limit of its own that fails an
   allocation: the machine would just end. */
#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

#define HEADER 16 /* what libc itself needs for a piece */
#define MAPPED_MOST 8192

static _Atomic uint64_t used;
static _Atomic uint64_t limit = UINT64_MAX;
static _Atomic int refused;

void memory_limit(uint64_t bytes) { limit = bytes; }
int memory_take_refused(void) { return atomic_exchange(&refused, 0); }
uint64_t memory_used(void) { return used; }

static int take(size_t bytes) {
  uint64_t now = atomic_fetch_add(&used, bytes) + bytes;
  if (now <= limit && now >= bytes) return 1;
  atomic_fetch_sub(&used, bytes);
  refused = 1;
  errno = ENOMEM;
  return 0;
}

static void settle(size_t asked, void *piece) {
  if (piece) atomic_fetch_add(&used, malloc_usable_size(piece) + HEADER);
  atomic_fetch_sub(&used, asked);
}

static size_t padded(size_t bytes) { return bytes > SIZE_MAX - HEADER ? SIZE_MAX : bytes + HEADER; }

void *malloc(size_t bytes) {
  if (!take(padded(bytes))) return NULL;
  void *piece = __libc_malloc(bytes);
  settle(padded(bytes), piece);
  return piece;
}

void *calloc(size_t count, size_t each) {
  size_t bytes;
  if (__builtin_mul_overflow(count, each, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  if (!take(padded(bytes))) return NULL;
  void *piece = __libc_calloc(count, each);
  settle(padded(bytes), piece);
  return piece;
}

void *realloc(void *old, size_t bytes) {
  size_t before = old ? malloc_usable_size(old) + HEADER : 0;
  size_t more = padded(bytes) > before ? padded(bytes) - before : 0;
  if (!take(more)) return NULL;
  void *piece = __libc_realloc(old, bytes);
  if (piece || bytes == 0) atomic_fetch_sub(&used, before);
  settle(more, piece);
  return piece;
}

static void *aligned(size_t alignment, size_t bytes) {
  size_t most = padded(bytes);
  if (most < SIZE_MAX - alignment) most += alignment;
  if (!take(most)) return NULL;
  void *piece = __libc_memalign(alignment, bytes);
  settle(most, piece);
  return piece;
}

void *memalign(size_t alignment, size_t bytes) { return aligned(alignment, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return aligned(alignment, bytes); }
void *valloc(size_t bytes) { return aligned(4096, bytes); }

int posix_memalign(void **out, size_t alignment, size_t bytes) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
  void *piece = aligned(alignment, bytes);
  if (!piece) return ENOMEM;
  *out = piece;
  return 0;
}

void free(void *piece) {
  if (!piece) return;
  atomic_fetch_sub(&used, malloc_usable_size(piece) + HEADER);
  __libc_free(piece);
}

/* Anonymous mappings: the interpreter's arenas, and what libraries map for themselves. */
static struct {
  void *at;
  size_t bytes;
} mapped[MAPPED_MOST];
static atomic_flag mapping = ATOMIC_FLAG_INIT;

static void lock(void) {
  while (atomic_flag_test_and_set(&mapping)) syscall(SYS_sched_yield);
}

static int note(void *at, size_t bytes) {
  lock();
  size_t i = 0;
  while (i < MAPPED_MOST && mapped[i].at) i++;
  if (i < MAPPED_MOST) {
    mapped[i].at = at;
    mapped[i].bytes = bytes;
  }
  atomic_flag_clear(&mapping);
  return i < MAPPED_MOST;
}

void *mmap(void *at, size_t bytes, int protection, int flags, int file, off_t offset) {
  int counted = (flags & MAP_ANONYMOUS) && !(flags & MAP_FIXED) && protection != PROT_NONE;
  if (counted && !take(bytes)) return MAP_FAILED;
  void *got = (void *)syscall(SYS_mmap, at, bytes, protection, flags, file, offset);
  if (counted && (got == MAP_FAILED || !note(got, bytes))) atomic_fetch_sub(&used, bytes);
  return got;
}

void *mmap64(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap")));

int munmap(void *at, size_t bytes) {
  lock();
  for (size_t i = 0; i < MAPPED_MOST; i++) {
    if (mapped[i].at != at) continue;
    size_t freed = bytes < mapped[i].bytes ? bytes : mapped[i].bytes;
    atomic_fetch_sub(&used, freed);
    mapped[i].at = freed == mapped[i].bytes ? NULL : (char *)at + freed;
    mapped[i].bytes -= freed;
    break;
  }
  atomic_flag_clear(&mapping);
  return (int)syscall(SYS_munmap, at, bytes);
}
