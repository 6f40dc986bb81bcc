/** Modules that are another by a further name. */
const _sameModules: Readonly<Record<string, string>> = {
  posix: "os",
  nt: "os",
  posixsubprocess: "subprocess",
  cPickle: "pickle",
  __builtin__: "builtins",
  dummy_threading: "threading",
  thread: "_thread",
  imp: "importlib",
  frozen_importlib: "importlib",
  frozen_importlib_external: "importlib",
};

/** The one name of a module, or of what is in it. */
export function plainModule(name: string): string {
  const cut = name.indexOf(".");
  const root = cut < 0 ? name : name.slice(0, cut);
  const plain = root.replace(/^_+(?=.)/, "");
  const same = Object.hasOwn(_sameModules, root)
    ? _sameModules[root]!
    : Object.hasOwn(_sameModules, plain)
    ? _sameModules[plain]!
    : root.startsWith("__")
    ? root
    : plain;
  return cut < 0 ? same : same + name.slice(cut);
}

/** Functions that import the module they are given the name of. */
export const importers: ReadonlySet<string> = new Set([
  "builtins.__import__",
  "importlib.__import__",
  "importlib.import_module",
  "importlib._bootstrap._gcd_import",
  "importlib._bootstrap.__import__",
  "importlib.util.find_spec",
  "importlib.find_loader",
  "pkgutil.find_loader",
  "pkgutil.get_loader",
  "pkgutil.resolve_name",
  "pydoc.locate",
  "pydoc.safeimport",
  "runpy.run_module",
  "imp.find_module",
  "test.support.import_helper.import_module",
  "django.utils.module_loading.import_string",
]);

/** Functions that run the code they are given, and which argument that is. */
export const evaluators: ReadonlyMap<string, readonly number[]> = new Map([
  ["builtins.eval", [0]],
  ["builtins.exec", [0]],
  ["builtins.compile", [0]],
  ["timeit.timeit", [0, 1]],
  ["timeit.repeat", [0, 1]],
  ["timeit.Timer", [0, 1]],
  ["cProfile.run", [0]],
  ["cProfile.runctx", [0]],
  ["profile.run", [0]],
  ["profile.runctx", [0]],
  ["pdb.run", [0]],
  ["pdb.runeval", [0]],
  ["pdb.runctx", [0]],
  ["code.compile_command", [0]],
  ["codeop.compile_command", [0]],
  ["typing.ForwardRef", [0]],
  ["trace.Trace", []],
]);

/** What runs code, or reaches into the interpreter, in a way that the text of the program does not show. */
export const opaque: ReadonlyMap<string, string> = new Map([
  ...[
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "pickle._load",
    "pickle._loads",
    "pickle._Unpickler",
    "marshal.load",
    "marshal.loads",
    "shelve.open",
    "shelve.Shelf",
    "dill.load",
    "dill.loads",
    "cloudpickle.load",
    "cloudpickle.loads",
    "jsonpickle.decode",
    "joblib.load",
    "pandas.read_pickle",
    "yaml.unsafe_load",
    "yaml.UnsafeLoader",
  ].map((name) => [name, "builds objects that can run anything"] as const),
  ...[
    "code.interact",
    "code.InteractiveInterpreter",
    "code.InteractiveConsole",
    "runpy.run_path",
    "imp.load_source",
    "imp.load_module",
    "imp.load_compiled",
    "imp.load_dynamic",
    "importlib.util.spec_from_file_location",
    "importlib.util.spec_from_loader",
    "importlib.util.module_from_spec",
    "importlib.machinery.SourceFileLoader",
    "importlib.machinery.SourcelessFileLoader",
    "importlib.machinery.ExtensionFileLoader",
    "importlib.machinery.BuiltinImporter",
    "importlib.machinery.FrozenImporter",
    "importlib.machinery.PathFinder",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "zipimport.zipimporter",
    "logging.config.dictConfig",
    "logging.config.fileConfig",
    "logging.config.listen",
    "builtins.breakpoint",
    "builtins.execfile",
    "builtins.reload",
    "pydoc.writedoc",
    "doctest.script_from_examples",
  ].map((name) => [name, "runs code that is not in the program"] as const),
  ...[
    "sys._getframe",
    "sys._current_frames",
    "sys._getframemodulename",
    "sys.settrace",
    "sys.setprofile",
    "sys.addaudithook",
    "sys.meta_path",
    "sys.path_hooks",
    "sys.path_importer_cache",
    "threading.settrace",
    "threading.setprofile",
    "inspect.currentframe",
    "inspect.stack",
    "inspect.trace",
    "inspect.getinnerframes",
    "inspect.getouterframes",
    "inspect.getclosurevars",
    "gc.get_objects",
    "gc.get_referrers",
    "gc.get_referents",
    "builtins.__loader__",
    "builtins.__spec__.loader",
  ].map((name) => [name, "reaches into the interpreter"] as const),
]);

/** Classes that make functions out of code when they are called; programs ask whether something is one of them. */
export const makers: ReadonlySet<string> = new Set([
  "types.FunctionType",
  "types.LambdaType",
  "types.CodeType",
]);

/** Attributes through which any object leads to everything else. */
export const inner: ReadonlySet<string> = new Set([
  "__subclasses__",
  "__globals__",
  "__builtins__",
  "__import__",
  "__loader__",
  "func_globals",
  "f_globals",
  "f_builtins",
  "f_locals",
  "f_back",
  "gi_frame",
  "cr_frame",
  "ag_frame",
  "tb_frame",
  "import_module",
  "load_module",
  "exec_module",
  "find_spec",
  "get_code",
  "cell_contents",
  "_getframe",
  "__code__",
]);

/** Names that are there without an import. */
export const builtins: ReadonlySet<string> = new Set(
  ("__import__ __loader__ __spec__ abs aiter all anext any ascii bin bool breakpoint bytearray bytes " +
    "callable chr classmethod compile complex copyright credits delattr dict dir divmod enumerate eval " +
    "exec execfile exit filter float format frozenset getattr globals hasattr hash help hex id input int " +
    "isinstance issubclass iter len license list locals map max memoryview min next object oct open ord " +
    "pow print property quit range raw_input reload repr reversed round set setattr slice sorted " +
    "staticmethod str sum super tuple type unicode vars xrange zip").split(" "),
);

/** Builtins that are told apart by more than being one. */
export const readers: ReadonlySet<string> = new Set([
  "builtins.getattr",
  "builtins.object.__getattribute__",
  "builtins.type.__getattribute__",
  "inspect.getattr_static",
]);

/** What may be handed a module without it being lost from sight. */
export const harmless: ReadonlySet<string> = new Set(
  ("print repr str ascii format isinstance issubclass hasattr callable id hash dir help len bool type " +
    "getattr setattr delattr vars").split(" ").map((name) => `builtins.${name}`)
    .concat([
      "importlib.reload",
      "inspect.getmembers",
      "inspect.getsource",
      "inspect.ismodule",
    ]),
);

/** Packages whose modules have other names. */
export const packages: Readonly<Record<string, string>> = {
  beautifulsoup4: "bs4",
  "opencv-python": "cv2",
  pillow: "PIL",
  pycryptodome: "Crypto",
  pyserial: "serial",
  "python-dateutil": "dateutil",
  pyyaml: "yaml",
  pyzmq: "zmq",
  "scikit-learn": "sklearn",
  "scikit-image": "skimage",
  gitpython: "git",
  "python-docx": "docx",
};
