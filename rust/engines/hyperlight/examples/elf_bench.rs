//! A run of an own guest next to Hyperlight's own restore and call, in turns:
//! `cargo run --release -p mote-engine-hyperlight --example elf_bench -- GUEST.elf [rounds=N]`.
//! GUEST is that of guests/template. Ends with 1 when a run in a guest that has been put back takes more than 1.1 times as
//! long as putting it back and calling it.

use hyperlight_host::SandboxBuilder;
use mote_core::engine::{Engine, Opening, Progress, Sandbox};
use mote_core::limits::Limits;
use mote_core::mailbox::Mailbox;
use mote_core::request::{Guest, ImageFile, Open, RunHead};
use mote_core::run::{NewRun, Run};
use mote_engine_hyperlight::HyperlightEngine;
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MOST_RATIO: f64 = 1.1;
const BLOCK: usize = 10;
const CODE: &[u8] = b"exit 7";
const HEAP_BYTES: u64 = 1 << 20;

struct Patient;

impl Opening for Patient {
    fn progress(&self, _: Progress) {}
    fn cancelled(&self) -> bool {
        false
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = arguments.iter().find_map(|argument| argument.strip_prefix("rounds=")).unwrap_or("200");
    let rounds: usize = rounds.parse().expect("rounds is a number");
    let path = arguments.iter().find(|argument| !argument.contains('=')).expect("the guest's file is given");
    let file = std::fs::read(path).expect("the guest can be read");
    let sandbox = open(PathBuf::from(path), &file);
    let scratch = (file.len() as u64 + HEAP_BYTES + (2 << 20)).next_multiple_of(64 << 10);
    let builder = SandboxBuilder::from_bytes(file).heap_size(HEAP_BYTES).scratch_size(scratch as usize);
    let mut plain = builder.build().expect("the guest loads");
    let snapshot = plain.snapshot().expect("it can be snapshotted");
    let mut their = move || {
        plain.restore(snapshot.clone()).expect("it is restored");
        let code: i32 = plain.call("Run", CODE.to_vec()).expect("it runs");
        assert_eq!(code, 7);
    };
    // In blocks, and neither while the other is still at work: Mote puts a guest back after a run, on its own thread.
    let (mut theirs, mut ours, mut rested) = (Vec::new(), Vec::new(), Vec::new());
    for block in 0..=rounds / BLOCK {
        let kept = block > 0;
        for _ in 0..BLOCK {
            let time = timed(&mut their);
            theirs.extend(kept.then_some(time));
        }
        // Each of these waits for the restore after the one before it.
        for _ in 0..BLOCK {
            let time = timed(|| run(sandbox.as_ref()));
            ours.extend(kept.then_some(time));
        }
        for _ in 0..BLOCK {
            std::thread::sleep(median(&mut ours.clone()) * 2);
            let time = timed(|| run(sandbox.as_ref()));
            rested.extend(kept.then_some(time));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let (theirs, ours, rested) = (median(&mut theirs), median(&mut ours), median(&mut rested));
    let ratio = |time: Duration| time.as_secs_f64() / theirs.as_secs_f64();
    println!("Hyperlight's own restore + call  {theirs:.1?}");
    println!("runs without a pause             {ours:.1?}  {:.2} times", ratio(ours));
    println!("a run after a pause              {rested:.1?}  {:.2} times", ratio(rested));
    match ratio(rested) <= MOST_RATIO {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn open(path: PathBuf, file: &[u8]) -> Arc<dyn Sandbox> {
    let sha256 = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
    let open = Open {
        backend: "hyperlight".into(),
        lang: "python".into(),
        image: None,
        guest: Some(Guest::Elf { elf: ImageFile { path, sha256 } }),
        accept_emulated: true,
        cache_dir: std::env::temp_dir(),
        interactive: false,
        env: Default::default(),
        tools: vec![],
        limits: Limits::default(),
        seed: None,
        files_of: None,
    };
    let engine = HyperlightEngine::new();
    engine.open(&open, &Patient).expect("the guest opens").0
}

fn run(sandbox: &dyn Sandbox) {
    let new = NewRun {
        request: 1,
        time_ms: 60_000,
        stream: false,
        tools: Vec::new().into(),
        call_ids: Default::default(),
        mailbox: Arc::new(Mailbox::new(Box::new(|| {}))),
    };
    let run = Run::new(Limits::default(), new);
    let head = RunHead { code_bytes: CODE.len(), args: vec![], time_ms: None, stream: false };
    let outcome = sandbox.run(&head, CODE, &[], &run);
    assert_eq!(outcome.exit_code, Some(7), "{:?}", outcome.error);
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
