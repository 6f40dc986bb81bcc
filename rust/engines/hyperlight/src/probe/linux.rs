//! The questions to KVM, in the order in which the answers differ for a user.

use super::kvm::{self, Failed};
use super::{Hypervisor, Measured, Missing};
use kvm_ioctls::{Cap, Kvm};
use rustix::fs::{Gid, stat};
use rustix::io::Errno;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

const DEVICE: &str = "/dev/kvm";
/// A hypervisor that has not ended a few million instructions by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn look() -> Hypervisor {
    let device = match stat(DEVICE) {
        Ok(device) => device,
        Err(_) => return Hypervisor::None(Missing::Device),
    };
    let kvm = match Kvm::new() {
        Ok(kvm) => kvm,
        Err(error) => return Hypervisor::None(refused(error.errno(), Gid::from_raw(device.st_gid))),
    };
    for (cap, lacks) in [
        (Cap::X86UserSpaceMsr, "MSR exits to user space"),
        (Cap::X86MsrFilter, "a filter for MSRs"),
        (Cap::UserMemory, "memory of user space"),
    ] {
        if !kvm.check_extension(cap) {
            return Hypervisor::None(Missing::Old { lacks });
        }
    }
    drop(kvm);
    measure()
}

fn refused(errno: i32, owner: Gid) -> Missing {
    match Errno::from_raw_os_error(errno) {
        Errno::ACCESS | Errno::PERM => Missing::Permission { group: group_name(owner) },
        Errno::NOENT | Errno::NXIO | Errno::NODEV => Missing::Device,
        error => Missing::Failing { why: error.to_string() },
    }
}

/// A group that joining helps with: never root's.
fn group_name(gid: Gid) -> Option<String> {
    if gid.is_root() {
        return None;
    }
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let found = groups.lines().find(|line| line.split(':').nth(2) == Some(&gid.as_raw().to_string()));
    Some(found.and_then(|line| line.split(':').next()).map_or_else(|| gid.as_raw().to_string(), str::to_owned))
}

/// On a thread of its own: what a broken hypervisor does with a processor it is handed has no bound.
fn measure() -> Hypervisor {
    let (done, outcome) = channel();
    let spawned = thread::Builder::new().name("mote-probe".into()).spawn(move || {
        let _ = done.send(kvm::tiny_guest());
    });
    if let Err(error) = spawned {
        return Hypervisor::None(Missing::Failing { why: error.to_string() });
    }
    match outcome.recv_timeout(PATIENCE) {
        Ok(Ok(times)) => Measured {
            round_ns: times.round_ns,
            host_round_ns: times.host_round_ns,
            exit_us: times.exit_us,
            nested: kvm::is_virtual(),
        }
        .judged(),
        Ok(Err(Failed(why))) => Hypervisor::None(Missing::Failing { why }),
        Err(_) => Hypervisor::None(Missing::Failing { why: format!("it did not end within {PATIENCE:?}") }),
    }
}
