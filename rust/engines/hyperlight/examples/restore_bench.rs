//! Restore + run of each kind of guest, in turns, without TypeScript in between:
//! `cargo run --release -p mote-engine-hyperlight --example restore_bench -- [rounds=N] [images=DIR] [cache=DIR]`.

use mote_core::engine::{Engine, Opening, Progress, Sandbox};
use mote_core::limits::Limits;
use mote_core::mailbox::Mailbox;
use mote_core::request::{Guest, ImageFile, LinuxGuest, Open, RunHead};
use mote_core::run::{NewRun, Run};
use mote_engine_hyperlight::HyperlightEngine;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;

const LINUX: &str = "linux, python";
const PYTHON: &str = "micro, python";
const JAVASCRIPT: &str = "micro, javascript";

struct Patient;

impl Opening for Patient {
    fn progress(&self, _: Progress) {}
    fn cancelled(&self) -> bool {
        false
    }
}

struct Subject {
    name: &'static str,
    code: &'static str,
    sandbox: Arc<dyn Sandbox>,
    limits: Limits,
    times: Vec<Duration>,
}

fn argument(name: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(&format!("{name}=")).map(str::to_owned))
}

fn image(images: &Path, index: &serde_json::Value, name: &str) -> ImageFile {
    let text = |field: &str| index[name][field].as_str().expect("the image is listed").to_owned();
    ImageFile { path: images.join(text("file")), sha256: text("sha256") }
}

fn main() {
    let rounds: usize = argument("rounds").map_or(20, |rounds| rounds.parse().expect("a number"));
    let images = PathBuf::from(argument("images").unwrap_or_else(|| "guests/images".into()));
    let cache = argument("cache").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var("HOME").expect("a home")).join(".cache/mote"));
    let index = std::fs::read(images.join("images.json")).expect("the images are listed");
    let index: serde_json::Value = serde_json::from_slice(&index).expect("the list is JSON");
    let engine = HyperlightEngine::new();
    let open = |name, lang: &str, code, guest, with_image: bool, memory_mib: u64| {
        let limits = Limits { memory_bytes: memory_mib * MIB, workspace_bytes: 16 * MIB, ..Limits::default() };
        let open = Open {
            backend: "hyperlight".into(),
            lang: lang.into(),
            image: with_image.then(|| image(&images, &index, lang)),
            guest: Some(guest),
            accept_emulated: true,
            cache_dir: cache.clone(),
            interactive: false,
            env: Default::default(),
            tools: vec![],
            limits: limits.clone(),
            seed: None,
            files_of: None,
        };
        let sandbox = engine.open(&open, &Patient).expect("the guest opens").0;
        Subject { name, code, sandbox, limits, times: Vec::new() }
    };
    let micro = || Guest::Micro { elf: image(&images, &index, "micro") };
    let linux = LinuxGuest {
        image: image(&images, &index, "linux"),
        preload: vec![],
        site: None,
        net: vec![],
        mounts: Default::default(),
    };
    let reopen = |name| match name {
        LINUX => open(LINUX, "python", "print('hi')", Guest::Linux(linux.clone()), false, 64),
        PYTHON => open(PYTHON, "python", "print('hi')", micro(), true, 64),
        _ => open(JAVASCRIPT, "javascript", "console.log('hi')", micro(), true, 16),
    };
    let mut subjects = [LINUX, PYTHON, JAVASCRIPT].map(reopen);
    // In blocks: each run of a block waits for the restore after the one before it, and no other guest's is going on.
    const BLOCK: usize = 5;
    for round in 0..=rounds.div_ceil(BLOCK) {
        for subject in &mut subjects {
            run(subject);
            for _ in 0..BLOCK {
                let begun = Instant::now();
                run(subject);
                if round > 0 {
                    subject.times.push(begun.elapsed());
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    println!("VM exits of one restore + run");
    for subject in &subjects {
        const RUNS: u64 = 20;
        let Some(before) = counters() else {
            println!("cannot be read: run as root, with debugfs mounted");
            break;
        };
        // What is put back after a run is counted with it.
        (0..RUNS).for_each(|_| run(subject));
        std::thread::sleep(Duration::from_millis(100));
        let after = counters().unwrap_or_default();
        let each = |name: &str| (after[name] - before[name]) as f64 / RUNS as f64;
        println!(
            "{:20} {:.1}  of them I/O {:.1}, page faults {:.1}",
            subject.name,
            each("exits"),
            each("io_exits"),
            each("pf_taken")
        );
    }
    println!("one more live VM, after one run");
    for subject in &subjects {
        const LIVE: usize = 16;
        let more = |count: usize| -> Vec<Subject> { (0..count).map(|_| reopen(subject.name)).inspect(run).collect() };
        let warm = more(2);
        let before = rss_kib();
        let live = more(LIVE);
        println!("{:20} {} KiB resident", subject.name, (rss_kib() - before) / LIVE as u64);
        drop((warm, live));
    }
    let mut reference = None;
    for subject in &mut subjects {
        subject.times.sort();
        let p50 = subject.times[subject.times.len() / 2];
        let ratio = p50.as_secs_f64() / reference.get_or_insert(p50).as_secs_f64();
        println!("{:20} min {:.1?}  p50 {p50:.1?}  {ratio:.2} × the linux guest", subject.name, subject.times[0]);
    }
}

/// KVM's counters of all VMs of this machine.
fn counters() -> Option<BTreeMap<String, u64>> {
    let dir = std::fs::read_dir("/sys/kernel/debug/kvm").ok()?.flatten();
    let files = dir.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let read = |entry: std::fs::DirEntry| {
        let value = std::fs::read_to_string(entry.path()).ok()?.trim().parse().ok()?;
        Some((entry.file_name().into_string().ok()?, value))
    };
    Some(files.filter_map(read).collect())
}

fn rss_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("this process can be looked at");
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).expect("it has resident memory");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn run(subject: &Subject) {
    let new = NewRun {
        request: 1,
        time_ms: 60_000,
        stream: false,
        tools: Vec::new().into(),
        call_ids: Default::default(),
        mailbox: Arc::new(Mailbox::new(Box::new(|| {}))),
    };
    let run = Run::new(subject.limits.clone(), new);
    let head = RunHead { code_bytes: subject.code.len(), args: vec![], time_ms: None, stream: false };
    let outcome = subject.sandbox.run(&head, subject.code.as_bytes(), &[], &run);
    assert_eq!((outcome.exit_code, &*run.traces().stdout), (Some(0), &b"hi\n"[..]), "{:?}", outcome.error);
}
