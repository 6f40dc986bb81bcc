/** What a tree has at a path relative to its root. */
export interface TreeNode {
  /** What it is. */
  readonly kind: "file" | "directory" | "symlink";
  /** Where a link points. */
  readonly target?: string | undefined;
}

const _mostLinks = 40;

/**
 * Whether a link stays within its tree, whatever other links of the tree its
 * target goes through. `at` is the link's path, relative to the root of the tree.
 */
export function staysInTree(
  at: string,
  target: string,
  node: (path: string) => TreeNode | undefined,
): boolean {
  const resolved = at.split("/").slice(0, -1);
  const left = target.split("/");
  if (target.startsWith("/") || target.includes("\0")) return false;
  let links = 0;
  let unknown = false;
  while (left.length) {
    const segment = left.shift()!;
    if (segment === "" || segment === ".") continue;
    if (segment === "..") {
      // Past something that is not there, ".." could mean any place.
      if (unknown || resolved.pop() === undefined) return false;
      continue;
    }
    resolved.push(segment);
    const found = unknown ? undefined : node(resolved.join("/"));
    if (!found) unknown = true;
    if (found?.kind !== "symlink") continue;
    if (++links > _mostLinks) return false;
    const next = found.target ?? "";
    if (next.startsWith("/")) return false;
    resolved.pop();
    left.unshift(...next.split("/"));
  }
  return true;
}
