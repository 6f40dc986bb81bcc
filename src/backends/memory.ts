import type { Language } from "../options.ts";
import type {
  Backend,
  Capabilities,
  FileRoot,
  FileStore,
  OpenSpec,
  RunOutcome,
  RunRequest,
  Wall,
} from "./backend.ts";
import { MemoryRun, sessionClosed } from "./memory/run.ts";
import { fileStore, MemoryTree } from "./memory/tree.ts";

const _mib = 1_048_576;
const _script = ["script" as Language];

const _capabilities: Capabilities = Object.freeze<Capabilities>({
  languages: _script,
  interactive: _script,
  install: [],
  tools: _script,
  http: [],
  cpuLimit: false,
  fileLimit: true,
  network: false,
  nativeLibraries: false,
  processes: false,
});

/**
 * A double for tests: no wall at all, but the behaviour of one. Its guest
 * language is a tiny script, one JSON array a line, such as `["print", "hi"]`.
 */
export const memoryBackend: Backend = {
  name: "memory",
  capabilities: _capabilities,
  guests: "none",
  resets: () => true,
  probe: () =>
    Promise.resolve({ available: true, reason: "it needs nothing, for tests" }),
  open: (spec) => Promise.resolve(new _MemoryWall(spec)),
};

class _MemoryWall implements Wall {
  readonly #spec: OpenSpec;
  #trees: Readonly<Record<FileRoot, MemoryTree>>;
  readonly #runs = new Set<MemoryRun>();
  #state = new Map<string, unknown>();
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(spec: OpenSpec) {
    this.#spec = spec;
    this.#trees = spec.filesOf instanceof _MemoryWall
      ? spec.filesOf.#trees
      : this.#empty();
  }

  #empty(): Readonly<Record<FileRoot, MemoryTree>> {
    const { workspaceMb, workspaceFiles } = this.#spec.limits;
    const tree = () => new MemoryTree(workspaceMb * _mib, workspaceFiles);
    return { sandbox: tree(), "site-packages": tree() };
  }

  async run(request: RunRequest): Promise<RunOutcome> {
    if (this.#closed) throw sessionClosed();
    const { env, tools, limits, interactive } = this.#spec;
    const self = () => this.#state;
    const run = new MemoryRun(request, {
      tree: this.#trees.sandbox,
      env,
      tools,
      limits,
      get state() {
        return self();
      },
    });
    this.#runs.add(run);
    const turn = this.#last.then(() => run.run());
    this.#last = turn.catch(() => {});
    turn.finally(() => this.#runs.delete(run)).catch(() => {});
    const outcome = await Promise.race([turn, run.left]);
    const { failure } = outcome;
    if (!interactive || failure) this.#state = new Map();
    if (!interactive || !failure) return outcome;
    const message = `${failure.message} The state of earlier runs is lost.`;
    return { ...outcome, failure: { ...failure, message } };
  }

  files(root: FileRoot): FileStore {
    return fileStore(this.#trees[root], () => {
      if (this.#closed) throw sessionClosed();
    });
  }

  // deno-lint-ignore require-await
  async reset(): Promise<void> {
    if (this.#closed) throw sessionClosed();
    this.#trees = this.#empty();
    this.#state = new Map();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const run of this.#runs) {
      run.stop(
        "SESSION_CLOSED",
        "Cannot run code: the session was closed. Open another.",
      );
    }
    await this.#last;
  }
}
