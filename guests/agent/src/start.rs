//! Starts what the host wants to run.

use crate::files::{Files, RUN};
use crate::link::set_nonblocking;
use crate::sys::{self, Confinement};
use crate::wire::{Malformed, Reader};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::time::Duration;

pub const LIVING: u8 = 1;
const PYTHON: u8 = 2;
const NODE: u8 = 4;
/// The folder of the run is left for the next one: this one has compiled something.
pub const KEEPS_FOLDER: u8 = 8;

/// Of threads of a run that counts its data, in bytes.
const STACK: u64 = 2 << 20;

const DRIVERS: [(u8, &str, &str); 2] = [
    (PYTHON, "driver.py", include_str!("../drivers/driver.py")),
    (NODE, "driver.mjs", include_str!("../drivers/driver.mjs")),
];

/// What a run may use up; 0 is no limit.
#[derive(Clone, Copy)]
pub struct Limits {
    pub time: Duration,
    pub cpu_us: u64,
    /// Of all processes together, in bytes.
    pub memory: u64,
}

impl Limits {
    pub fn read(reader: &mut Reader) -> Result<Self, Malformed> {
        let time = Duration::from_millis(reader.u32()?.into());
        Ok(Self { time, cpu_us: reader.u64()?, memory: reader.u64()? })
    }
}

pub struct Order<'a> {
    pub flags: u8,
    pub limits: Limits,
    /// Data that one process may have, in bytes, from when its driver is there; 0 is no limit.
    pub data: u64,
    pub credit: u32,
    cwd: &'a [u8],
    arguments: Vec<&'a [u8]>,
    env: Vec<&'a [u8]>,
}

impl<'a> Order<'a> {
    pub fn read(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader(payload);
        Ok(Self {
            flags: reader.u8()?,
            limits: Limits::read(&mut reader)?,
            data: reader.u64()?,
            credit: reader.u32()?,
            cwd: reader.bytes()?,
            arguments: reader.list()?,
            env: reader.list()?,
        })
    }
}

/// Our ends of what a process has.
pub struct Pipes {
    pub stdin: OwnedFd,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
    pub control: Option<OwnedFd>,
}

pub fn start(order: &Order, files: &Files, new_privileges: bool) -> Result<(i32, Pipes), Errno> {
    let (program, arguments) = order.arguments.split_first().ok_or(Errno::INVAL)?;
    let mut command = Command::new(OsStr::from_bytes(program));
    command.args(arguments.iter().copied().map(OsStr::from_bytes)).current_dir(OsStr::from_bytes(order.cwd));
    // The environment is the image's and the session's; where a cluster's own services are is neither.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_bytes().starts_with(b"KUBERNETES_")) {
        command.env_remove(name);
    }
    for entry in &order.env {
        let at = entry.iter().position(|byte| *byte == b'=').ok_or(Errno::INVAL)?;
        let (name, value) = (&entry[..at], &entry[at + 1..]);
        // What begins with a plus comes before what the image has.
        match name.strip_prefix(b"+") {
            Some(name) => {
                let mut joined = value.to_vec();
                if let Some(before) = std::env::var_os(OsStr::from_bytes(name)) {
                    joined.extend([b":", before.as_bytes()].concat());
                }
                command.env(OsStr::from_bytes(name), OsStr::from_bytes(&joined));
            }
            None => {
                command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
            }
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut control = None;
    let mut theirs = None;
    if let Some((_, name, text)) = DRIVERS.iter().find(|(flag, ..)| order.flags & flag != 0) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC;
        let file = files.root(RUN)?.open_at(name.as_bytes(), flags, Mode::from_raw_mode(0o600))?;
        std::io::Write::write_all(&mut std::fs::File::from(file), text.as_bytes()).map_err(errno)?;
        let (mine, other) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        set_nonblocking(&mine)?;
        (control, theirs) = (Some(mine), Some(other));
    }
    let mut child =
        sys::spawn(command, Confinement { control: theirs, new_privileges, stack: (order.data > 0).then_some(STACK) })
            .map_err(errno)?;
    let pipes = Pipes {
        stdin: child.stdin.take().ok_or(Errno::BADF)?.into(),
        stdout: child.stdout.take().ok_or(Errno::BADF)?.into(),
        stderr: child.stderr.take().ok_or(Errno::BADF)?.into(),
        control,
    };
    for fd in [&pipes.stdin, &pipes.stdout, &pipes.stderr] {
        set_nonblocking(fd)?;
    }
    Ok((child.id() as i32, pipes))
}

fn errno(error: std::io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::IO, Errno::from_raw_os_error)
}
