/* The exports of Guest ABI 1 and the event loop. */
#include "guest.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char prelude_js[];
extern const size_t prelude_js_len;

/* Of the C stack. The engine gives 4 MiB for native frames, which recursion uses up to four times as fast. */
#ifndef RECURSION_BYTES
#define RECURSION_BYTES (896 * 1024)
#endif
#define WARM_CODE "const warm = { a: [1] }; console.log('x'); await null; console.log(warm.a.length)"

Guest guest;
static JSRuntime *rt;

/* Given back when an allocation fails, so that code which catches the error can go on; taken again a little later. */
#define RESERVE_BYTES (256 * 1024)
#define RESERVE_PAUSE 64
static void *reserve;
static int allocations_without;

static void *checked(void *p, size_t size) {
    if (!reserve && p && ++allocations_without > RESERVE_PAUSE) {
        allocations_without = 0;
        reserve = malloc(RESERVE_BYTES);
    }
    if (p || !size) return p;
    guest.out_of_memory = true;
    free(reserve);
    reserve = NULL;
    return NULL;
}
static void *mem_calloc(void *o, size_t n, size_t size) { (void)o; return checked(calloc(n, size), n * size); }
static void *mem_malloc(void *o, size_t size) { (void)o; return checked(malloc(size), size); }
static void mem_free(void *o, void *p) { (void)o; free(p); }
static void *mem_realloc(void *o, void *p, size_t size) { (void)o; return checked(realloc(p, size), size); }
static size_t mem_usable(const void *p) { return malloc_usable_size((void *)p); }

static JSValue hook(const char *name, int argc, JSValueConst *argv) {
    JSValue f = JS_GetPropertyStr(guest.ctx, guest.hooks, name);
    JSValue r = JS_Call(guest.ctx, f, JS_UNDEFINED, argc, argv);
    JS_FreeValue(guest.ctx, f);
    return r;
}

static bool say(const char *text) { return write_all(2, text, strlen(text)); }

static bool is_out_of_memory(JSValueConst error) {
    if (JS_IsNull(error) || JS_IsUninitialized(error)) return guest.out_of_memory;
    if (!JS_IsError(error) || !guest.out_of_memory) return false;
    JSValue message = JS_GetPropertyStr(guest.ctx, error, "message");
    const char *text = JS_ToCString(guest.ctx, message);
    /* the second is what an error says when there was no memory for its message */
    bool is = text && (strcmp(text, "out of memory") == 0 || strcmp(text, "Invalid error message") == 0);
    JS_FreeCString(guest.ctx, text);
    JS_FreeValue(guest.ctx, message);
    return is;
}

/* Prints an error that nothing caught and returns mote_run's result for it. Takes the reference. */
static int uncaught(JSValue error, bool in_promise) {
    if (is_out_of_memory(error)) {
        JS_FreeValue(guest.ctx, error);
        JS_RunGC(rt);
        say("Uncaught InternalError: out of memory\n");
        return 1 | FLAG_MEMORY;
    }
    JSValueConst args[] = { error, JS_NewBool(guest.ctx, in_promise) };
    JSValue r = hook("uncaught", 2, args);
    int result = 1;
    if (JS_IsException(r)) {
        JSValue second = JS_GetException(guest.ctx);
        bool memory = is_out_of_memory(second);
        const char *text = memory ? NULL : JS_ToCString(guest.ctx, error);
        say("Uncaught ");
        say(text ? text : memory ? "InternalError: out of memory" : "(an error that cannot be shown)");
        say("\n");
        JS_FreeCString(guest.ctx, text);
        JS_FreeValue(guest.ctx, second);
        if (memory) result |= FLAG_MEMORY;
    } else {
        JS_ToInt32(guest.ctx, &result, r);
        JS_FreeValue(guest.ctx, r);
    }
    JS_FreeValue(guest.ctx, error);
    return result;
}

/* Promises rejected while nobody listened, looked at when the microtasks are done. */
typedef struct { JSValue promise, reason; } Rejection;
static Rejection *rejections;
static size_t rejection_count, rejection_room;

static void on_rejection(JSContext *ctx, JSValueConst promise, JSValueConst reason, bool handled, void *opaque) {
    (void)opaque;
    if (!handled) {
        if (rejection_count == rejection_room) {
            size_t room = rejection_room ? rejection_room * 2 : 8;
            Rejection *more = realloc(rejections, room * sizeof *more);
            if (!more) return;
            rejections = more;
            rejection_room = room;
        }
        rejections[rejection_count++] = (Rejection){ JS_DupValue(ctx, promise), JS_DupValue(ctx, reason) };
        return;
    }
    for (size_t i = 0; i < rejection_count; i++) {
        if (!JS_IsStrictEqual(ctx, rejections[i].promise, promise)) continue;
        JS_FreeValue(ctx, rejections[i].promise);
        JS_FreeValue(ctx, rejections[i].reason);
        memmove(&rejections[i], &rejections[i + 1], (--rejection_count - i) * sizeof *rejections);
        return;
    }
}

