import type {
  PolicyPreset,
  RestrictedCall,
  RestrictedModule,
  SecurityPolicy,
  Severity,
} from "../security_policy.ts";

/** Names of one language. */
type ByLanguage = Readonly<Record<string, string>>;

interface Group {
  /** What is the matter with them. */
  readonly description: string;
  readonly modules?: ByLanguage;
  readonly calls?: ByLanguage;
  readonly alternatives?: readonly string[];
}

const _processes: Group = {
  description: "starts programs",
  modules: {
    python:
      "subprocess pty multiprocessing concurrent.futures.process sh pexpect",
    javascript: "child_process cluster worker_threads execa shelljs zx",
    java: "java.lang.ProcessBuilder java.lang.Process",
    go: "os/exec syscall golang.org/x/sys",
    ruby: "open3 pty shell",
    r: "processx callr sys parallel",
    c: "spawn.h sys/ptrace.h",
  },
  calls: {
    python:
      "os.system os.popen os.fork os.forkpty os.kill os.killpg os.execl os.execle os.execlp os.execlpe os.execv os.execve " +
      "os.execvp os.execvpe os.spawnl os.spawnle os.spawnlp os.spawnlpe os.spawnv os.spawnve os.spawnvp os.spawnvpe " +
      "os.posix_spawn os.posix_spawnp os.startfile asyncio.create_subprocess_exec asyncio.create_subprocess_shell " +
      "asyncio.subprocess.create_subprocess_exec asyncio.subprocess.create_subprocess_shell",
    javascript:
      "Deno.Command Deno.run Bun.spawn Bun.spawnSync Bun.$ process.kill process.binding process.dlopen",
    java:
      "java.lang.Runtime.exec java.lang.Runtime.halt java.lang.ProcessBuilder.*",
    go: "os.StartProcess",
    ruby:
      "system exec spawn fork ` IO.popen Process.spawn Process.fork Process.exec Process.kill",
    r: "system system2 shell shell.exec pipe",
    c: "system popen fork vfork execl execle execlp execv execve execvp execvpe posix_spawn posix_spawnp kill",
    bash: "sudo su doas kill pkill killall nohup at crontab systemctl",
  },
};

const _native: Group = {
  description: "runs native code or reaches into memory",
  modules: {
    python: "ctypes cffi mmap",
    javascript: "ffi ffi-napi koffi ref-napi inspector v8",
    java: "sun.misc jdk.internal java.lang.foreign com.sun.jna",
    go: "unsafe plugin C runtime/cgo",
    ruby: "fiddle ffi dl",
    r: "Rcpp inline",
    c: "dlfcn.h sys/mman.h",
  },
  calls: {
    javascript: "Deno.dlopen Deno.UnsafePointer Deno.UnsafeCallback",
    java: "java.lang.System.load java.lang.System.loadLibrary",
    r: "dyn.load library.dynam .Call .C .External",
    c: "dlopen dlsym syscall mprotect",
    bash: "gcc cc clang ld gdb strace ltrace insmod modprobe",
  },
};

const _sockets: Group = {
  description: "opens connections",
  modules: {
    python:
      "socket ssl socketserver ftplib smtplib telnetlib poplib imaplib nntplib xmlrpc asyncore asynchat paramiko " +
      "fabric scapy zmq",
    javascript: "net tls dgram dns http2 ssh2 ws",
    java:
      "java.net.Socket java.net.ServerSocket java.net.DatagramSocket java.nio.channels javax.net",
    go: "net golang.org/x/net golang.org/x/crypto/ssh",
    ruby: "socket net/ftp net/smtp net/ssh net/telnet drb",
    c: "sys/socket.h netinet/in.h arpa/inet.h netdb.h sys/un.h",
  },
  calls: {
    javascript:
      "Deno.connect Deno.listen Deno.connectTls Deno.serve Bun.listen Bun.connect Bun.serve",
    r: "socketConnection serverSocket",
    bash: "nc ncat netcat socat telnet ssh scp sftp ftp rsync",
  },
};

