/* The session's memory limit: what the guest allocates is counted, and an allocation past the limit fails. */
#pragma once
#include <stdint.h>

void memory_limit(uint64_t bytes);
/* Whether an allocation was refused since this was last asked. */
int memory_take_refused(void);
uint64_t memory_used(void);
