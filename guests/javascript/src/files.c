/* System calls for the fs module; each throws an Error with code, errno, syscall and path. */
#include "guest.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct { int error; const char *code, *text; } names[] = {
    { ENOENT, "ENOENT", "no such file or directory" }, { EEXIST, "EEXIST", "file already exists" },
    { EACCES, "EACCES", "permission denied" }, { EPERM, "EPERM", "operation not permitted" },
    { ENOTDIR, "ENOTDIR", "not a directory" }, { EISDIR, "EISDIR", "illegal operation on a directory" },
    { ENOTEMPTY, "ENOTEMPTY", "directory not empty" }, { EINVAL, "EINVAL", "invalid argument" },
    { EBADF, "EBADF", "bad file descriptor" }, { ENOSPC, "ENOSPC", "no space left on device" },
    { EDQUOT, "EDQUOT", "disk quota exceeded" }, { EROFS, "EROFS", "read-only file system" },
    { ELOOP, "ELOOP", "too many symbolic links encountered" }, { EXDEV, "EXDEV", "cross-device link not permitted" },
    { ENAMETOOLONG, "ENAMETOOLONG", "name too long" }, { EFBIG, "EFBIG", "file too large" },
    { EMFILE, "EMFILE", "too many open files" }, { ENOTSUP, "ENOTSUP", "operation not supported" },
    { ENOSYS, "ENOSYS", "function not implemented" }, { ENOTCAPABLE, "ENOTCAPABLE", "outside what this code may reach" },
    { EIO, "EIO", "i/o error" }, { ESPIPE, "ESPIPE", "invalid seek" }, { EPIPE, "EPIPE", "broken pipe" },
};

JSValue throw_errno(JSContext *ctx, int error, const char *call, const char *path) {
    const char *code = "EUNKNOWN", *text = strerror(error);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == error) code = names[i].code, text = names[i].text;
    char message[320];
    if (path) snprintf(message, sizeof message, "%s: %s, %s '%.200s'", code, text, call, path);
    else snprintf(message, sizeof message, "%s: %s, %s", code, text, call);
    JSValue e = JS_NewError(ctx);
    JS_DefinePropertyValueStr(ctx, e, "message", JS_NewString(ctx, message), JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JS_DefinePropertyValueStr(ctx, e, "errno", JS_NewInt32(ctx, -error), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, e, "code", JS_NewString(ctx, code), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, e, "syscall", JS_NewString(ctx, call), JS_PROP_C_W_E);
    if (path) JS_DefinePropertyValueStr(ctx, e, "path", JS_NewString(ctx, path), JS_PROP_C_W_E);
    return JS_Throw(ctx, e);
}

uint8_t *read_file(const char *path, size_t *len) {
    int fd = open(path, O_RDONLY);
    if (fd < 0) return NULL;
    struct stat s;
    if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode)) {
        close(fd);
        errno = EISDIR;
        return NULL;
    }
    size_t room = s.st_size > 0 ? (size_t)s.st_size + 1 : 4096, n = 0;
    uint8_t *text = malloc(room);
    ssize_t got = 0;
    while (text && (got = read(fd, text + n, room - n - 1)) > 0) {
        n += (size_t)got;
        if (room - n > 1) continue;
        uint8_t *more = realloc(text, room *= 2);
        if (!more) free(text);
        text = more;
    }
    int error = text ? errno : ENOMEM;
    close(fd);
    if (!text || got < 0) {
        free(text);
        errno = error;
        return NULL;
    }
    text[n] = 0;
    *len = n;
    return text;
}

/* native.open(path, flags, mode) -> fd; flags as in Node: r r+ w wx w+ wx+ a ax a+ ax+ */
static JSValue files_open(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    const char *path = JS_ToCString(ctx, argv[0]), *flags = JS_ToCString(ctx, argv[1]);
    JSValue r = JS_EXCEPTION;
    if (path && flags) {
        int how = flags[0] == 'r' ? 0 : O_CREAT | (flags[0] == 'a' ? O_APPEND : O_TRUNC);
        how |= strchr(flags, '+') ? O_RDWR : flags[0] == 'r' ? O_RDONLY : O_WRONLY;
        if (strchr(flags, 'x')) how |= O_EXCL;
        int fd = open(path, how, 0666);
        r = fd < 0 ? throw_errno(ctx, errno, "open", path) : JS_NewInt32(ctx, fd);
    }
    JS_FreeCString(ctx, path);
    JS_FreeCString(ctx, flags);
    return r;
}

