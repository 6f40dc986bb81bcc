/** Functions that run the text they are given. */
export const evaluators = new Set([
  "eval",
  "Function",
  "execScript",
  "importScripts",
]);
/** Functions that run a text where they get one instead of a function. */
export const timers = new Set(["setTimeout", "setInterval", "setImmediate"]);

/** What leads out of sight. */
export const opaque: ReadonlyMap<string, string> = new Map([
  ["WebAssembly", "runs code that is not in the program"],
  ["Worker", "runs code that is not in the program"],
  ["SharedWorker", "runs code that is not in the program"],
  ["vm", "runs code that is put together at run time"],
  ["inspector", "reaches into the interpreter"],
  ["v8", "reaches into the interpreter"],
  ["repl", "runs code that is put together at run time"],
  ["process.dlopen", "loads native code"],
  ["module.Module", "reaches into the module system"],
  ["module._load", "reaches into the module system"],
  ["module.constructor", "reaches into the module system"],
  ["module._extensions", "reaches into the module system"],
  ["module.register", "reaches into the module system"],
  ["module.children", "reaches into the module system"],
  ["module.parent", "reaches into the module system"],
  ["require.cache", "reaches into the module system"],
  ["require.extensions", "reaches into the module system"],
  ["std", "reaches into the interpreter"],
]);

/** Functions that take an object apart. */
export const reads = new Set([
  "Reflect.get",
  "Reflect.getOwnPropertyDescriptor",
  "Object.getOwnPropertyDescriptor",
  "Reflect.apply",
  "Reflect.construct",
  "Object.getOwnPropertyDescriptors",
  "Object.entries",
  "Object.values",
  "Object.assign",
  "Object.create",
  "Reflect.has",
]);

/** Code that answers one of the names from which everything can be had. */
export const answers =
  /return[^;]{0,200}\b(process|this|globalThis|global|self|window|require|module|eval|Function|Deno|Bun|import)\b/;

/** Names that lead to code when they are taken from something unknown and called. */
export const inner = new Set([
  "constructor",
  "eval",
  "Function",
  "AsyncFunction",
  "__lookupGetter__",
  "__defineGetter__",
  "getBuiltinModule",
  "require",
  "binding",
  "_linkedBinding",
  "mainModule",
  "_load",
  "dlopen",
  "createRequire",
  "importScripts",
]);

/** Names of JavaScript. */
export const followed = new Set([
  "variable_declarator",
  "assignment_expression",
  "augmented_assignment_expression",
  "parenthesized_expression",
  "ternary_expression",
  "sequence_expression",
  "binary_expression",
  "unary_expression",
  "await_expression",
  "expression_statement",
  "member_expression",
  "subscript_expression",
  "pair",
  "object",
  "array",
  "return_statement",
  "arrow_function",
  "as_expression",
  "satisfies_expression",
  "non_null_expression",
  "type_assertion",
  "if_statement",
  "for_in_statement",
  "import_specifier",
  "import_clause",
  "namespace_import",
  "type_query",
  "spread_element",
  "class_heritage",
  "assignment_pattern",
  "object_assignment_pattern",
  "lexical_declaration",
  "template_substitution",
  "call_expression",
  "new_expression",
]);
