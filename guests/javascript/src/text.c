/* UTF-8, UTF-16 and windows-1252 for TextEncoder, TextDecoder and the checks of source text. */
#include "guest.h"
#include <stdlib.h>
#include <string.h>

/* One code point as the Encoding Standard decodes it. Returns the bytes used; *point is -1 for an error, and
   *cut says that the text ended inside a sequence that was right so far. */
static size_t next_point(const uint8_t *s, size_t len, int32_t *point, bool *cut) {
    uint8_t first = s[0], low = 0x80, high = 0xBF;
    *cut = false;
    if (first < 0x80) { *point = first; return 1; }
    size_t need = first >= 0xC2 && first <= 0xDF ? 1 : (first & 0xF0) == 0xE0 ? 2 : first >= 0xF0 && first <= 0xF4 ? 3 : 0;
    *point = -1;
    if (!need) return 1;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    int32_t value = first & (0x3F >> need);
    for (size_t i = 1; i <= need; i++) {
        if (i == len) { *cut = true; return i; }
        if (s[i] < low || s[i] > high) return i;
        low = 0x80, high = 0xBF;
        value = value << 6 | (s[i] & 0x3F);
    }
    *point = value;
    return need + 1;
}

size_t utf8_valid_prefix(const uint8_t *s, size_t len) {
    size_t i = 0;
    while (i < len) {
        int32_t point;
        bool cut;
        if (s[i] < 0x80) { i++; continue; }
        size_t n = next_point(s + i, len - i, &point, &cut);
        if (point < 0) return i;
        i += n;
    }
    return len;
}

const char *utf8_of(JSContext *ctx, size_t *len, JSValueConst value) {
    uint8_t *s = (uint8_t *)JS_ToCStringLen(ctx, len, value);
    /* lone surrogates become U+FFFD, which is as long; text with such bytes is never the engine's own copy */
    for (uint8_t *p = s; p && (p = memchr(p, 0xED, *len - (size_t)(p - s))); p++)
        if (p[1] >= 0xA0) memcpy(p, "\xEF\xBF\xBD", 3);
    return (const char *)s;
}

static JSValue text_encode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t len;
    const char *s = utf8_of(ctx, &len, argv[0]);
    if (!s) return JS_EXCEPTION;
    JSValue r = JS_NewUint8ArrayCopy(ctx, (const uint8_t *)s, len);
    JS_FreeCString(ctx, s);
    return r;
}

/* native.encodeInto(string, Uint8Array) -> [UTF-16 units read, bytes written] */
static JSValue text_encode_into(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    size_t len, room, written = 0;
    uint32_t units = 0;
    uint8_t *into = JS_GetUint8Array(ctx, &room, argv[1]);
    if (!into && JS_HasException(ctx)) return JS_EXCEPTION;
    const uint8_t *s = (const uint8_t *)utf8_of(ctx, &len, argv[0]);
    if (!s) return JS_EXCEPTION;
    while (written < len) {
        size_t n = s[written] < 0x80 ? 1 : s[written] < 0xE0 ? 2 : s[written] < 0xF0 ? 3 : 4;
        if (written + n > room) break;
        units += n == 4 ? 2 : 1;
        written += n;
    }
    if (written) memcpy(into, s, written);
    JS_FreeCString(ctx, (const char *)s);
    JSValue r = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, r, 0, JS_NewUint32(ctx, units));
    JS_SetPropertyUint32(ctx, r, 1, JS_NewInt64(ctx, (int64_t)written));
    return r;
}

static const uint16_t windows1252[32] = {
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
    0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
};
enum { UTF8, UTF16LE, UTF16BE, WINDOWS1252, LATIN1 };

/* Fills out (room for len + 1 units) and returns the units; *left gets the bytes of an unfinished end. */
static size_t decode(int kind, const uint8_t *s, size_t len, bool stream, uint16_t *out, size_t *left, bool *bad) {
    size_t n = 0, i = 0;
    *left = 0;
    if (kind == WINDOWS1252 || kind == LATIN1) {
        for (; i < len; i++) out[n++] = kind == WINDOWS1252 && s[i] >= 0x80 && s[i] < 0xA0 ? windows1252[s[i] - 0x80] : s[i];
        return n;
    }
    while (i < len) {
        int32_t point;
        bool cut = false;
        size_t used;
        if (kind == UTF8) {
            used = next_point(s + i, len - i, &point, &cut);
        } else {
            int a = kind == UTF16LE ? 0 : 1;
            used = len - i < 2 ? len - i : 2;
            cut = used < 2;
            point = cut ? -1 : s[i + a] | s[i + !a] << 8;
            if (point >= 0xDC00 && point <= 0xDFFF) point = -1;
            else if (point >= 0xD800 && point <= 0xDBFF) {
                int32_t low = len - i < 4 ? -1 : s[i + 2 + a] | s[i + 2 + !a] << 8;
                cut = len - i < 4;
                if (cut) used = len - i;
                if (low >= 0xDC00 && low <= 0xDFFF) {
                    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
                    used = 4;
                } else {
                    point = -1;
                }
            }
        }
        if (cut && stream) {
            *left = len - i;
            return n;
        }
        i += used;
        if (point < 0) *bad = true, point = 0xFFFD;
        if (point >= 0x10000) {
            out[n++] = (uint16_t)(0xD7C0 + (point >> 10));
            out[n++] = (uint16_t)(0xDC00 + (point & 0x3FF));
        } else {
            out[n++] = (uint16_t)point;
        }
    }
    return n;
}

/* native.decode(kind, Uint8Array, fatal, stream) -> [string, bytes left for the next call] */
static JSValue text_decode(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    (void)self, (void)argc;
    int kind;
    size_t len, left = 0;
    if (JS_ToInt32(ctx, &kind, argv[0])) return JS_EXCEPTION;
    const uint8_t *s = JS_GetUint8Array(ctx, &len, argv[1]);
    if (!s && JS_HasException(ctx)) return JS_EXCEPTION;
    bool fatal = JS_ToBool(ctx, argv[2]), stream = JS_ToBool(ctx, argv[3]), bad = false;
    JSValue text;
    if (kind == UTF8 && utf8_valid_prefix(s, len) == len) {
        text = JS_NewStringLen(ctx, (const char *)s, len);
    } else {
        uint16_t *units = malloc(sizeof *units * (len + 1));
        if (!units) return JS_ThrowOutOfMemory(ctx);
        size_t n = decode(kind, s, len, stream, units, &left, &bad);
        text = bad && fatal ? JS_UNDEFINED : JS_NewStringUTF16(ctx, units, n);
        free(units);
        if (bad && fatal) {
            return JS_ThrowTypeError(ctx, "The encoded data was not valid");
        }
    }
    if (JS_IsException(text)) return text;
    JSValue r = JS_NewArray(ctx);
    JS_SetPropertyUint32(ctx, r, 0, text);
    JS_SetPropertyUint32(ctx, r, 1, JS_NewInt64(ctx, (int64_t)left));
    return r;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("encode", 1, text_encode),
    JS_CFUNC_DEF("encodeInto", 2, text_encode_into),
    JS_CFUNC_DEF("decode", 4, text_decode),
};

void text_define(JSContext *ctx, JSValueConst native) {
    JS_SetPropertyFunctionList(ctx, native, functions, sizeof functions / sizeof *functions);
}