static JSValue files_close(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    int fd;
    if (JS_ToInt32(ctx, &fd, argv[0])) return JS_EXCEPTION;
    return close(fd) ? throw_errno(ctx, errno, "close", NULL) : JS_UNDEFINED;
}

/* native.read(fd, Uint8Array, position or null) and native.writeAt(the same) -> bytes moved */
static JSValue files_move(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int writing) {
    (void)self, (void)argc;
    int fd;
    size_t len;
    int64_t at = 0;
    bool placed = !JS_IsNull(argv[2]) && !JS_IsUndefined(argv[2]);
    if (JS_ToInt32(ctx, &fd, argv[0]) || (placed && JS_ToInt64(ctx, &at, argv[2]))) return JS_EXCEPTION;
    uint8_t *bytes = JS_GetUint8Array(ctx, &len, argv[1]);
    if (!bytes) return JS_EXCEPTION;
    ssize_t n;
    if (writing) n = placed ? pwrite(fd, bytes, len, at) : write(fd, bytes, len);
    else n = placed ? pread(fd, bytes, len, at) : read(fd, bytes, len);
    return n < 0 ? throw_errno(ctx, errno, writing ? "write" : "read", NULL) : JS_NewInt64(ctx, n);
}

static JSValue stat_array(JSContext *ctx, const struct stat *s) {
    const double fields[] = {
        (double)s->st_mode, (double)s->st_size, (double)s->st_ino, (double)s->st_nlink, (double)s->st_dev,
        (double)s->st_atim.tv_sec * 1e3 + (double)s->st_atim.tv_nsec / 1e6,
        (double)s->st_mtim.tv_sec * 1e3 + (double)s->st_mtim.tv_nsec / 1e6,
        (double)s->st_ctim.tv_sec * 1e3 + (double)s->st_ctim.tv_nsec / 1e6,
    };
    JSValue r = JS_NewArray(ctx);
    for (uint32_t i = 0; i < sizeof fields / sizeof *fields; i++) JS_SetPropertyUint32(ctx, r, i, JS_NewFloat64(ctx, fields[i]));
    return r;
}

/* native.stat(path or fd, follow) -> [mode, size, ino, nlink, dev, atimeMs, mtimeMs, ctimeMs] */
static JSValue files_stat(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    struct stat s;
    if (JS_IsNumber(argv[0])) {
        int fd;
        if (JS_ToInt32(ctx, &fd, argv[0])) return JS_EXCEPTION;
        return fstat(fd, &s) ? throw_errno(ctx, errno, "fstat", NULL) : stat_array(ctx, &s);
    }
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    bool follow = JS_ToBool(ctx, argv[1]);
    JSValue r = (follow ? stat(path, &s) : lstat(path, &s)) ? throw_errno(ctx, errno, follow ? "stat" : "lstat", path) : stat_array(ctx, &s);
    JS_FreeCString(ctx, path);
    return r;
}

static const char *type_name(unsigned char type) {
    return type == DT_DIR ? "directory" : type == DT_LNK ? "symlink" : type == DT_REG ? "file" : "other";
}

/* native.list(path) -> [name, type, name, type, …] */
static JSValue files_list(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    DIR *dir = opendir(path);
    JSValue r = dir ? JS_NewArray(ctx) : throw_errno(ctx, errno, "scandir", path);
    uint32_t n = 0;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        JS_SetPropertyUint32(ctx, r, n++, JS_NewString(ctx, e->d_name));
        JS_SetPropertyUint32(ctx, r, n++, JS_NewString(ctx, type_name(e->d_type)));
    }
    if (dir) closedir(dir);
    JS_FreeCString(ctx, path);
    return r;
}

enum { MKDIR, RMDIR, UNLINK, CHDIR };

