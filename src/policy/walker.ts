import type { Tree } from "web-tree-sitter";
import type { Walker } from "./tree.ts";

/** Functions of the parser's WebAssembly module, by their names. */
export type RawParser = Readonly<Record<string, unknown>>;

type Call = (tree: number) => number;

/**
 * Goes through a tree. The cursor of the public interface copies its state into the module and back for each question,
 * which takes more than half of the time; the functions below it, where they are there, keep it in the module.
 */
export function walkerOf(tree: Tree, raw: RawParser): Walker {
  const address = (tree as unknown as { 0?: unknown })[0];
  const find = (name: string): Call | undefined =>
    typeof raw[name] === "function" ? raw[name] as Call : undefined;
  const root = find("_ts_tree_root_node_wasm");
  const begin = find("_ts_tree_cursor_new_wasm");
  const kind = find("_ts_tree_cursor_current_node_type_id_wasm");
  const start = find("_ts_tree_cursor_start_index_wasm");
  const end = find("_ts_tree_cursor_end_index_wasm");
  const down = find("_ts_tree_cursor_goto_first_child_wasm");
  const next = find("_ts_tree_cursor_goto_next_sibling_wasm");
  const up = find("_ts_tree_cursor_goto_parent_wasm");
  const done = find("_ts_tree_cursor_delete_wasm");
  if (
    typeof address !== "number" || !root || !begin || !kind || !start || !end ||
    !down || !next || !up || !done
  ) return publicWalker(tree);
  root(address);
  begin(address);
  return {
    kind: () => kind(address),
    start: () => start(address),
    end: () => end(address),
    down: () => down(address) === 1,
    next: () => next(address) === 1,
    up: () => up(address) === 1,
    done: () => void done(address),
  };
}

/** Goes through a tree by the public interface alone. */
export function publicWalker(tree: Tree): Walker {
  const cursor = tree.walk();
  return {
    kind: () => cursor.nodeTypeId,
    start: () => cursor.startIndex,
    end: () => cursor.endIndex,
    down: () => cursor.gotoFirstChild(),
    next: () => cursor.gotoNextSibling(),
    up: () => cursor.gotoParent(),
    done: () => cursor.delete(),
  };
}
