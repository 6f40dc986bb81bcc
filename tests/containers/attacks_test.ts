/** What native code in a box tries, and gets refused. */
import assert from "node:assert/strict";
import { each, said } from "./engines.ts";

/** Prints the name of each attempt that was let through. */
const attempts = `
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    return getattr(libc, name)(*args) >= 0
def syscall(number, *args):
    return libc.syscall(number, *args) >= 0
def writes(path, text="1"):
    with open(path, "w") as file: file.write(text)
    return True
def reads(path):
    with open(path, "rb") as file: file.read(1)
    return True
def setid(): os.setuid(0); return True
def raw(): socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); return True
def packet(): socket.socket(socket.AF_PACKET, socket.SOCK_RAW); return True
def outside():
    with socket.create_connection(("192.0.2.1", 80), timeout=2): return True
buffer = ctypes.create_string_buffer(4096)
tries = {
    "mount": lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
    "umount": lambda: call("umount", b"/proc"),
    "namespace of mounts": lambda: call("unshare", 0x20000),
    "namespace of pids": lambda: call("unshare", 0x20000000),
    "namespace of the network": lambda: call("unshare", 0x40000000),
    "pivot_root": lambda: syscall(155, b"/", b"/"),
    "chroot": lambda: call("chroot", b"/tmp"),
    "a device": lambda: call("mknod", b"/tmp/disk", 0o60600, 0x800),
    "setuid": setid,
    "the host's name": lambda: call("sethostname", b"x", 1),
    "the clock": lambda: call("clock_settime", 0, buffer),
    "a kernel module": lambda: syscall(175, buffer, 10, b""),
    "reboot": lambda: syscall(169, 0xfee1dead, 0x28121969, 0, None),
    "swap": lambda: call("swapon", b"/tmp/x", 0),
    "bpf": lambda: syscall(321, 5, buffer, 72),
    "performance counters": lambda: syscall(298, buffer, -1, 0, -1, 0),
    "keys of the kernel": lambda: syscall(248, b"user", b"k", b"v", 1, -3),
    "files by handle": lambda: syscall(304, 0, buffer, 0),
    "memory of the machine": lambda: reads("/dev/mem"),
    "kernel memory": lambda: reads("/proc/kcore"),
    "sysrq": lambda: writes("/proc/sysrq-trigger", "h"),
    "core_pattern": lambda: writes("/proc/sys/kernel/core_pattern", "|/tmp/x"),
    "a limit of a cgroup, v1": lambda: writes("/sys/fs/cgroup/memory/memory.limit_in_bytes", "-1"),
    "a limit of a cgroup, v2": lambda: writes("/sys/fs/cgroup/memory.max", "max"),
    "release_agent": lambda: writes("/sys/fs/cgroup/memory/release_agent", "/tmp/x"),
    "the engine's socket": lambda: reads("/var/run/docker.sock"),
    "raw sockets": raw,
    "packets": packet,
    "the network": outside,
    "a larger limit of files": lambda: __import__("resource").setrlimit(7, (1 << 40, 1 << 40)) is None,
}
for name, attempt in tries.items():
    try:
        if attempt(): print("let through:", name, flush=True)
    except Exception: pass
print("tried", len(tries), flush=True)
`;

each(
  "nothing that reaches for the kernel or the host is let through",
  async (tested) => {
    const text = await said(
      tested,
      `cat > /tmp/attempts.py <<'END'\n${attempts}\nEND\nexec python3 /tmp/attempts.py`,
    );
    assert.equal(text, "tried 30\n");
  },
);