const _web: Group = {
  description: "makes requests to the web",
  modules: {
    python:
      "urllib.request urllib3 requests httpx aiohttp http.client httplib2 webbrowser selenium playwright scrapy",
    javascript:
      "http https undici axios node-fetch got superagent puppeteer playwright",
    java: "java.net okhttp3 org.apache.http",
    go: "net/http",
    ruby: "net/http open-uri httparty faraday",
    r: "httr httr2 curl RCurl rvest",
    c: "curl/curl.h",
  },
  calls: {
    javascript:
      "fetch WebSocket XMLHttpRequest EventSource navigator.sendBeacon",
    r: "download.file url utils::download.file",
    bash: "curl wget",
  },
};

const _deleting: Group = {
  description: "deletes files or changes who may use them",
  calls: {
    python:
      "shutil.rmtree os.remove os.unlink os.rmdir os.removedirs os.chmod os.chown os.symlink os.link os.rename os.renames os.replace",
    javascript:
      "fs.rm fs.rmSync fs.rmdir fs.rmdirSync fs.unlink fs.unlinkSync fs.chmod fs.chmodSync fs.promises.rm " +
      "fs.promises.rmdir fs.promises.unlink Deno.remove Deno.removeSync",
    java:
      "java.nio.file.Files.delete java.nio.file.Files.deleteIfExists java.io.File.delete",
    go: "os.Remove os.RemoveAll os.Chmod os.Chown os.Rename",
    ruby:
      "File.delete File.unlink FileUtils.rm FileUtils.rm_rf FileUtils.rm_r Dir.delete Dir.rmdir File.chmod",
    r: "unlink file.remove Sys.chmod",
    c: "remove unlink rmdir chmod chown rename",
    bash: "rm rmdir unlink shred dd mkfs chmod chown truncate",
  },
};

const _insides: Group = {
  description: "reaches into the interpreter",
  modules: {
    python:
      "gc inspect code codeop imp marshal pickle dill shelve runpy zipimport pdb bdb trace faulthandler signal",
    javascript: "vm repl module async_hooks",
    java: "java.lang.reflect java.lang.invoke javax.script javax.tools",
    go: "reflect runtime",
    ruby: "objspace binding tracer",
  },
  calls: {
    python:
      "sys._getframe sys.settrace sys.setprofile sys.setrecursionlimit breakpoint",
    ruby: "binding ObjectSpace.each_object set_trace_func",
    r: "sys.function assignInNamespace unlockBinding",
  },
};

const _system: Group = {
  description: "reaches the system",
  alternatives: ["pathlib for paths"],
  modules: {
    python:
      "os sys shutil importlib tempfile glob threading _thread builtins resource platform",
  },
};

const _running: Group = {
  description: "runs code that is made at run time",
  calls: {
    python: "eval exec compile __import__",
    javascript: "eval Function",
    ruby: "eval instance_eval class_eval module_eval",
    r: "eval parse source",
    bash: "eval source .",
  },
};

const _files: Group = {
  description: "reads and writes files",
  modules: {
    python: "pathlib io fileinput sqlite3 zipfile tarfile",
    javascript: "fs fs/promises sqlite",
    java: "java.io java.nio",
    go: "os io/ioutil",
    ruby: "fileutils tempfile pathname",
  },
  calls: {
    python: "open",
    javascript: "Deno.* Bun.*",
    ruby: "open File.* IO.* Dir.*",
    r: "file readLines writeLines read.csv write.csv readRDS saveRDS load save",
    c: "fopen open creat freopen",
  },
};

function _rules(
  groups: readonly (readonly [Group, Severity])[],
): Pick<SecurityPolicy, "restrictedModules" | "restrictedCalls"> {
  const restrictedModules: RestrictedModule[] = [];
  const restrictedCalls: RestrictedCall[] = [];
  for (
    const [{ description, modules, calls, alternatives }, severity] of groups
  ) {
    const list = <T>(names: ByLanguage | undefined, into: T[]) => {
      for (const [language, words] of Object.entries(names ?? {})) {
        const languages = language === "javascript"
          ? ["javascript", "typescript"]
          : language === "c"
          ? ["c", "cpp"]
          : [language];
        for (const name of words.split(" ")) {
          into.push({
            name,
            severity,
            languages,
            description: `${name} ${description}`,
            ...(alternatives && { alternatives }),
          } as T);
        }
      }
    };
    list(modules, restrictedModules);
    list(calls, restrictedCalls);
  }
  return { restrictedModules, restrictedCalls };
}

