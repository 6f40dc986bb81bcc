/* Output, time, randomness and calls to the host's tools. */
#include "guest.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

IMPORT("call_begin") int32_t call_begin(const char *name, int32_t name_len, const char *args, int32_t args_len);
IMPORT("call_wait") int32_t call_wait(int32_t id, int64_t timeout_ns, uint32_t *out);
IMPORT("call_take") void call_take(int32_t id, char *into);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("args_sizes_get"))) int32_t args_sizes_get(uint32_t *count, uint32_t *bytes);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("args_get"))) int32_t args_get(char **argv, char *buf);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("environ_sizes_get"))) int32_t environ_sizes_get(uint32_t *count, uint32_t *bytes);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("environ_get"))) int32_t environ_get(char **env, char *buf);

bool write_all(int fd, const char *text, size_t len) {
    if (guest.muted) return true;
    while (len) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
        if (n > 0) text += n, len -= (size_t)n;
    }
    return true;
}

/* native.write(fd, string | Uint8Array) */
static JSValue host_write(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    int fd;
    size_t len;
    bool ok;
    if (JS_ToInt32(ctx, &fd, argv[0])) return JS_EXCEPTION;
    if (JS_IsString(argv[1])) {
        const char *text = utf8_of(ctx, &len, argv[1]);
        if (!text) return JS_EXCEPTION;
        ok = write_all(fd, text, len);
        JS_FreeCString(ctx, text);
    } else {
        uint8_t *bytes = JS_GetUint8Array(ctx, &len, argv[1]);
        if (!bytes) return JS_EXCEPTION;
        ok = write_all(fd, (char *)bytes, len);
    }
    return ok ? JS_UNDEFINED : throw_errno(ctx, errno, "write", NULL);
}

static bool prints_as_is(JSContext *ctx, int argc, JSValueConst *argv) {
    if (guest.indented) return false;
    for (int i = 0; i < argc; i++) {
        if (JS_IsString(argv[i])) {
            if (i || argc == 1) continue;
            const char *text = JS_ToCString(ctx, argv[0]);
            bool plain = text && !strchr(text, '%');
            JS_FreeCString(ctx, text);
            if (!plain) return false;
        } else {
            int tag = JS_VALUE_GET_NORM_TAG(argv[i]);
            if (tag != JS_TAG_INT && tag != JS_TAG_BOOL && tag != JS_TAG_NULL && tag != JS_TAG_UNDEFINED) return false;
        }
    }
    return true;
}

/* console.log and its like. Strings and small values need no formatter, which keeps short runs short. */
static JSValue host_print(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int fd) {
    (void)self;
    if (!prints_as_is(ctx, argc, argv)) {
        JSValue *args = js_malloc(ctx, sizeof(JSValue) * (size_t)(argc + 1));
        if (!args) return JS_EXCEPTION;
        args[0] = JS_NewInt32(ctx, fd);
        memcpy(args + 1, argv, sizeof(JSValue) * (size_t)argc);
        JSValue f = JS_GetPropertyStr(ctx, guest.hooks, "print");
        JSValue r = JS_Call(ctx, f, JS_UNDEFINED, argc + 1, (JSValueConst *)args);
        JS_FreeValue(ctx, f);
        js_free(ctx, args);
        return r;
    }
    char small[512], *out = small;
    size_t room = sizeof small, n = 0;
    for (int i = 0; i < argc; i++) {
        size_t len;
        const char *text = utf8_of(ctx, &len, argv[i]);
        if (!text) goto failed;
        if (n + len + 2 > room) {
            room = (n + len + 2) * 2;
            char *more = malloc(room);
            if (!more) {
                JS_FreeCString(ctx, text);
                JS_ThrowOutOfMemory(ctx);
                goto failed;
            }
            memcpy(more, out, n);
            if (out != small) free(out);
            out = more;
        }
        if (i) out[n++] = ' ';
        memcpy(out + n, text, len);
        n += len;
        JS_FreeCString(ctx, text);
    }
    out[n++] = '\n';
    write_all(fd, out, n);
    if (out != small) free(out);
    return JS_UNDEFINED;
failed:
    if (out != small) free(out);
    return JS_EXCEPTION;
}