static JSValue files_one_path(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int what) {
    (void)self, (void)argc;
    static const char *const calls[] = { "mkdir", "rmdir", "unlink", "chdir" };
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    int status = what == MKDIR ? mkdir(path, 0777) : what == RMDIR ? rmdir(path) : what == UNLINK ? unlink(path) : chdir(path);
    JSValue r = status ? throw_errno(ctx, errno, calls[what], path) : JS_UNDEFINED;
    JS_FreeCString(ctx, path);
    return r;
}

static JSValue files_two_paths(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv, int linking) {
    (void)self, (void)argc;
    const char *from = JS_ToCString(ctx, argv[0]), *to = JS_ToCString(ctx, argv[1]);
    JSValue r = JS_EXCEPTION;
    if (from && to) {
        int status = linking ? symlink(from, to) : rename(from, to);
        r = status ? throw_errno(ctx, errno, linking ? "symlink" : "rename", linking ? to : from) : JS_UNDEFINED;
    }
    JS_FreeCString(ctx, from);
    JS_FreeCString(ctx, to);
    return r;
}

static JSValue files_readlink(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    char target[4096];
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    ssize_t n = readlink(path, target, sizeof target);
    JSValue r = n < 0 ? throw_errno(ctx, errno, "readlink", path) : JS_NewStringLen(ctx, target, (size_t)n);
    JS_FreeCString(ctx, path);
    return r;
}

static JSValue files_truncate(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    int64_t len = 0;
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    JSValue r = JS_ToInt64(ctx, &len, argv[1]) ? JS_EXCEPTION : truncate(path, len) ? throw_errno(ctx, errno, "truncate", path) : JS_UNDEFINED;
    JS_FreeCString(ctx, path);
    return r;
}

/* native.utimes(path, atimeMs, mtimeMs) */
static JSValue files_utimes(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    double ms[2];
    struct timespec t[2];
    if (JS_ToFloat64(ctx, &ms[0], argv[1]) || JS_ToFloat64(ctx, &ms[1], argv[2])) return JS_EXCEPTION;
    for (int i = 0; i < 2; i++) t[i] = (struct timespec){ (time_t)(ms[i] / 1e3), (long)((ms[i] - 1e3 * (double)(time_t)(ms[i] / 1e3)) * 1e6) };
    const char *path = JS_ToCString(ctx, argv[0]);
    if (!path) return JS_EXCEPTION;
    JSValue r = utimensat(AT_FDCWD, path, t, 0) ? throw_errno(ctx, errno, "utime", path) : JS_UNDEFINED;
    JS_FreeCString(ctx, path);
    return r;
}

static JSValue files_cwd(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc, (void)argv;
    char path[4096];
    return getcwd(path, sizeof path) ? JS_NewString(ctx, path) : throw_errno(ctx, errno, "getcwd", NULL);
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("open", 2, files_open),
    JS_CFUNC_DEF("close", 1, files_close),
    JS_CFUNC_MAGIC_DEF("read", 3, files_move, 0),
    JS_CFUNC_MAGIC_DEF("writeAt", 3, files_move, 1),
    JS_CFUNC_DEF("stat", 2, files_stat),
    JS_CFUNC_DEF("list", 1, files_list),
    JS_CFUNC_MAGIC_DEF("mkdir", 1, files_one_path, MKDIR),
    JS_CFUNC_MAGIC_DEF("rmdir", 1, files_one_path, RMDIR),
    JS_CFUNC_MAGIC_DEF("unlink", 1, files_one_path, UNLINK),
    JS_CFUNC_MAGIC_DEF("chdir", 1, files_one_path, CHDIR),
    JS_CFUNC_MAGIC_DEF("rename", 2, files_two_paths, 0),
    JS_CFUNC_MAGIC_DEF("symlink", 2, files_two_paths, 1),
    JS_CFUNC_DEF("readlink", 1, files_readlink),
    JS_CFUNC_DEF("truncate", 2, files_truncate),
    JS_CFUNC_DEF("utimes", 3, files_utimes),
    JS_CFUNC_DEF("cwd", 0, files_cwd),
};

void files_define(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, functions, sizeof functions / sizeof *functions);
}
