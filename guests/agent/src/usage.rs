//! What the container's own cgroup has counted, version 1 and 2; read where nobody else is in it when we begin.

use std::path::PathBuf;

pub struct Cgroup {
    cpu: Option<PathBuf>,
    memory: Option<PathBuf>,
    v2: bool,
}

/// Where the cgroup of a controller is mounted, if what is mounted is our own.
fn folder(controller: &str) -> Option<(PathBuf, bool)> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let of = |wanted: &str| {
        groups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (names, path) = (fields.next()?, fields.next()?);
            (names.split(',').any(|name| name == wanted)).then(|| path.to_string())
        })
    };
    let (path, kind, v2) = match of(controller) {
        Some(path) => (path, "cgroup", false),
        None => (of("")?, "cgroup2", true),
    };
    let mount = mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut after = after.split(' ');
        let right = after.next()? == kind && (v2 || after.nth(1)?.split(',').any(|option| option == controller));
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?, before.next()?);
        right.then(|| (root.to_string(), point.to_string()))
    })?;
    let inside = path.strip_prefix(mount.0.trim_end_matches('/'))?.trim_start_matches('/');
    let folder = PathBuf::from(mount.1).join(inside);
    folder.is_dir().then_some((folder, v2))
}

/// Whether nobody but us is counted in our cgroups, whatever namespaces show of them.
fn is_ours_alone() -> bool {
    let Some((folder, _)) = folder("pids") else { return false };
    std::fs::read_to_string(folder.join("pids.current")).is_ok_and(|text| text.trim() == "1")
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

impl Cgroup {
    pub fn find() -> Self {
        let trusted = is_ours_alone();
        let [cpu, memory] = ["cpuacct", "memory"].map(|controller| folder(controller).filter(|_| trusted));
        Self {
            v2: memory.as_ref().or(cpu.as_ref()).is_some_and(|(_, v2)| *v2),
            cpu: cpu.map(|(folder, v2)| folder.join(if v2 { "cpu.stat" } else { "cpuacct.usage" })),
            memory: memory.map(|(folder, _)| folder),
        }
    }

    /// Time on the processor of everybody in it, in microseconds.
    pub fn cpu_us(&self) -> Option<u64> {
        let text = std::fs::read_to_string(self.cpu.as_ref()?).ok()?;
        number_after(&text, "usage_usec").or_else(|| text.trim().parse::<u64>().ok().map(|ns| ns / 1_000))
    }

    /// How often the kernel has killed somebody in it for want of memory.
    pub fn memory_kills(&self) -> Option<u64> {
        let name = if self.v2 { "memory.events" } else { "memory.oom_control" };
        number_after(&std::fs::read_to_string(self.memory.as_ref()?.join(name)).ok()?, "oom_kill")
    }

    /// Memory that is no file's, in bytes.
    pub fn anonymous_bytes(&self) -> Option<u64> {
        let text = std::fs::read_to_string(self.memory.as_ref()?.join("memory.stat")).ok()?;
        number_after(&text, if self.v2 { "anon" } else { "rss" })
    }
}
