/** Sessions in pods: what code cannot reach, what is refused, and how a session goes on without its pod. */
import assert from "node:assert/strict";
import {
  createSession,
  SandboxError,
  type SandboxErrorCode,
  type Session,
  type SessionOptions,
} from "@mote/sandbox";
import { Cluster } from "../../src/backends/container/kubernetes/cluster.ts";
import { podsPath } from "../../src/backends/container/kubernetes/watch.ts";
import {
  clusterTest,
  image,
  label,
  placement,
  pods,
  throughProxy,
  until,
} from "./cluster.ts";

type Options = SessionOptions<"kubernetes">;

function open(options: Options = {}): Promise<Session> {
  return createSession({
    backend: "kubernetes",
    image,
    ...options,
    runtimeConfigs: { ...placement, labels: { test: label } },
  });
}

async function withSession(
  options: Options,
  use: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await open(options);
  try {
    await use(session);
  } finally {
    await session.close();
  }
}

function fails(
  what: Promise<unknown>,
  code: SandboxErrorCode,
  message: RegExp,
): Promise<void> {
  return assert.rejects(
    what,
    (error) =>
      error instanceof SandboxError && error.code === code &&
      message.test(error.message),
  );
}

const sockets = `
import ctypes, errno, os, socket
families = {name: getattr(socket, name) for name in dir(socket) if name.startswith("AF_")}
made = []
for name, family in families.items():
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind).close()
            made.append(name)
        except OSError:
            pass
print(sorted(set(made)))
libc = ctypes.CDLL(None, use_errno=True)
for number in (425, 426, 427, 41 | 0x40000000):
    assert libc.syscall(number, 2, 1, 0) == -1
    assert ctypes.get_errno() == errno.ENOSYS, number
a, b = socket.socketpair()
a.send(b"x")
print(b.recv(1))
if os.fork() == 0:
    try:
        socket.socket()
        print("a child has sockets")
    except OSError as error:
        print(error.errno == errno.EAFNOSUPPORT)
    os._exit(0)
os.wait()
`;

clusterTest("code has no sockets but those of its own machine", async () => {
  await withSession({}, async (session) => {
    const { stdout, stderr } = await session.run(sockets);
    assert.equal(stdout, "['AF_UNIX']\nb'x'\nTrue\n", stderr);
    assert.equal(session.capabilities.network, false);
  });
});

clusterTest("a right gives it the pod's network", async () => {
  const { hostname, port } = new URL((await Cluster.load()).server);
  const code = `import socket
socket.create_connection(("${hostname}", ${port || 443}), 5).close()
print("reached")`;
  await withSession({ rights: { net: true } }, async (session) => {
    const { stdout, stderr } = await session.run(code);
    assert.equal(stdout, "reached\n", stderr);
  });
});

clusterTest("what pods cannot hold is refused", async () => {
  await fails(
    open({ rights: { net: ["example.com"] } }),
    "UNSUPPORTED",
    /network/,
  );
  await fails(
    open({ rights: { newPrivileges: true } }),
    "INVALID_OPTION",
    /rights\.net: true/,
  );
  await fails(
    open({ limits: { workspaceFiles: 5 } }),
    "UNSUPPORTED",
    /does not count files/,
  );
  await fails(open({ commitContainer: true }), "UNSUPPORTED", /docker, podman/);
});

clusterTest(
  "a session goes on when its pod is deleted in mid-run",
  async () => {
    await withSession({}, async (session) => {
      await session.run("open('kept', 'w').close()");
      const [pod] = await pods();
      const running = session.run("import threading\nthreading.Event().wait()");
      const cluster = await Cluster.load();
      await cluster.call(podsPath(cluster.namespace, pod!.metadata!.name!), {
        method: "DELETE",
        body: { gracePeriodSeconds: 0 },
      });
      await fails(running, "GUEST_CRASHED", /deleted from outside.*are gone/);
      const { stdout } = await session.run("import os\nprint(os.listdir('.'))");
      assert.equal(stdout, "[]\n");
      await until("one pod", async () => (await pods()).length === 1);
    });
  },
);

clusterTest("a session goes on when the API server is back", async () => {
  await throughProxy((proxy) =>
    withSession({}, async (session) => {
      const running = session.run("import threading\nthreading.Event().wait()");
      running.catch(() => {});
      const { stdout } = await Promise.race([
        running,
        new Promise<{ stdout: string }>((resolve) =>
          setImmediate(() => {
            proxy.cut();
            resolve({ stdout: "cut" });
          })
        ),
      ]);
      assert.equal(stdout, "cut");
      await fails(running, "BACKEND_UNAVAILABLE", /API server/);
      await fails(session.run("print(1)"), "BACKEND_UNAVAILABLE", /answer/);
      proxy.mend();
      assert.equal((await session.run("print(1)")).stdout, "1\n");
    })
  );
});

clusterTest("nothing burns on after a time limit", async () => {
  const code = `import os
for _ in range(3):
    if os.fork() == 0: os.setsid()
while True: pass`;
  await withSession({ timeoutMs: 1_000 }, async (session) => {
    await fails(session.run(code), "TIMED_OUT", /1000 ms|1_000 ms|1 s/);
    const { stdout, stderr } = await session.run(`import os
print(sorted(int(pid) for pid in os.listdir("/proc") if pid.isdigit())[0], sum(
    pid.isdigit() for pid in os.listdir("/proc")))`);
    assert.equal(stdout, "1 2\n", stderr);
  });
});
