#include "request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct request request;

/* A call carries text only. Back to bytes: a character above 0x7f is two bytes of UTF-8. */
static int narrow(struct span text, uint8_t *into, size_t *length) {
  size_t n = 0;
  for (size_t i = 0; i < text.length; i++) {
    uint8_t byte = (uint8_t)text.bytes[i];
    if (byte >= 0x80) {
      if ((byte & 0xfc) != 0xc0 || ++i == text.length) return -1;
      byte = (uint8_t)(byte << 6 | ((uint8_t)text.bytes[i] & 0x3f));
    }
    into[n++] = byte;
  }
  *length = n;
  return 0;
}

/* A request too large for a call lies in a file of the host's. */
static uint8_t *fetch(size_t *length) {
  int file = open("/mote/request", O_RDONLY | O_CLOEXEC);
  if (file < 0) return NULL;
  size_t capacity = 1 << 20, n = 0;
  uint8_t *bytes = malloc(capacity);
  while (bytes) {
    if (n == capacity) {
      uint8_t *larger = realloc(bytes, capacity *= 2);
      if (!larger) free(bytes);
      if (!(bytes = larger)) break;
    }
    ssize_t got = read(file, bytes + n, capacity - n);
    if (got <= 0) break;
    n += (size_t)got;
  }
  close(file);
  *length = n;
  return bytes;
}

struct reader {
  const uint8_t *at;
  size_t left;
  int bad;
};

static uint64_t number(struct reader *reader, size_t width) {
  if (reader->left < width) {
    reader->bad = 1;
    return 0;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < width; i++) value |= (uint64_t)reader->at[i] << (8 * i);
  reader->at += width;
  reader->left -= width;
  return value;
}

static struct span string(struct reader *reader) {
  size_t length = (size_t)number(reader, 4);
  if (reader->left < length) reader->bad = 1;
  if (reader->bad) return (struct span){0};
  struct span found = {(const char *)reader->at, length};
  reader->at += length;
  reader->left -= length;
  return found;
}

static struct strings list(struct reader *reader) {
  struct strings found = {(uint32_t)number(reader, 4), (const char *)reader->at};
  for (uint32_t i = 0; i < found.count && !reader->bad; i++) string(reader);
  return found;
}

int request_read(struct span input, struct request *into) {
  static uint8_t *kept;
  free(kept);
  size_t length = 0;
  if (input.length == 0) {
    kept = fetch(&length);
  } else if ((kept = malloc(input.length)) && narrow(input, kept, &length) != 0) {
    return -1;
  }
  if (!kept) return -1;
  struct reader reader = {kept, length, 0};
  into->flags = (uint32_t)number(&reader, 4);
  into->memory_bytes = number(&reader, 8);
  into->arguments = list(&reader);
  into->environment = list(&reader);
  into->code = string(&reader);
  return reader.bad || reader.left ? -1 : 0;
}

int strings_next(struct strings *list, struct span *into) {
  if (list->count == 0) return 0;
  struct reader reader = {(const uint8_t *)list->at, SIZE_MAX, 0};
  *into = string(&reader);
  list->at = (const char *)reader.at;
  list->count--;
  return 1;
}