static double monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static JSValue host_now(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc, (void)argv;
    return JS_NewFloat64(ctx, monotonic_ms());
}

static JSValue host_sleep(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    double ms;
    if (JS_ToFloat64(ctx, &ms, argv[0])) return JS_EXCEPTION;
    struct timespec t = { (time_t)(ms / 1e3), (long)((ms - 1e3 * (double)(time_t)(ms / 1e3)) * 1e6) };
    while (ms > 0 && nanosleep(&t, &t) != 0 && errno == EINTR) {}
    return JS_UNDEFINED;
}

/* native.callBegin(name, json) -> id */
static JSValue host_call_begin(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t name_len, args_len;
    const char *name = utf8_of(ctx, &name_len, argv[0]), *args = utf8_of(ctx, &args_len, argv[1]);
    JSValue r = JS_EXCEPTION;
    if (name && args) r = JS_NewInt32(ctx, call_begin(name, (int32_t)name_len, args, (int32_t)args_len));
    JS_FreeCString(ctx, name);
    JS_FreeCString(ctx, args);
    return r;
}

/* native.callWait(ms, or -1 for as long as it takes) -> [id, status, text], or undefined when time is up */
static JSValue host_call_wait(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    double ms;
    uint32_t out[3];
    if (JS_ToFloat64(ctx, &ms, argv[0])) return JS_EXCEPTION;
    if (call_wait(-1, ms < 0 ? -1 : ms > 9e12 ? INT64_MAX : (int64_t)(ms * 1e6), out) != 0) return JS_UNDEFINED;
    char *text = malloc((size_t)out[2] + 1);
    if (!text) return JS_ThrowOutOfMemory(ctx);
    call_take((int32_t)out[0], text);
    JSValue r = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, r, 0, JS_NewInt32(ctx, (int32_t)out[0]));
    JS_SetPropertyUint32(ctx, r, 1, JS_NewInt32(ctx, (int32_t)out[1]));
    JS_SetPropertyUint32(ctx, r, 2, JS_NewStringLen(ctx, text, out[2]));
    free(text);
    return r;
}

static JSValue host_random(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t len;
    uint8_t *bytes = JS_GetUint8Array(ctx, &len, argv[0]);
    if (!bytes) return JS_EXCEPTION;
    for (size_t i = 0; i < len; i += 256)
        if (getentropy(bytes + i, len - i < 256 ? len - i : 256) != 0) return throw_errno(ctx, errno, "getentropy", NULL);
    return JS_UNDEFINED;
}

/* native.exit(code): ends the run; no catch or finally runs after it. */
static JSValue host_exit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    if (JS_ToInt32(ctx, &guest.exit_code, argv[0])) return JS_EXCEPTION;
    guest.exiting = true;
    JSValue error = JS_NewError(ctx);
    JS_SetUncatchableError(ctx, error);
    return JS_Throw(ctx, error);
}

static JSValue host_set_waiting(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    guest.waiting = JS_ToBool(ctx, argv[0]);
    return JS_UNDEFINED;
}

static JSValue host_set_indented(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    guest.indented = JS_ToBool(ctx, argv[0]);
    return JS_UNDEFINED;
}

static JSValue host_set_wants_exit(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    guest.wants_exit = JS_ToBool(ctx, argv[0]);
    return JS_UNDEFINED;
}

enum { RUNS, ATTACHED_AT, ATTACHED_UNIX };

static JSValue host_number(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int which) {
    (void)self, (void)argc, (void)argv;
    return JS_NewFloat64(ctx, which == RUNS ? guest.runs : which == ATTACHED_AT ? guest.attached_at : guest.attached_unix);
}

