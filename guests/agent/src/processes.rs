//! Who is there: what /proc says of the processes beside the agent.

use crate::sys;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashSet;

pub struct Process {
    pub pid: i32,
    parent: i32,
    ticks: u64,
    zombie: bool,
}

fn parse(pid: i32, stat: &str) -> Option<Process> {
    // The name may hold anything, blanks and brackets included.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok());
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        zombie: *fields.first()? == "Z",
    })
}

fn everybody() -> Vec<Process> {
    let own = std::process::id() as i32;
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| *pid != own)
        .filter_map(|pid| parse(pid, &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .collect()
}

/// The processes of the run: everybody in a namespace of our own, else who descends from us.
pub fn ours(alone: bool) -> Vec<Process> {
    let all = everybody();
    if alone {
        return all;
    }
    let mut known = HashSet::from([std::process::id() as i32]);
    loop {
        let before = known.len();
        known.extend(
            all.iter().filter(|process| known.contains(&process.parent)).map(|process| process.pid).collect::<Vec<_>>(),
        );
        if known.len() == before {
            return all.into_iter().filter(|process| known.contains(&process.pid)).collect();
        }
    }
}

/// Time on the processor of those that live, in microseconds.
pub fn cpu_us(processes: &[Process]) -> u64 {
    processes.iter().map(|process| process.ticks).sum::<u64>() * 1_000_000 / sys::ticks_per_second()
}

/// Memory that is theirs alone, in bytes.
pub fn private_bytes(processes: &[Process]) -> u64 {
    let pages = processes.iter().filter_map(|process| {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", process.pid)).ok()?;
        let mut fields = text.split(' ').skip(1).map(|field| field.parse::<u64>());
        let (resident, shared) = (fields.next()?.ok()?, fields.next()?.ok()?);
        Some(resident.saturating_sub(shared))
    });
    pages.sum::<u64>() * rustix_page()
}

fn rustix_page() -> u64 {
    4_096
}

/// Kills all of them but one; false when there was none.
pub fn kill_but(processes: &[Process], spared: i32) -> bool {
    let mut any = false;
    for process in processes.iter().filter(|process| process.pid != spared && !process.zombie) {
        any = true;
        if let Some(pid) = Pid::from_raw(process.pid) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    any
}

/// Address space that a process may fill with data of its own, and how much of it is in memory, in bytes.
pub fn data_bytes(pid: i32) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1_024)
    };
    Some((field("VmData:")?, field("RssAnon:")?))
}
