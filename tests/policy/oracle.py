"""What CPython's own parser says of files: imports, and places that a policy may call dynamic. One JSON line a file."""

import ast
import json
import sys

NAMES = {
    "eval", "exec", "compile", "__import__", "getattr", "setattr", "delattr", "globals", "locals", "vars", "breakpoint",
    "__builtins__", "__loader__", "__spec__", "execfile", "reload", "open", "attrgetter", "methodcaller", "import_module",
}


def places(tree):
    imports, dynamic = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [[alias.lineno, alias.name, ""] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            imports += [[alias.lineno, module, alias.name] for alias in node.names]
            dynamic += [[alias.lineno, alias.name] for alias in node.names]
        elif isinstance(node, ast.Name):
            dynamic.append([node.lineno, node.id])
        elif isinstance(node, ast.Attribute):
            dynamic.append([node.end_lineno, node.attr])
            dynamic.append([node.lineno, node.attr])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 400:
            dynamic.append([node.lineno, node.value])
    return {"imports": imports, "names": dynamic}


for path in sys.stdin.read().split("\n"):
    if not path:
        continue
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
    except (SyntaxError, ValueError, RecursionError):
        print(json.dumps({"path": path, "broken": True}))
        continue
    print(json.dumps({"path": path, **places(tree)}))