static void forget_rejections(void) {
    while (rejection_count) {
        Rejection r = rejections[--rejection_count];
        JS_FreeValue(guest.ctx, r.promise);
        JS_FreeValue(guest.ctx, r.reason);
    }
}

static int on_interrupt(JSRuntime *runtime, void *opaque) {
    (void)runtime, (void)opaque;
    return guest.exiting;
}

static int report_rejection(JSValueConst main_promise) {
    Rejection first = rejections[0];
    bool is_main = JS_IsStrictEqual(guest.ctx, first.promise, main_promise);
    if (!is_main) {
        JSValue handled = hook("rejection", 2, (JSValueConst[]){ first.reason, first.promise });
        if (JS_IsException(handled)) return guest.exiting ? -1 : uncaught(JS_GetException(guest.ctx), false);
        bool is_handled = JS_ToBool(guest.ctx, handled);
        JS_FreeValue(guest.ctx, handled);
        if (is_handled) return -1;
    }
    return uncaught(JS_DupValue(guest.ctx, first.reason), !is_main);
}

/* Runs microtasks until there are none. Returns -1, or the result of the run when an error ended it. */
static int drain(JSValueConst main_promise) {
    JSContext *ctx;
    int n;
    for (;;) {
        while (!guest.exiting && (n = JS_ExecutePendingJob(rt, &ctx)) != 0) {
            if (n > 0 || guest.exiting) continue;
            int result = uncaught(JS_GetException(ctx), true);
            if (result >= 0) return result;
        }
        if (guest.exiting || !rejection_count) return -1;
        int result = report_rejection(main_promise);
        if (result >= 0) return result;
        forget_rejections();
    }
}

static int step(bool *more) {
    JSValue r = hook("step", 0, NULL);
    if (JS_IsException(r)) return guest.exiting ? -1 : uncaught(JS_GetException(guest.ctx), false);
    *more = JS_ToBool(guest.ctx, r);
    return -1;
}

static JSValue evaluate_source(const char *code, size_t len) {
    JSContext *ctx = guest.ctx;
    int kind = guest.interactive ? JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_ASYNC : JS_EVAL_TYPE_MODULE;
    if (!guest.interactive) mote_forget_module(ctx, "main.js");
    JSValue compiled = JS_Eval(ctx, code, len, "main.js", kind | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(compiled)) return compiled;
    if (guest.interactive) {
        mote_allow_redeclaration(ctx, compiled);
    } else if ((memmem(code, len, "import", 6) && modules_set_meta(ctx, compiled, "/sandbox/main.js", true) < 0) ||
               JS_ResolveModule(ctx, compiled) < 0) {
        JS_FreeValue(ctx, compiled);
        return JS_EXCEPTION;
    }
    return JS_EvalFunction(ctx, compiled);
}

/* Static imports exist in modules only: an interactive run gets them as `await import()`. */
static JSValue evaluate(const char *code, size_t len) {
    JSContext *ctx = guest.ctx;
    if (!guest.interactive || !memmem(code, len, "import", 6)) return evaluate_source(code, len);
    JSValue source = JS_NewStringLen(ctx, code, len), rewritten = hook("rewrite", 1, (JSValueConst[]){ source });
    const char *text = JS_IsException(rewritten) ? NULL : JS_ToCStringLen(ctx, &len, rewritten);
    JSValue r = text ? evaluate_source(text, len) : JS_EXCEPTION;
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, rewritten);
    JS_FreeValue(ctx, source);
    return r;
}

static int finish(void) {
    if (!guest.wants_exit) return guest.exit_code & 255;
    JSValueConst code = JS_NewInt32(guest.ctx, guest.exit_code);
    JSValue r = hook("exit", 1, &code);
    if (JS_IsException(r)) return guest.exiting ? guest.exit_code & 255 : uncaught(JS_GetException(guest.ctx), false);
    int result = 0;
    JS_ToInt32(guest.ctx, &result, r);
    return (guest.exiting ? guest.exit_code : result) & 255;
}

static int run_code(const char *code, size_t len) {
    JSContext *ctx = guest.ctx;
    size_t good = utf8_valid_prefix((const uint8_t *)code, len);
    if (good < len) {
        char text[96];
        snprintf(text, sizeof text, "Uncaught SyntaxError: main.js is not UTF-8 (byte %zu)\n", good);
        say(text);
        return 1;
    }
    int result = -1;
    JSValue promise = evaluate(code, len);
    if (JS_IsException(promise)) {
        promise = JS_UNDEFINED;
        JSValue error = JS_GetException(ctx);
        if (!guest.exiting) result = uncaught(error, false);
    }
    if (result < 0) result = drain(promise);
    bool more = true;
    while (result < 0 && !guest.exiting && guest.waiting && more) {
        result = step(&more);
        if (result < 0) result = drain(promise);
    }
    if (result < 0 && !guest.exiting && JS_PromiseState(ctx, promise) == JS_PROMISE_PENDING) {
        say("Warning: top-level await never settled and nothing is left to wait for\n");
        result = 13;
    }
    JS_FreeValue(ctx, promise);
    return result >= 0 ? result : finish();
}

