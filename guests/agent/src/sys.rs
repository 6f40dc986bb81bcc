//! The calls that are not safe by themselves. Nothing else in this program is unsafe.
#![allow(unsafe_code)]

use rustix::fd::FromRawFd;
use rustix::process::{Resource, Rlimit};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

/// Open files of a process.
const FILES: u64 = 16_384;

/// A descriptor that is readable when a child has ended; the signal itself is blocked.
pub fn child_signals() -> io::Result<OwnedFd> {
    // SAFETY: `set` is initialised by sigemptyset before it is read; signalfd gives a descriptor that nobody else owns.
    unsafe {
        let mut set = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, libc::SIGCHLD);
        libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
        match libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

/// Closes whatever our parent has left open by mistake: it would be the guests' as well.
pub fn close_strays() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let fds: Vec<i32> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    for fd in fds.into_iter().filter(|fd| *fd > 2) {
        // SAFETY: called before anything is opened, so that no descriptor beyond the standard ones is anybody's. The one
        // of the listing itself is closed already, which is an error that nobody minds.
        unsafe { libc::close(fd) };
    }
}

/// Kills every process that we may signal, but for ourselves, in one step that no fork escapes.
pub fn kill_everybody() {
    // SAFETY: takes numbers only.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

/// Time on the processor, in microseconds: of children that were waited for, and our own.
pub fn cpu_times() -> (u64, u64) {
    [libc::RUSAGE_CHILDREN, libc::RUSAGE_SELF].map(cpu_time).into()
}

fn cpu_time(who: libc::c_int) -> u64 {
    // SAFETY: getrusage fills the struct, for which zeros are valid too.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(who, &mut usage);
        usage
    };
    [usage.ru_utime, usage.ru_stime].iter().map(|time| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64).sum()
}

/// A child that has ended.
pub struct Ended {
    pub pid: i32,
    /// Exit code, or minus the signal.
    pub status: i32,
    /// The most memory that it had at a time, in bytes.
    pub peak: u64,
}

/// Takes in a child that has ended; an error when there are none at all.
pub fn wait_any() -> io::Result<Option<Ended>> {
    let mut status = 0;
    // SAFETY: wait4 fills both, and zeros are valid for them too.
    let (pid, usage) = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        (libc::wait4(-1, &mut status, libc::WNOHANG, &mut usage), usage)
    };
    match pid {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        pid => {
            let status = if libc::WIFSIGNALED(status) { -libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) };
            Ok(Some(Ended { pid, status, peak: usage.ru_maxrss as u64 * 1_024 }))
        }
    }
}

/// How many clock ticks of /proc are a second.
pub fn ticks_per_second() -> u64 {
    // SAFETY: takes a number only.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).unwrap_or(100).max(1)
}

/// What a run's process is, beyond its command.
pub struct Confinement {
    /// Becomes descriptor 3.
    pub control: Option<OwnedFd>,
    pub new_privileges: bool,
    /// Size of threads' stacks, in bytes: C libraries take it from the limit of the first stack, which is raised later.
    pub stack: Option<u64>,
}

/// Starts a process in a session of its own, where the kernel's memory killer finds it before it finds us.
pub fn spawn(mut command: Command, confinement: Confinement) -> io::Result<Child> {
    let Confinement { control, new_privileges, stack } = confinement;
    let prepare = move || -> io::Result<()> {
        rustix::process::setsid()?;
        if !new_privileges {
            rustix::thread::set_no_new_privs(true)?;
        }
        rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
        if stack.is_some() {
            let _ = rustix::process::setrlimit(Resource::Stack, Rlimit { current: stack, maximum: None });
        }
        let files = Rlimit { current: Some(FILES), maximum: Some(FILES) };
        if rustix::process::getrlimit(Resource::Nofile).maximum.is_none_or(|most| most > FILES) {
            let _ = rustix::process::setrlimit(Resource::Nofile, files);
        }
        // Until exec we are what the agent is: nobody's to write to, not even ours.
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::Dumpable)?;
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        // The agent has to get its turn however many they are.
        let _ = rustix::process::nice(5);
        if let Some(control) = &control {
            // SAFETY: both are open or to be replaced, and this process has one thread. dup2 clears close-on-exec, unless
            // source and target are the same.
            unsafe {
                if control.as_raw_fd() == 3 {
                    libc::fcntl(3, libc::F_SETFD, 0);
                } else if libc::dup2(control.as_raw_fd(), 3) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
        }
        Ok(())
    };
    // SAFETY: this program has one thread, so that between fork and exec anything may be called.
    unsafe { command.pre_exec(prepare) };
    command.spawn()
}
