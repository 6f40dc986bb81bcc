//! What each step of a run costs without any binding: `cargo run --release -p mote-engine-wasm --example rust_bench`.
//! Arguments: names of images in guests/images/images.json, and `rounds=N`. Default: all images, 2,000 rounds.

use mote_core::engine::{Engine, Opening, Progress, Sandbox};
use mote_core::limits::Limits;
use mote_core::mailbox::Mailbox;
use mote_core::request::{ImageFile, Open, RunHead};
use mote_core::run::{NewRun, Run};
use mote_engine_wasm::WasmEngine;
use mote_engine_wasm::parts::{Active, Belongings, Guest, Image, Linked, Template};
use mote_wasi::Strings;
use mote_wasi::fs::{Fs, FsOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

struct Patient;

impl Opening for Patient {
    fn progress(&self, progress: Progress) {
        eprintln!("{}: {} %", progress.text, progress.done);
    }
    fn cancelled(&self) -> bool {
        false
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = arguments.iter().find_map(|argument| argument.strip_prefix("rounds=")).unwrap_or("2000");
    let rounds: usize = rounds.parse().expect("rounds is a number");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../guests/images");
    let list = std::fs::read(folder.join("images.json")).expect("guest images are built");
    let list: serde_json::Value = serde_json::from_slice(&list).expect("images.json is JSON");
    for (name, image) in list.as_object().expect("images.json is an object") {
        if arguments.iter().all(|argument| argument.contains('=') || argument == name) {
            let file = folder.join(image["file"].as_str().unwrap());
            bench(name, file, image["sha256"].as_str().unwrap(), rounds);
        }
    }
}

fn bench(name: &str, path: PathBuf, sha256: &str, rounds: usize) {
    let open = Open {
        backend: "wasm".into(),
        lang: name.into(),
        image: Some(ImageFile { path, sha256: sha256.into() }),
        guest: None,
        accept_emulated: false,
        cache_dir: cache_dir(),
        interactive: false,
        env: Default::default(),
        tools: vec![],
        limits: Limits::default(),
        seed: None,
        files_of: None,
    };
    let code: &[u8] = if name == "javascript" { b"console.log('hi')" } else { b"print('hi')" };
    let begun = Instant::now();
    Linked::pooled().expect("the engine starts");
    let engine_made = begun.elapsed();
    let engine = WasmEngine::new();
    let begun = Instant::now();
    let (sandbox, opened) = engine.open(&open, &Patient).expect("the image opens");
    let loaded = begun.elapsed();
    let first = run_once(sandbox.as_ref(), code);
    println!(
        "\n{name}: engine {engine_made:.1?}, load {loaded:.1?} (compiled: {}), first run {:.1?}",
        opened.compiled, first.total
    );

    let image = engine.loaded(sha256).expect("the image is loaded");
    layout(&image, code);
    steps(&image, code, rounds);
    let mut whole = Figures::default();
    let mut first_byte = Figures::default();
    for _ in 0..rounds {
        while image.ready.len() < 4 {
            std::thread::yield_now();
        }
        let ran = run_once(sandbox.as_ref(), code);
        whole.add(ran.total);
        first_byte.add(ran.first_byte);
    }
    first_byte.print("attach + run to first byte, from the pool");
    whole.print("attach + run to the end, from the pool");

    let mut whole = Figures::default();
    let begun = Instant::now();
    for _ in 0..rounds {
        whole.add(run_once(sandbox.as_ref(), code).total);
    }
    let rate = rounds as f64 / begun.elapsed().as_secs_f64();
    whole.print("the same, one after another without a pause");
    println!("  {:48} {rate:9.0} runs/s", "");

    let interactive = engine.open(&Open { interactive: true, ..open.clone() }, &Patient).expect("the image opens").0;
    let mut again = Figures::default();
    (0..rounds).for_each(|_| again.add(run_once(interactive.as_ref(), code).total));
    again.print("rerun in an interactive session");
    memory(&engine, &Open { interactive: true, ..open }, code);
}

/// Each step by itself on this thread, with its page faults.
fn steps(image: &Arc<Image>, code: &[u8], rounds: usize) {
    let names = ["instantiate", "instantiate and warm", "attach and first run", "second run", "restore", "teardown"];
    let mut figures: [Figures; 6] = Default::default();
    let mut faults = [0; 6];
    let template = Template::new(image).expect("instances of this image can be restored");
    for _ in 0..rounds {
        drop(Guest::new(image, false).expect("a slot is free"));
        let mut guest = None;
        for (step, name) in names.iter().enumerate() {
            let before = minor_faults();
            let begun = Instant::now();
            match *name {
                "instantiate" => guest = Some(Guest::new(image, false).expect("a slot is free")),
                "instantiate and warm" => guest = Some(Guest::new(image, true).expect("a slot is free")),
                "restore" => assert!(guest.as_mut().expect("there is one").restore(&template)),
                "teardown" => guest = None,
                _ => run_guest(guest.as_mut().expect("there is one"), image, code, *name != "second run"),
            }
            figures[step].add(begun.elapsed());
            faults[step] += minor_faults() - before;
            if *name == "instantiate" {
                guest = None;
            }
        }
    }
    for ((name, figures), faults) in names.iter().zip(&mut figures).zip(faults) {
        figures.print(&format!("{name} ({} faults)", faults / rounds));
    }
}

fn run_guest(guest: &mut Guest, image: &Image, code: &[u8], first: bool) {
    if first {
        let fs = Fs::new(FsOptions { image: Some(image.root.clone()), ..FsOptions::default() });
        guest.belong_to(Belongings {
            fs: Arc::new(Mutex::new(fs)),
            seed: [1; 32],
            env: &Strings::default(),
            memory_bytes: 1 << 30,
            interactive: false,
        });
    }
    let args = Strings::args([image.manifest.entry.as_str()]);
    guest.run(code, args, Active::new(new_run(), b""), first).expect("it returns");
}

/// How the pages that a run writes to lie in memory.
fn layout(image: &Image, code: &[u8]) {
    let mut guest = Guest::new(image, true).expect("a slot is free");
    let warm = guest.written_pages().unwrap_or_default();
    run_guest(&mut guest, image, code, true);
    let after = guest.written_pages().unwrap_or_default();
    let regions = |pages: &[u32]| 1 + pages.windows(2).filter(|pair| pair[0] + 1 != pair[1]).count();
    println!(
        "  pages written: {} in {} regions by warming, {} in {} regions after a run",
        warm.len(),
        regions(&warm),
        after.len(),
        regions(&after)
    );
}

fn minor_faults() -> usize {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().nth(7).and_then(|faults| faults.parse().ok()).unwrap_or(0)
}

fn memory(engine: &WasmEngine, open: &Open, code: &[u8]) {
    const SESSIONS: usize = 1000;
    let before = pss();
    let sessions: Vec<Arc<dyn Sandbox>> = (0..SESSIONS)
        .map(|_| {
            let sandbox = engine.open_at_once(open).expect("the image is loaded").expect("the session opens").0;
            run_once(sandbox.as_ref(), code);
            sandbox
        })
        .collect();
    let each = (pss().saturating_sub(before)) as f64 / SESSIONS as f64 / 1024.0;
    println!("  {:48} {each:9.3} MiB PSS each", "1,000 live interactive sessions");
    drop(sessions);
}

struct Ran {
    first_byte: Duration,
    total: Duration,
}

fn new_run() -> Arc<Run> {
    let new = NewRun {
        request: 1,
        time_ms: 30_000,
        stream: false,
        tools: Arc::from([]),
        call_ids: Arc::default(),
        mailbox: Arc::new(Mailbox::new(Box::new(|| {}))),
    };
    Run::new(Limits::default(), new)
}

fn run_once(sandbox: &dyn Sandbox, code: &[u8]) -> Ran {
    let run = new_run();
    let head = RunHead { code_bytes: code.len(), args: vec![], time_ms: None, stream: false };
    let begun = run.started();
    let outcome = sandbox.run(&head, code, b"", &run);
    let total = begun.elapsed();
    let traces = run.traces();
    assert_eq!(traces.stdout, b"hi\n", "{:?} {}", outcome.error, String::from_utf8_lossy(&traces.stderr));
    if let Some(afterwards) = outcome.afterwards {
        afterwards();
    }
    Ran { first_byte: traces.first_byte.expect("it printed") - begun, total }
}

#[derive(Default)]
struct Figures(Vec<Duration>);

impl Figures {
    fn add(&mut self, figure: Duration) {
        self.0.push(figure);
    }

    fn print(&mut self, what: &str) {
        self.0.sort_unstable();
        let at = |share: usize| self.0[(self.0.len() - 1) * share / 100].as_nanos() as f64 / 1000.0;
        println!("  {what:48} min {:8.1}  p50 {:8.1}  p99 {:8.1} µs", at(0), at(50), at(99));
    }
}

fn pss() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).unwrap_or(0)
}

fn cache_dir() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache/mote");
    std::env::var_os("MOTE_CACHE_DIR").map_or_else(home, PathBuf::from)
}
