/** What a box holds back, seen from inside of it. */
import assert from "node:assert/strict";
import { each, leavesNothing, said, saidBy, withBox } from "./engines.ts";
import { boxSpec, limits, noRights } from "./specs.ts";

each(
  "bytes go both ways, and the box ends with its input",
  (tested) =>
    leavesNothing(tested, async () => {
      await withBox(tested, boxSpec("cat"), async (box) => {
        assert.equal(box.alone, true);
        assert.match(box.imageId, /^(sha256:)?[0-9a-f]{64}$/);
        const chunk = new Uint8Array(1 << 20).map((_, index) => index % 251);
        const sent = 24;
        const writing = (async () => {
          for (let i = 0; i < sent; i++) await box.channel.write(chunk);
        })();
        let got = 0;
        for await (const bytes of box.channel.output) {
          for (const byte of bytes) {
            if (byte !== got++ % chunk.length % 251) assert.fail(`byte ${got}`);
          }
          if (got === sent * chunk.length) break;
        }
        await writing;
        assert.equal(got, sent * chunk.length);
      });
    }),
);

each("nobody, no privileges, nothing writable, no network", async (tested) => {
  const text = await said(
    tested,
    `id -u; id -g; grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status
    for dir in / /etc /usr /var /run /var/tmp /home /dev /sys /proc/sys; do
      touch $dir/written 2>/dev/null && echo "wrote to $dir"
    done
    echo links: $(ls /sys/class/net)
    ulimit -c; cat /proc/1/comm; echo home $HOME`,
  );
  const lines = text.split("\n");
  assert.deepEqual(lines.slice(0, 2), ["65532", "65532"], text);
  for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) {
    assert.match(text, new RegExp(`Cap${set}:\\s0000000000000000`));
  }
  assert.match(text, /NoNewPrivs:\s1/);
  assert.match(text, /Seccomp:\s2/);
  assert.doesNotMatch(text, /wrote to/);
  assert.match(text, /^links: lo$/m);
  assert.match(text, /^home \/tmp$/m);
});

each(
  "folders are as large and hold as many files as was said",
  async (tested) => {
    const text = await said(
      tested,
      `cd /sandbox; i=0; while [ $i -lt 200 ]; do touch f$i || break; i=$((i+1)); done 2>/dev/null
    echo files $i; rm -f f*; head -c 20000000 /dev/zero > big 2>/dev/null; wc -c < big; rm big
    printf '#!/bin/sh\\necho runs\\n' > run; chmod +x run; ./run
    cp run /tmp/run; /tmp/run 2>/dev/null || echo not in /tmp
    rm -f /tmp/run; ls -ldn /sandbox | cut -c1-10; head -c 9000000 /dev/zero > /tmp/big 2>/dev/null; wc -c < /tmp/big`,
    );
    const lines = text.trim().split("\n");
    assert.equal(lines[0], "files 100", text);
    assert.equal(lines[1], String(16 << 20));
    assert.deepEqual(lines.slice(2, 4), ["runs", "not in /tmp"]);
    assert.equal(lines[5], String(8 << 20));
  },
);

each("memory, processes and processors have their limit", async (tested) => {
  const text = await said(
    tested,
    `python3 -c '
import os
children = []
try:
    while len(children) < 200:
        pid = os.fork()
        if pid == 0: os.pause() if hasattr(os, "pause") else __import__("signal").pause()
        children.append(pid)
except OSError as error: print("processes", len(children), flush=True)
for pid in children: os.kill(pid, 9)
'; python3 -c 'x = bytearray(200 << 20)' 2>/dev/null || echo no memory
    python3 -c 'import multiprocessing as m; m.Lock(); print("shared memory")'`,
    { limits: { ...limits, processes: 20 } },
  );
  assert.match(text, /^processes 1[0-9]$/m, text);
  assert.match(text, /^no memory$/m);
  assert.match(text, /^shared memory$/m);
});

each("each right opens what it names, and nothing else", async (tested) => {
  const root = await said(
    tested,
    "id -u; touch /etc/x 2>/dev/null || echo shut; grep CapEff /proc/self/status; touch /sandbox/y && echo workspace",
    {
      rights: { ...noRights, root: true },
    },
  );
  assert.match(root, /^0\nshut\n.*\s0{16}\nworkspace/);
  const writable = await said(
    tested,
    "touch /etc/x && echo open",
    {
      rights: { ...noRights, root: true, writableRoot: true },
    },
  );
  assert.match(writable, /open/);
  const capable = await said(tested, "grep CapBnd /proc/self/status", {
    rights: { ...noRights, capabilities: ["NET_BIND_SERVICE"] },
  });
  assert.match(capable, /\s0000000000000400/);
  const privileges = await said(tested, "grep NoNewPrivs /proc/self/status", {
    rights: { ...noRights, newPrivileges: true },
  });
  assert.match(privileges, /\s0/);
  const network = await said(
    tested,
    "ls /sys/class/net; cat /etc/resolv.conf >/dev/null && echo named",
    {
      rights: { ...noRights, network: true },
    },
  );
  assert.match(network, /named/);
});

each(
  "what a main process complains about is kept, and no more",
  (tested) =>
    withBox(
      tested,
      boxSpec("head -c 100000 /dev/zero | tr '\\0' x >&2; echo the end >&2"),
      async (box) => {
        assert.equal(await saidBy(box), "");
        assert.match(box.channel.complaint(), /x{4000,}the end\n$/);
        assert.ok(box.channel.complaint().length <= 4_096);
      },
    ),
);
