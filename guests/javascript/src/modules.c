/* import: built-in modules, files of the workspace and of the image, JSON. */
#include "guest.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *directory_of(const char *base) { return base[0] == '/' ? base : "/sandbox/main.js"; }

/* "/a/b" + "../c" as an absolute path without "." and ".."; NULL when out of memory. */
static char *join(const char *base, const char *name) {
    size_t dir = 0;
    if (name[0] != '/') {
        const char *slash = strrchr(base, '/');
        dir = slash ? (size_t)(slash - base) : 0;
    }
    char *raw = malloc(dir + strlen(name) + 2), *out = malloc(dir + strlen(name) + 3);
    if (!raw || !out) { free(raw); free(out); return NULL; }
    memcpy(raw, base, dir);
    sprintf(raw + dir, "/%s", name);
    size_t n = 0;
    for (char *part = strtok(raw, "/"); part; part = strtok(NULL, "/")) {
        if (strcmp(part, ".") == 0) continue;
        if (strcmp(part, "..") == 0) {
            while (n && out[--n] != '/') {}
            continue;
        }
        n += (size_t)sprintf(out + n, "/%s", part);
    }
    if (!n) out[n++] = '/';
    out[n] = 0;
    free(raw);
    return out;
}

/* The prelude's object of that name, or undefined. */
static JSValue builtin(JSContext *ctx, const char *name) {
    JSValue f = JS_GetPropertyStr(ctx, guest.hooks, "builtin"), text = JS_NewString(ctx, name);
    JSValue r = JS_Call(ctx, f, JS_UNDEFINED, 1, (JSValueConst[]){ text });
    JS_FreeValue(ctx, f);
    JS_FreeValue(ctx, text);
    return r;
}

static char *normalize(JSContext *ctx, const char *base, const char *name, void *opaque) {
    (void)opaque;
    if (strncmp(name, "file://", 7) == 0) name += 7;
    if (name[0] != '/' && name[0] != '.') {
        if (strncmp(name, "node:", 5) == 0) return js_strdup(ctx, name);
        char *full = js_malloc(ctx, strlen(name) + 6);
        if (full) sprintf(full, "node:%s", name);
        return full;
    }
    char *path = join(directory_of(base), name);
    char *copy = path ? js_strdup(ctx, path) : NULL;
    free(path);
    return copy;
}

static int init_builtin(JSContext *ctx, JSModuleDef *m) {
    JSValue exports = JS_GetModulePrivateValue(ctx, m);
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    int status = JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY);
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        if (!name || strcmp(name, "default") != 0)
            status = name ? JS_SetModuleExport(ctx, m, name, JS_GetProperty(ctx, exports, names[i].atom)) : -1;
        JS_FreeCString(ctx, name);
    }
    JS_FreePropertyEnum(ctx, names, count);
    if (status == 0) status = JS_SetModuleExport(ctx, m, "default", JS_DupValue(ctx, exports));
    JS_FreeValue(ctx, exports);
    return status;
}

static JSModuleDef *module_of(JSContext *ctx, const char *name, JSValue exports) {
    JSModuleDef *m = JS_NewCModule(ctx, name, init_builtin);
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    if (m && JS_GetOwnPropertyNames(ctx, &names, &count, exports, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) == 0) {
        for (uint32_t i = 0; i < count; i++) {
            const char *export = JS_AtomToCString(ctx, names[i].atom);
            if (export && strcmp(export, "default") != 0) JS_AddModuleExport(ctx, m, export);
            JS_FreeCString(ctx, export);
        }
        JS_FreePropertyEnum(ctx, names, count);
        JS_AddModuleExport(ctx, m, "default");
        JS_SetModulePrivateValue(ctx, m, exports);
        return m;
    }
    JS_FreeValue(ctx, exports);
    return NULL;
}

static int init_json(JSContext *ctx, JSModuleDef *m) {
    return JS_SetModuleExport(ctx, m, "default", JS_GetModulePrivateValue(ctx, m));
}

static JSModuleDef *json_module(JSContext *ctx, const char *name, const char *text, size_t len) {
    JSValue value = JS_ParseJSON(ctx, text, len, name);
    if (JS_IsException(value)) return NULL;
    JSModuleDef *m = JS_NewCModule(ctx, name, init_json);
    if (!m) {
        JS_FreeValue(ctx, value);
        return NULL;
    }
    JS_AddModuleExport(ctx, m, "default");
    JS_SetModulePrivateValue(ctx, m, value);
    return m;
}

