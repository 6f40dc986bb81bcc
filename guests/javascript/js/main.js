// Evaluated once, before the snapshot. What it returns are the hooks that guest.c and modules.c call.
import { native, withoutAtomics } from "./native.js";
import { installErrors } from "./errors.js";
import "./performance.js";
import "./text.js";
import "./web.js";
import "./fetch.js";
import { installConsole, print } from "./console.js";
import { installTimers, step, reset } from "./loop.js";
import { installTools } from "./tools.js";
import { emitExit, emitRejection, process } from "./process.js";
import { builtin, notFound } from "./builtins.js";
import { rewrite } from "./rewrite.js";
import { uncaught } from "./uncaught.js";

installErrors();
installConsole();
installTimers();
installTools();
Object.defineProperty(globalThis, "process", { value: process, writable: true, configurable: true });
Object.defineProperty(globalThis, "global", { value: globalThis, writable: true, configurable: true });

if (withoutAtomics) delete globalThis.Atomics;

native.hooks = { print, step, reset, exit: emitExit, rejection: emitRejection, uncaught, builtin, notFound, rewrite };
