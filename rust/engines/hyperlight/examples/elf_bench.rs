//! A run of an own guest next to Hyperlight's own restore and call, in turns:
//! `cargo run --release -p mote-engine-hyperlight --example elf_bench -- GUEST.elf [rounds=N]`.
//! GUEST is that of guests/template. Ends with 1 when a run takes more than 1.1 times as long.

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
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for round in 0..rounds + 10 {
        let begun = Instant::now();
        plain.restore(snapshot.clone()).expect("it is restored");
        let code: i32 = plain.call("Run", CODE.to_vec()).expect("it runs");
        let their = begun.elapsed();
        assert_eq!(code, 7);
        let begun = Instant::now();
        run(sandbox.as_ref());
        let our = begun.elapsed();
        if round >= 10 {
            theirs.push(their);
            ours.push(our);
        }
    }
    let (theirs, back_to_back) = (median(theirs), median(ours));
    // The restore happens after a run, so a run that comes later does not wait for it.
    let mut rested = Vec::new();
    for _ in 0..rounds {
        std::thread::sleep(theirs * 2);
        let begun = Instant::now();
        run(sandbox.as_ref());
        rested.push(begun.elapsed());
    }
    let rested = median(rested);
    let ratio = |time: Duration| time.as_secs_f64() / theirs.as_secs_f64();
    println!("Hyperlight's own restore + call     {theirs:.1?}");
    println!("a run, in turns with it             {back_to_back:.1?}  {:.2} times", ratio(back_to_back));
    println!("a run after a pause                 {rested:.1?}  {:.2} times", ratio(rested));
    let immediately = immediately(sandbox.as_ref(), rounds);
    println!("runs without a pause                {immediately:.1?}  {:.2} times", ratio(immediately));
    match ratio(immediately) <= MOST_RATIO {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Each run waits for the restore after the one before it.
fn immediately(sandbox: &dyn Sandbox, rounds: usize) -> Duration {
    let times = (0..rounds).map(|_| {
        let begun = Instant::now();
        run(sandbox);
        begun.elapsed()
    });
    median(times.collect())
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

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