int modules_set_meta(JSContext *ctx, JSValueConst module, const char *path, bool is_main) {
    JSValue meta = JS_GetImportMeta(ctx, JS_VALUE_GET_PTR(module));
    if (JS_IsException(meta)) return -1;
    const char *slash = strrchr(path, '/');
    size_t dir = slash && slash != path ? (size_t)(slash - path) : 1;
    char url[PATH_MAX + 8];
    snprintf(url, sizeof url, "file://%s", path);
    JS_DefinePropertyValueStr(ctx, meta, "url", JS_NewString(ctx, url), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, meta, "filename", JS_NewString(ctx, path), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, meta, "dirname", JS_NewStringLen(ctx, path, dir), JS_PROP_C_W_E);
    JS_DefinePropertyValueStr(ctx, meta, "main", JS_NewBool(ctx, is_main), JS_PROP_C_W_E);
    JS_FreeValue(ctx, meta);
    return 0;
}

static bool wants_json(JSContext *ctx, const char *name, JSValueConst attributes) {
    size_t len = strlen(name);
    if (len > 5 && strcmp(name + len - 5, ".json") == 0) return true;
    if (!JS_IsObject(attributes)) return false;
    JSValue type = JS_GetPropertyStr(ctx, attributes, "type");
    const char *text = JS_ToCString(ctx, type);
    bool json = text && strcmp(text, "json") == 0;
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, type);
    return json;
}

static JSModuleDef *not_found(JSContext *ctx, const char *name) {
    JSValue f = JS_GetPropertyStr(ctx, guest.hooks, "notFound");
    JSValue args[] = { JS_NewString(ctx, name), JS_NewInt32(ctx, errno) };
    JSValue error = JS_Call(ctx, f, JS_UNDEFINED, 2, (JSValueConst *)args);
    JS_FreeValue(ctx, f);
    JS_FreeValue(ctx, args[0]);
    if (!JS_IsException(error)) JS_Throw(ctx, error);
    return NULL;
}

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque, JSValueConst attributes) {
    (void)opaque;
    if (strncmp(name, "node:", 5) == 0) {
        JSValue exports = builtin(ctx, name + 5);
        if (JS_IsException(exports)) return NULL;
        if (JS_IsObject(exports)) return module_of(ctx, name, exports);
        errno = 0;
        return not_found(ctx, name + 5);
    }
    size_t len;
    uint8_t *text = read_file(name, &len);
    if (!text) return not_found(ctx, name);
    JSModuleDef *m = NULL;
    size_t good = utf8_valid_prefix(text, len);
    if (good < len) {
        JS_ThrowSyntaxError(ctx, "%s is not UTF-8 (byte %zu)", name, good);
    } else if (wants_json(ctx, name, attributes)) {
        m = json_module(ctx, name, (char *)text, len);
    } else {
        JSValue compiled = JS_Eval(ctx, (char *)text, len, name, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
        if (!JS_IsException(compiled)) {
            m = JS_VALUE_GET_PTR(compiled);
            if (modules_set_meta(ctx, compiled, name, false) < 0) m = NULL;
            JS_FreeValue(ctx, compiled);
        }
    }
    free(text);
    return m;
}

static int check_attributes(JSContext *ctx, void *opaque, JSValueConst attributes) {
    (void)opaque;
    JSPropertyEnum *names = NULL;
    uint32_t count = 0;
    if (JS_GetOwnPropertyNames(ctx, &names, &count, attributes, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0) return -1;
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < count; i++) {
        const char *name = JS_AtomToCString(ctx, names[i].atom);
        JSValue value = JS_GetProperty(ctx, attributes, names[i].atom);
        const char *text = JS_ToCString(ctx, value);
        if (!name || !text || strcmp(name, "type") != 0 || strcmp(text, "json") != 0) {
            JS_ThrowTypeError(ctx, "Cannot import with { %s: '%s' }: the only attribute is type: 'json'", name, text);
            status = -1;
        }
        JS_FreeCString(ctx, text);
        JS_FreeValue(ctx, value);
        JS_FreeCString(ctx, name);
    }
    JS_FreePropertyEnum(ctx, names, count);
    return status;
}

void modules_init(JSContext *ctx) { JS_SetModuleLoaderFunc2(JS_GetRuntime(ctx), normalize, load, check_attributes, NULL); }
