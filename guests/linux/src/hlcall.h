/* The driver's side of /dev/hlcall: calls of the host come in, calls to the host's functions go out. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct span {
  const char *bytes;
  size_t length;
};

/* Opens the device; 0, or -1 with errno. */
int hlcall_open(void);

/* Waits for a call, ends the one before. The input of a call named `function` is valid until the next; -1 when the call is
   none of ours. */
int hlcall_next(const char *function, struct span *input);

/* The result of the call being served. */
int hlcall_result(const void *bytes, size_t length);

/* Calls a function of the host with text. 0 with its answer, 1 with its error, -1 with errno. Valid until the next call. */
int hlcall_host(const char *name, const char *text, size_t length, struct span *answer);
