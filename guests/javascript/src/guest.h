#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "quickjs.h"

#define IMPORT(name) __attribute__((import_module("mote"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

enum { FLAG_TOOL = 0x100, FLAG_MEMORY = 0x200, FLAG_SPACE = 0x400 };

/* What the run in hand has asked for; reset by every mote_run. */
typedef struct {
    JSContext *ctx;
    JSValue hooks;        /* functions the prelude gives: print, uncaught, rejection, step, reset, exit, builtin, notFound, rewrite */
    bool interactive;
    bool exiting;         /* process.exit was called */
    bool waiting;         /* timers, immediates or tool calls are outstanding */
    bool muted;           /* mote_warm's program prints nowhere */
    bool indented;        /* inside console.group */
    bool wants_exit;      /* process.exitCode was set, or somebody listens for "exit" */
    bool out_of_memory;   /* an allocation failed during this run */
    int exit_code;
    int runs;             /* counts mote_run and mote_attach: what the host gives may have changed */
    double attached_at;   /* monotonic clock, ms */
    double attached_unix; /* ms since 1970 */
} Guest;
extern Guest guest;

/* engine.c */
void mote_reseed(JSContext *ctx, uint64_t seed);
void mote_set_stack_limit(JSContext *ctx, uintptr_t lowest);
void mote_allow_redeclaration(JSContext *ctx, JSValueConst script);
void mote_forget_module(JSContext *ctx, const char *name);
void mote_gather(JSContext *ctx);

/* Each adds its functions to the object that the prelude gets as `native`. */
void host_define(JSContext *ctx, JSValueConst native);
void files_define(JSContext *ctx, JSValueConst native);
void text_define(JSContext *ctx, JSValueConst native);

void modules_init(JSContext *ctx);
int modules_set_meta(JSContext *ctx, JSValueConst module, const char *path, bool is_main);

/* Whole text to stdout or stderr; false when the host refused it. */
bool write_all(int fd, const char *text, size_t len);
JSValue throw_errno(JSContext *ctx, int error, const char *call, const char *path);
/* As JS_ToCStringLen, with U+FFFD for lone surrogates. */
const char *utf8_of(JSContext *ctx, size_t *len, JSValueConst value);
/* Index of the first byte that is not UTF-8, or len. */
size_t utf8_valid_prefix(const uint8_t *text, size_t len);
uint8_t *read_file(const char *path, size_t *len);
