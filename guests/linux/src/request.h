/* What the host sends with a run. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "hlcall.h"

enum {
  REQUEST_FRESH = 1,       /* the first run since the snapshot: seed anew */
  REQUEST_INTERACTIVE = 2, /* the interpreter's state is kept */
  REQUEST_PRELOAD = 4,     /* the code is names of modules to import */
};

struct strings {
  uint32_t count;
  const char *at; /* each a length of four bytes, then its bytes */
};

struct request {
  uint32_t flags;
  uint64_t memory_bytes;
  struct strings arguments;
  struct strings environment;
  struct span code;
};

/* Reads a request out of a call's input, in which every byte is one character; 0, or -1 when it is none. Valid until the
   next. */
int request_read(struct span input, struct request *into);

/* Takes the next string off a list; 0 at its end. */
int strings_next(struct strings *list, struct span *into);

extern struct request request;