static void reset_run(void) {
    guest.exiting = false;
    guest.out_of_memory = false;
    if (!reserve) reserve = malloc(RESERVE_BYTES);
    guest.exit_code = 0;
    guest.wants_exit = guest.interactive && guest.wants_exit;
    if (guest.waiting) JS_FreeValue(guest.ctx, hook("reset", 0, NULL));
    guest.waiting = false;
    forget_rejections();
}

EXPORT("mote_alloc") void *mote_alloc(int32_t len) { return malloc((size_t)(uint32_t)len + 1); }

EXPORT("mote_run") int32_t mote_run(char *code, int32_t len) {
    if (!code) {
        say("Uncaught InternalError: out of memory\n");
        return 1 | FLAG_MEMORY;
    }
    code[len] = 0;
    reset_run();
    guest.runs++;
    int result = run_code(code, (size_t)(uint32_t)len);
    free(code);
    reset_run();
    return result;
}

static double clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* args and env are read when first asked for; `runs` tells the prelude that its copies are old. */
static void refresh(void) {
    uint64_t seed;
    if (getentropy(&seed, sizeof seed) == 0) mote_reseed(guest.ctx, seed);
    guest.attached_at = clock_ms(CLOCK_MONOTONIC);
    guest.attached_unix = clock_ms(CLOCK_REALTIME);
    guest.runs++;
}

EXPORT("mote_attach") void mote_attach(void) { refresh(); }

EXPORT("mote_mode") void mote_mode(int32_t interactive) { guest.interactive = interactive != 0; }

EXPORT("mote_warm") void mote_warm(void) {
    refresh();
    guest.muted = true;
    char *code = mote_alloc(sizeof WARM_CODE - 1);
    if (code) {
        memcpy(code, WARM_CODE, sizeof WARM_CODE - 1);
        mote_run(code, sizeof WARM_CODE - 1);
    }
    guest.muted = false;
}

/* What start-up left below the stack pointer would only make the image bigger. */
static __attribute__((noinline)) void wipe_stack(void) {
    char *here = __builtin_frame_address(0);
    char *volatile bottom = (char *)16;
    memset(bottom, 0, (size_t)(here - 64 - bottom));
}

static void must(bool ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "mote_init: %s\n", what);
    if (JS_HasException(guest.ctx)) {
        JSValue error = JS_GetException(guest.ctx), stack = JS_GetPropertyStr(guest.ctx, error, "stack");
        fprintf(stderr, "%s\n%s\n", JS_ToCString(guest.ctx, error), JS_ToCString(guest.ctx, stack));
    }
    abort();
}

/* The prelude without its source text and line numbers, which would be a third of the image. */
static JSValue load_prelude(void) {
    JSContext *ctx = guest.ctx;
    size_t len;
    JSValue compiled = JS_Eval(ctx, prelude_js, prelude_js_len, "mote:prelude", JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    must(!JS_IsException(compiled), "the prelude does not compile");
    uint8_t *code = JS_WriteObject(ctx, &len, compiled, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE | JS_WRITE_OBJ_STRIP_DEBUG);
    must(code, "the prelude cannot be written");
    JS_FreeValue(ctx, compiled);
    memset(prelude_js, 0, prelude_js_len);
    compiled = JS_ReadObject(ctx, code, len, JS_READ_OBJ_BYTECODE);
    memset(code, 0, len);
    js_free(ctx, code);
    must(!JS_IsException(compiled), "the prelude cannot be read");
    JSValue prelude = JS_EvalFunction(ctx, compiled);
    must(!JS_IsException(prelude), "the prelude failed");
    return prelude;
}

EXPORT("mote_init") void mote_init(void) {
    static const JSMallocFunctions memory = { mem_calloc, mem_malloc, mem_free, mem_realloc, mem_usable };
    must(chdir("/sandbox") == 0, "cannot enter /sandbox");
    rt = JS_NewRuntime2(&memory, NULL);
    guest.ctx = JS_NewContext(rt);
    JSContext *ctx = guest.ctx;
    JS_AddIntrinsicDOMException(ctx);
    JS_SetHostPromiseRejectionTracker(rt, on_rejection, NULL);
    modules_init(ctx);

    JSValue native = JS_NewObject(ctx);
    host_define(ctx, native);
    files_define(ctx, native);
    text_define(ctx, native);
    JSValue prelude = load_prelude();
    JSValue done = JS_Call(ctx, prelude, JS_UNDEFINED, 1, (JSValueConst[]){ native });
    must(!JS_IsException(done), "the prelude failed");
    guest.hooks = JS_GetPropertyStr(ctx, native, "hooks");
    JS_FreeValue(ctx, prelude);
    JS_FreeValue(ctx, native);

    JS_SetInterruptHandler(rt, on_interrupt, NULL);
    mote_set_stack_limit(ctx, (uintptr_t)__builtin_frame_address(0) - RECURSION_BYTES);
    mote_warm();
    JS_RunGC(rt);
    mote_gather(ctx);
    /* room for a short run, so that it neither grows the memory nor collects garbage */
    free(malloc(256 * 1024));
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(rt, &usage);
    JS_SetGCThreshold(rt, (size_t)usage.malloc_size + 4 * 1024 * 1024);
    wipe_stack();
}
