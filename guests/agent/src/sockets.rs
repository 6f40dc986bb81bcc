//! Takes sockets of networks away, where what provides the container cannot take the network away.
#![allow(unsafe_code)]

use libc::{sock_filter, sock_fprog};
use rustix::io::Errno;
use std::mem::offset_of;

const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const NOT_BELOW: u32 = libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
/// Calls with this bit are those of the x32 ABI.
const X32: u32 = 0x4000_0000;
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;

fn step(code: u32, k: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter { code: code as u16, jt: yes, jf: no, k }
}

fn error(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno as u32
}

/// From here on this process and all that it starts can make sockets of AF_UNIX only. Other ABIs of the processor, and
/// io_uring, by which sockets could be made unseen, are refused as if the kernel had none. Nothing undoes it.
pub fn take_away() -> Result<(), Errno> {
    let number = offset_of!(libc::seccomp_data, nr) as u32;
    let arch = offset_of!(libc::seccomp_data, arch) as u32;
    // The lower half of the first argument: a family is an int.
    let family = offset_of!(libc::seccomp_data, args) as u32;
    let mut program = [
        step(LOAD, arch, 0, 0),
        step(EQUAL, AUDIT_ARCH_X86_64, 0, 10),
        step(LOAD, number, 0, 0),
        step(NOT_BELOW, X32, 8, 0),
        step(EQUAL, libc::SYS_io_uring_setup as u32, 7, 0),
        step(EQUAL, libc::SYS_io_uring_enter as u32, 6, 0),
        step(EQUAL, libc::SYS_io_uring_register as u32, 5, 0),
        step(EQUAL, libc::SYS_socket as u32, 1, 0),
        step(EQUAL, libc::SYS_socketpair as u32, 0, 4),
        step(LOAD, family, 0, 0),
        step(EQUAL, libc::AF_UNIX as u32, 2, 0),
        step(RETURN, error(libc::EAFNOSUPPORT), 0, 0),
        step(RETURN, error(libc::ENOSYS), 0, 0),
        step(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    rustix::thread::set_no_new_privs(true)?;
    let filter = sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: the kernel copies `program`, which lives until the call has returned, and nothing else.
    match unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &filter) } {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}
