#define _GNU_SOURCE
#include "hlcall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct host_call {
  const char *name;
  uint64_t name_len;
  const uint8_t *args;
  uint64_t args_len;
  uint8_t *out;
  uint64_t out_cap;
  uint64_t out_len;
};

#define MAX_LENGTH _IOR('H', 1, uint64_t)
#define HOST_CALL _IOWR('H', 3, struct host_call)

static int device = -1;
static size_t capacity;
static uint8_t *call;
static uint8_t *reply;

int hlcall_open(void) {
  uint64_t length = 0;
  device = open("/dev/hlcall", O_RDWR | O_CLOEXEC);
  if (device < 0 || ioctl(device, MAX_LENGTH, &length) < 0) return -1;
  capacity = (size_t)length;
  call = malloc(capacity);
  reply = malloc(capacity);
  return call && reply ? 0 : -1;
}

/* A size-prefixed flat buffer. Every step is checked against its end, as the whole of it comes from outside. */
struct flat {
  const uint8_t *bytes;
  size_t length;
  int bad;
};

static uint32_t number(struct flat *flat, size_t at, size_t width) {
  if (flat->bad || at > flat->length || width > flat->length - at) {
    flat->bad = 1;
    return 0;
  }
  uint32_t value = 0;
  for (size_t i = 0; i < width; i++) value |= (uint32_t)flat->bytes[at + i] << (8 * i);
  return value;
}

static size_t follow(struct flat *flat, size_t at) { return at + number(flat, at, 4); }

/* Where field `index` of a table begins; bad when the table has none. */
static size_t field(struct flat *flat, size_t table, unsigned index) {
  int64_t entries = (int64_t)table - (int32_t)number(flat, table, 4);
  if (entries < 0) flat->bad = 1;
  size_t slot = 4 + 2 * (size_t)index;
  if (flat->bad || number(flat, (size_t)entries, 2) < slot + 2) flat->bad = 1;
  uint32_t offset = number(flat, (size_t)entries + slot, 2);
  if (offset == 0) flat->bad = 1;
  return table + offset;
}

static struct span string(struct flat *flat, size_t at) {
  uint32_t length = number(flat, at, 4);
  if (flat->bad || length > flat->length - at - 4) {
    flat->bad = 1;
    return (struct span){0};
  }
  return (struct span){(const char *)flat->bytes + at + 4, length};
}

enum { CALL_NAME, CALL_PARAMETERS };
enum { PARAMETER_TYPE, PARAMETER_VALUE };
enum { TYPE_STRING = 7 };

static struct span parameter(struct flat *flat, size_t call_table, uint32_t index) {
  size_t list = follow(flat, field(flat, call_table, CALL_PARAMETERS));
  if (number(flat, list, 4) <= index) flat->bad = 1;
  size_t table = follow(flat, list + 4 + 4 * (size_t)index);
  if (number(flat, field(flat, table, PARAMETER_TYPE), 1) != TYPE_STRING) flat->bad = 1;
  size_t value = follow(flat, field(flat, table, PARAMETER_VALUE));
  return string(flat, follow(flat, field(flat, value, 0)));
}

static int is(struct span span, const char *text) {
  return span.length == strlen(text) && memcmp(span.bytes, text, span.length) == 0;
}

int hlcall_next(const char *function, struct span *input) {
  ssize_t length;
  do length = read(device, call, capacity);
  while (length < 0 && errno == EINTR);
  if (length < 0) _exit(1);
  struct flat flat = {call, (size_t)length, 0};
  size_t table = follow(&flat, 4);
  struct span name = string(&flat, follow(&flat, field(&flat, table, CALL_NAME)));
  struct span called = parameter(&flat, table, 0);
  *input = parameter(&flat, table, 1);
  if (!flat.bad && is(name, "Call") && is(called, function)) return 0;
  int32_t refused = -1;
  (void)!write(device, &refused, sizeof refused);
  return -1;
}

int hlcall_result(const void *bytes, size_t length) {
  uint8_t message[64] = {0}; /* status 0, then the result */
  if (length > sizeof message - 4) return -1;
  memcpy(message + 4, bytes, length);
  return write(device, message, 4 + length) < 0 ? -1 : 0;
}

int hlcall_host(const char *name, const char *text, size_t length, struct span *answer) {
  struct host_call asked = {
      .name = name, .name_len = strlen(name), .args = (const uint8_t *)text, .args_len = length,
      .out = reply, .out_cap = capacity};
  if (ioctl(device, HOST_CALL, &asked) < 0) return -1;
  if (asked.out_len < 1) {
    errno = EPROTO;
    return -1;
  }
  *answer = (struct span){(const char *)reply + 1, (size_t)asked.out_len - 1};
  return reply[0] == 0 ? 0 : 1;
}
