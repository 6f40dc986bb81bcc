//! Hyperlight prints what a guest writes to its debug port on the standard error of this process, and has no switch for it.
//! KVM can take the writes to a port itself: then they only count up an event that nobody looks at, and cost no exit.

use mote_core::error::{Code, Error, Result};

fn failed(why: impl std::fmt::Display) -> Error {
    let message = format!("Cannot open session: the debug port of its machine cannot be closed: {why}");
    Error::new(Code::BackendUnavailable, message)
}

/// Closes the port of every machine of this process, that of a new one before code that is not trusted runs in it.
#[cfg(target_os = "linux")]
pub fn close() -> Result<()> {
    linux::close().map_err(failed)
}

/// On other systems it stays open.
#[cfg(not(target_os = "linux"))]
pub fn close() -> Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use kvm_ioctls::{IoEventAddress, Kvm, NoDatamatch};
    use rustix::fs::readlink;
    use rustix::io::{Errno, fcntl_dupfd_cloexec};
    use std::fs;
    use std::io::{Error, Result};
    use std::os::fd::{AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
    use std::sync::{Mutex, PoisonError};
    use vmm_sys_util::eventfd::{EFD_CLOEXEC, EFD_NONBLOCK, EventFd};

    /// The port, as hyperlight-common numbers it.
    const PORT: u64 = hyperlight_common::outb::OutBAction::DebugPrint as u64;
    const DESCRIPTORS: &str = "/proc/self/fd";

    /// Made once; as long as it lives, so do the ports' events.
    static SINK: Mutex<Option<(Kvm, EventFd)>> = Mutex::new(None);

    /// Hyperlight keeps a machine's descriptor to itself, so it is found by its name.
    pub fn close() -> Result<()> {
        let mut sink = SINK.lock().unwrap_or_else(PoisonError::into_inner);
        let (kvm, event) = match &mut *sink {
            Some(sink) => sink,
            None => sink.insert((Kvm::new().map_err(os)?, EventFd::new(EFD_CLOEXEC | EFD_NONBLOCK)?)),
        };
        for entry in fs::read_dir(DESCRIPTORS)? {
            let name = entry?.file_name();
            let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            let Some(machine) = is_machine(number).then(|| copy(number)).flatten() else { continue };
            // SAFETY: the copy is nobody else's, and is a machine's.
            let machine = unsafe { kvm.create_vmfd_from_rawfd(machine.into_raw_fd()) }.map_err(os)?;
            match machine.register_ioevent(event, &IoEventAddress::Pio(PORT), NoDatamatch) {
                Ok(()) => {}
                Err(error) if error.errno() == Errno::EXIST.raw_os_error() => {}
                Err(error) => return Err(os(error)),
            }
        }
        Ok(())
    }

    /// A descriptor of the same machine, which stays what it is, whatever others close.
    fn copy(number: RawFd) -> Option<OwnedFd> {
        // SAFETY: another thread may have closed it, or put another file in its place: then the copy fails, or is of
        // something that the next line lets go of. Nothing is read or written through it before that.
        let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
        let copy = fcntl_dupfd_cloexec(borrowed, 3).ok()?;
        is_machine(copy.as_raw_fd()).then_some(copy)
    }

    fn is_machine(number: RawFd) -> bool {
        let name = readlink(format!("{DESCRIPTORS}/{number}"), Vec::new());
        name.is_ok_and(|name| name.as_bytes() == b"anon_inode:kvm-vm")
    }

    fn os(error: kvm_ioctls::Error) -> Error {
        Error::from_raw_os_error(error.errno())
    }
}