/** Modules that compute and reach nothing, of all languages. */
const _computing =
  "abc array base64 binascii bisect calendar cmath collections colorsys contextlib copy csv dataclasses datetime decimal " +
  "difflib enum fractions functools graphlib hashlib heapq hmac html itertools json keyword math numbers operator pprint " +
  "random re reprlib secrets statistics string struct textwrap time types typing unicodedata uuid zoneinfo __future__ " +
  "asyncio warnings weakref copyreg numpy pandas tools " +
  "assert buffer console events path punycode querystring string_decoder url util " +
  "java.lang java.util java.math java.time java.text " +
  "assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h " +
  "string.h time.h algorithm bit chrono complex deque functional initializer_list iomanip iostream iterator list map " +
  "memory numeric optional queue ranges ratio regex set span sstream stack string_view tuple type_traits unordered_map " +
  "unordered_set utility variant vector " +
  "bytes cmp container encoding errors fmt hash maps slices sort strconv strings unicode " +
  "bigdecimal date digest matrix prime set base stats methods utils datasets";

const _presets: Readonly<Record<PolicyPreset, () => SecurityPolicy>> = {
  minimal: () => ({
    ..._rules([[_processes, "high"], [_native, "high"]]),
    severityThreshold: "high",
    dynamic: "low",
  }),
  development: () => ({
    ..._rules([
      [_processes, "high"],
      [_native, "high"],
      [_deleting, "medium"],
      [_sockets, "medium"],
      [_web, "low"],
    ]),
    severityThreshold: "high",
    dynamic: "medium",
  }),
  educational: () => ({
    ..._rules([
      [_processes, "high"],
      [_native, "high"],
      [_sockets, "high"],
      [_web, "high"],
      [_deleting, "medium"],
      [_insides, "medium"],
    ]),
    severityThreshold: "medium",
    dynamic: "medium",
  }),
  dataScience: () => ({
    ..._rules([
      [_processes, "high"],
      [_native, "high"],
      [_sockets, "high"],
      [_deleting, "medium"],
      [_web, "low"],
    ]),
    severityThreshold: "medium",
    dynamic: "medium",
  }),
  webScraping: () => ({
    ..._rules([
      [_processes, "high"],
      [_native, "high"],
      [_sockets, "high"],
      [_deleting, "medium"],
      [_insides, "medium"],
    ]),
    severityThreshold: "medium",
    dynamic: "medium",
  }),
  production: () => ({
    ..._rules([
      [_processes, "high"],
      [_native, "high"],
      [_sockets, "high"],
      [_web, "high"],
      [_insides, "high"],
      [_deleting, "medium"],
      [_running, "medium"],
      [_system, "medium"],
    ]),
    severityThreshold: "low",
    dynamic: "medium",
    parseError: "high",
  }),
  strict: () => ({
    ..._rules([
      [_processes, "high"],
      [_native, "high"],
      [_sockets, "high"],
      [_web, "high"],
      [_insides, "high"],
      [_deleting, "high"],
      [_running, "high"],
      [_system, "high"],
      [_files, "high"],
    ]),
    allowedModules: _computing.split(" "),
    severityThreshold: "low",
    dynamic: "high",
    parseError: "high",
  }),
};

/**
 * The policy behind the name of a preset, to look at or to build on.
 *
 * @example
 * ```ts
 * import { policyPreset } from "@mote/sandbox";
 *
 * const { severityThreshold, restrictedModules } = policyPreset("dataScience");
 * console.log(severityThreshold, restrictedModules?.[0]?.name); // medium subprocess
 * ```
 */
export function policyPreset(name: PolicyPreset): SecurityPolicy {
  return _presets[name]();
}