/* The strings of args or environ; undefined when there are none, which is the common case. */
static JSValue host_strings(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int env) {
    (void)self, (void)argc, (void)argv;
    uint32_t count = 0, bytes = 0;
    if ((env ? environ_sizes_get : args_sizes_get)(&count, &bytes) || !count) return JS_UNDEFINED;
    char **items = malloc(sizeof(char *) * count), *text = malloc(bytes + 1);
    JSValue r = JS_UNDEFINED;
    if (items && text && (env ? environ_get : args_get)(items, text) == 0) {
        r = JS_NewArray(ctx);
        for (uint32_t i = 0; i < count; i++) JS_SetPropertyUint32(ctx, r, i, JS_NewString(ctx, items[i]));
    }
    free(items);
    free(text);
    return r;
}

/* native.compileFunction(source of a function expression, file name) */
static JSValue host_compile(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t len;
    const char *source = JS_ToCStringLen(ctx, &len, argv[0]), *name = JS_ToCString(ctx, argv[1]);
    JSValue r = source && name ? JS_Eval(ctx, source, len, name, JS_EVAL_TYPE_GLOBAL) : JS_EXCEPTION;
    JS_FreeCString(ctx, source);
    JS_FreeCString(ctx, name);
    return r;
}

/* native.promiseDetails(promise, pending, rejected) -> [pending, rejected or undefined, the value or the reason] */
static JSValue host_promise(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    JSPromiseStateEnum state = JS_PromiseState(ctx, argv[0]);
    JSValue r = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, r, 0, state == JS_PROMISE_PENDING ? JS_DupValue(ctx, argv[1]) : state == JS_PROMISE_REJECTED ? JS_DupValue(ctx, argv[2]) : JS_UNDEFINED);
    JS_SetPropertyUint32(ctx, r, 1, JS_PromiseResult(ctx, argv[0]));
    return r;
}

static JSValue host_memory(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc, (void)argv;
    JSMemoryUsage usage;
    JS_ComputeMemoryUsage(JS_GetRuntime(ctx), &usage);
    const double total = (double)__builtin_wasm_memory_size(0) * 65536;
    JSValue r = JS_NewObject(ctx);
    JS_SetPropertyStr(ctx, r, "rss", JS_NewFloat64(ctx, total));
    JS_SetPropertyStr(ctx, r, "heapTotal", JS_NewFloat64(ctx, total));
    JS_SetPropertyStr(ctx, r, "heapUsed", JS_NewFloat64(ctx, (double)usage.memory_used_size));
    return r;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("compileFunction", 2, host_compile),
    JS_CFUNC_DEF("memoryUsage", 0, host_memory),
    JS_CFUNC_DEF("promiseDetails", 1, host_promise),
    JS_CFUNC_DEF("write", 2, host_write),
    JS_CFUNC_MAGIC_DEF("printOut", 0, host_print, 1),
    JS_CFUNC_MAGIC_DEF("printErr", 0, host_print, 2),
    JS_CFUNC_DEF("now", 0, host_now),
    JS_CFUNC_DEF("sleep", 1, host_sleep),
    JS_CFUNC_DEF("callBegin", 2, host_call_begin),
    JS_CFUNC_DEF("callWait", 1, host_call_wait),
    JS_CFUNC_DEF("random", 1, host_random),
    JS_CFUNC_DEF("exit", 1, host_exit),
    JS_CFUNC_DEF("setWaiting", 1, host_set_waiting),
    JS_CFUNC_DEF("setIndented", 1, host_set_indented),
    JS_CFUNC_DEF("setWantsExit", 1, host_set_wants_exit),
    JS_CFUNC_MAGIC_DEF("runs", 0, host_number, RUNS),
    JS_CFUNC_MAGIC_DEF("attachedAt", 0, host_number, ATTACHED_AT),
    JS_CFUNC_MAGIC_DEF("attachedUnix", 0, host_number, ATTACHED_UNIX),
    JS_CFUNC_MAGIC_DEF("args", 0, host_strings, 0),
    JS_CFUNC_MAGIC_DEF("env", 0, host_strings, 1),
};

void host_define(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, functions, sizeof functions / sizeof *functions);
    JS_SetPropertyStr(ctx, native, "version", JS_NewString(ctx, JS_GetVersion()));
}
