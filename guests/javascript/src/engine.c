/* QuickJS-ng as one translation unit, so that the few functions below reach what its public API hides. */
#include "quickjs.c"

void mote_reseed(JSContext *ctx, uint64_t seed) { ctx->random_state = seed ? seed : 1; }

void mote_set_time_origin(JSContext *ctx, double unix_ms) {
    JSValue performance = JS_GetPropertyStr(ctx, ctx->global_obj, "performance");
    ctx->time_origin = js__now_ms();
    if (JS_IsObject(performance))
        JS_DefinePropertyValueStr(ctx, performance, "timeOrigin", js_float64(unix_ms), JS_PROP_C_W_E);
    JS_FreeValue(ctx, performance);
}

/* An interactive run may declare a top-level name again, as in Node's REPL. A script starts with one
   check per name it declares; whatever would make that check fail is removed. */
void mote_allow_redeclaration(JSContext *ctx, JSValueConst script) {
    JSFunctionBytecode *b = JS_VALUE_GET_PTR(script);
    const uint8_t *pc = b->byte_code_buf, *end = pc + b->byte_code_len;
    for (; end - pc >= 6 && pc[0] == OP_check_define_var; pc += 6) {
        JSAtom name = get_u32(pc + 1);
        JSObject *globals = JS_VALUE_GET_OBJ(ctx->global_obj);
        delete_property(ctx, JS_VALUE_GET_OBJ(ctx->global_var_obj), name);
        if (!(pc[5] & DEFINE_GLOBAL_LEX_VAR)) continue;
        JSProperty *pr;
        JSShapeProperty *prs = find_own_property(&pr, globals, name);
        if (!prs || !(prs->flags & JS_PROP_WRITABLE) || (prs->flags & JS_PROP_CONFIGURABLE)) continue;
        if (js_shape_prepare_update(ctx, globals, &prs) < 0) return;
        prs->flags |= JS_PROP_CONFIGURABLE;
        delete_property(ctx, globals, name);
    }
}
