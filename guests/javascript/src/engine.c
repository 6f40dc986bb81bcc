/* QuickJS-ng as one translation unit, so that the few functions below reach what its public API hides. */
#define MOTE_FRAME(bytes) char native_frame[bytes]; __asm__ volatile("" : : "r"(native_frame) : "memory")
#include "quickjs.c"
#include <stdlib.h>

void mote_reseed(JSContext *ctx, uint64_t seed) { ctx->random_state = seed ? seed : 1; }

/* JS_SetMaxStackSize does nothing on WASI. `lowest` is the address that the C stack may come down to. */
void mote_set_stack_limit(JSContext *ctx, uintptr_t lowest) { ctx->rt->stack_limit = lowest; }

/* import.meta and relative imports look their module up by name: one of an earlier run must not be found. */
void mote_forget_module(JSContext *ctx, const char *name) {
    JSAtom atom = JS_NewAtom(ctx, name);
    struct list_head *item;
    list_for_each(item, &ctx->loaded_modules) {
        JSModuleDef *module = list_entry(item, JSModuleDef, link);
        if (module->module_name != atom) continue;
        JS_FreeAtom(ctx, atom);
        module->module_name = JS_ATOM_empty_string;
    }
    JS_FreeAtom(ctx, atom);
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

/* Blocks of each size that a new arena for a short run holds; see mote_gather. */
static int nursery_blocks(int block_size) { return block_size <= 64 ? 20 : block_size <= 128 ? 8 : 2; }

/* What a session changes costs it a page of its own, so everything that a short run allocates should lie together.
   Fills the holes that start-up left, with zeros for a smaller image, and makes one small arena of each size, side by side. */
void mote_gather(JSContext *ctx) {
    JSRuntime *rt = ctx->rt;
    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++)
        while (!list_empty(&rt->arena_state.free_arena_list[i])) {
            size_t size = arena_block_sizes[i] - sizeof(JSMallocBlockHeader);
            memset(js_arena_malloc(rt, size), 0, size);
        }
    char *end = malloc(512 * 1024);
    memset(end, 0, 512 * 1024);
    free(end);
    for (size_t size = 256 * 1024; size >= 16; size = size > 4096 ? size / 2 : size - 16) {
        char *hole;
        while ((hole = malloc(size)) && hole < end) memset(hole, 0, size);
        free(hole);
    }
    for (int i = 0; i < JS_ARENA_BLOCK_SIZE_COUNT; i++) {
        int size = arena_block_sizes[i], blocks = nursery_blocks(size);
        JSArena *arena = rt->mf.js_malloc(rt->malloc_state.opaque, sizeof(JSArena) + (size_t)blocks * size);
        if (!arena) return;
        arena->block_size_idx = i;
        arena->n_blocks = blocks;
        arena->n_used_blocks = 0;
        arena->first_free_block = 0;
        for (int k = 0; k < blocks; k++) {
            JSMallocBlockHeader *block = arena_get_block(arena, k, size);
            block->u.free_next = k + 1 < blocks ? k + 1 : JS_ARENA_FREE_NIL;
            block->block_size_idx = i;
        }
        list_add(&arena->link, &rt->arena_state.arena_list[i]);
        list_add(&arena->free_link, &rt->arena_state.free_arena_list[i]);
        /* one block is never freed, or else the arena would be */
        js_arena_malloc(rt, size - sizeof(JSMallocBlockHeader));
    }
}
