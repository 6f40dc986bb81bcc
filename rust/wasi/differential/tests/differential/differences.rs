//! Where mote-wasi deliberately does something else than wasmtime-wasi 48, by name and with the reason. Nothing else
//! may differ, and each of these must still be met by the random calls.

use std::collections::BTreeMap;

use crate::pair::End;
use crate::step::Step;

pub struct Difference {
    pub name: &'static str,
    pub reason: &'static str,
    applies: fn(&Step, End, End) -> bool,
    /// Neither side has changed anything, so the sequence goes on.
    pub harmless: bool,
}

pub const DIFFERENCES: &[Difference] = &[
    Difference {
        name: "unknown flags and tags",
        harmless: true,
        reason: "wasmtime-wasi traps; EINVAL lets the guest go on",
        applies: |_, mote, reference| (mote, reference) == (EINVAL, End::Trap),
    },
    Difference {
        name: "created without the right to write",
        harmless: false,
        reason: "wasmtime-wasi opens for writing whatever creates or truncates; POSIX lets only those write who asked for it",
        applies: |step, mote, reference| {
            let writes = ["fd_write", "fd_pwrite", "fd_filestat_set_size"].contains(&step.name);
            step.loose && writes && matches!((mote, reference), (EBADF | EINVAL, End::Errno(_)))
        },
    },
    Difference {
        name: "times of an open directory",
        harmless: false,
        reason: "wasmtime-wasi holds it by a handle that cannot set them (EBADF)",
        applies: |step, mote, reference| step.name == "fd_filestat_set_times" && (mote, reference) == (SUCCESS, EBADF),
    },
    Difference {
        name: "no times to set",
        harmless: true,
        reason: "Linux then does not even look for the file; here a missing one is told",
        applies: |step, mote, reference| {
            step.name == "path_filestat_set_times" && mote != SUCCESS && reference == SUCCESS
        },
    },
    Difference {
        name: "reading nothing from stdin",
        harmless: true,
        reason: "wasmtime-wasi takes an empty read for an interrupted one (EINTR); POSIX returns 0",
        applies: |step, mote, reference| step.name == "fd_read" && (mote, reference) == (SUCCESS, End::Errno(27)),
    },
    Difference {
        name: "attributes of a name that ends in a slash or a dot",
        harmless: true,
        reason: "wasmtime-wasi loses them; POSIX follows a link there and says ENOTDIR of a file",
        applies: |step, mote, reference| {
            let asked = step.name == "path_filestat_get" && needs_directory(&step.old);
            asked && matches!(mote, End::Errno(_)) && reference == SUCCESS
        },
    },
    Difference {
        name: "quota",
        harmless: false,
        reason: "the workspace holds 256 MiB, the machine's disk more",
        applies: |step, mote, _| {
            ["fd_filestat_set_size", "fd_pwrite", "fd_write"].contains(&step.name) && mote == ENOSPC
        },
    },
    Difference {
        name: "absolute links",
        harmless: false,
        reason: "refused by wasmtime-wasi as they would mean the machine's own root; here they start at the guest's",
        applies: |step, _, reference| step.name == "path_symlink" && step.old.starts_with(b"/") && reference == EPERM,
    },
    Difference {
        name: "a name that ends in a slash or in dots",
        harmless: false,
        reason: "wasmtime-wasi opens it as a directory and works on its `.`; here as in Linux the name before the slash is meant",
        applies: |step, mote, reference| match step.name {
            "path_remove_directory" if reference == EINVAL => needs_directory(&step.old),
            "path_remove_directory" | "path_unlink_file" => {
                needs_directory(&step.old) && mote != SUCCESS && reference != SUCCESS
            }
            "path_link" | "path_symlink" => {
                (needs_directory(&step.old) || needs_directory(&step.new)) && mote != SUCCESS && reference != SUCCESS
            }
            _ => false,
        },
    },
];

/// Differences that the random calls keep away from or that are masked before memory is compared, with the reason.
pub const KEPT_AWAY: &[(&str, &str)] = &[
    ("several buffers", "wasmtime-wasi moves only the first that is not empty; here all, as readv and writev do"),
    ("more than 1,024 buffers or 4,096 subscriptions", "EINVAL here; wasmtime-wasi counts bytes and says ENOMEM"),
    ("more than 64 MiB in one call", "ends short here; ENOMEM there from 128 MiB on"),
    ("numbers of descriptors", "the lowest free one here, as POSIX wants; there the highest that was closed"),
    ("1,024 descriptors", "EMFILE here; no bound there"),
    (
        "order and cookies of directory entries",
        "the order of their making here, and a cookie stays true while entries vanish",
    ),
    ("numbers of nodes and devices", "small numbers here; a hash of the machine's own there"),
    ("times", "not changed by reading here; ctim is the last change here, the birth there"),
    ("size and links of a directory", "0 and 1 here; the machine's file system's own there"),
    ("padding of records", "zeroed here, left alone there"),
    ("misaligned pointers", "served here; a trap there"),
    ("clocks of CPU time", "whatever the host says here; EBADF there"),
    ("clock resolution", "1 ns unless the host says more"),
    ("fd_allocate", "done here; ENOTSUP there"),
    ("proc_exit from 126 on", "any code here; a trap there"),
    ("events of poll_oneoff", "all bytes at hand are told here; 1 there"),
];

const SUCCESS: End = End::Errno(0);
const EBADF: End = End::Errno(8);
const ENOSPC: End = End::Errno(51);
const EPERM: End = End::Errno(63);

fn needs_directory(path: &[u8]) -> bool {
    path.ends_with(b"/") || path.split(|b| *b == b'/').next_back().is_some_and(|last| last == b"." || last == b"..")
}

const EINVAL: End = End::Errno(28);

/// Which differences were met, and those that nothing explains, with an example each.
pub struct Seen {
    met: Vec<u32>,
    unexplained: BTreeMap<String, (u32, String)>,
}

impl Seen {
    pub fn new() -> Self {
        Self { met: vec![0; DIFFERENCES.len()], unexplained: BTreeMap::new() }
    }

    /// The difference that was met, if the table knows it.
    pub fn explain(&mut self, step: &Step, mote: End, reference: End) -> Option<&'static Difference> {
        let n = DIFFERENCES.iter().position(|d| (d.applies)(step, mote, reference))?;
        self.met[n] += 1;
        Some(&DIFFERENCES[n])
    }

    pub fn unexplained(&mut self, what: String, log: &[String]) {
        self.unexplained.entry(what).or_insert_with(|| (0, log.join("\n"))).0 += 1;
    }

    pub fn assert_known_and_all_met(&self) {
        for (what, (count, example)) in &self.unexplained {
            println!("{count} × {what}, as here:\n{example}\n");
        }
        assert!(self.unexplained.is_empty(), "{} differences that are not in the table", self.unexplained.len());
        for (name, reason) in KEPT_AWAY {
            println!("       — {name}: {reason}");
        }
        for (difference, count) in DIFFERENCES.iter().zip(&self.met) {
            println!("{count:6} × {}: {}", difference.name, difference.reason);
            assert!(*count > 0, "the difference “{}” was never met", difference.name);
        }
    }
}
