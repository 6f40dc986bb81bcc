//! Runs that begin on the host's own thread: they end there, or leave it and go on on another one.

#[path = "../../../abi/tests/support/image.rs"]
#[allow(dead_code, reason = "this file uses its own part")]
mod image;

use mote_core::calls::{Answer, CallStatus};
use mote_core::engine::{Begun, Engine, Opening, Outcome, Progress, Sandbox};
use mote_core::limits::Limits;
use mote_core::mailbox::{Mailbox, Taken};
use mote_core::request::{Open, RunHead};
use mote_core::run::{NewRun, Run, Stop};
use mote_engine_wasm::WasmEngine;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

struct Patient;

impl Opening for Patient {
    fn progress(&self, _progress: Progress) {}
    fn cancelled(&self) -> bool {
        false
    }
}

struct Setting {
    engine: WasmEngine,
    open: Open,
    sandbox: Arc<dyn Sandbox>,
    limits: Limits,
    mailbox: Arc<Mailbox>,
    _cache: tempfile::TempDir,
}

impl Setting {
    fn new(interactive: bool, limits: Limits) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let image = serde_json::from_value(image::guest_image(cache.path())).unwrap();
        let open = Open {
            backend: "wasm".into(),
            lang: "test".into(),
            image: Some(image),
            cache_dir: cache.path().join("cache"),
            interactive,
            env: Default::default(),
            tools: vec![],
            limits: limits.clone(),
            seed: None,
            files_of: None,
            guest: None,
            accept_emulated: false,
        };
        let engine = WasmEngine::new();
        let sandbox = engine.open(&open, &Patient).unwrap().0;
        Self { engine, open, sandbox, limits, mailbox: Arc::new(Mailbox::new(Box::new(|| {}))), _cache: cache }
    }

    /// Another session with the same image.
    fn another(&self) -> Arc<dyn Sandbox> {
        self.engine.open(&self.open, &Patient).unwrap().0
    }

    fn run(&self, stream: bool) -> Arc<Run> {
        let new = NewRun {
            request: 1,
            time_ms: self.limits.time_ms,
            stream,
            tools: Arc::from(["weather".to_owned(), "a".to_owned(), "b".to_owned()]),
            call_ids: Arc::default(),
            mailbox: self.mailbox.clone(),
        };
        let run = Run::new(self.limits.clone(), new);
        run.started();
        run
    }

    fn begin(&self, code: &str, run: &Arc<Run>) -> Begun {
        let head = RunHead { code_bytes: code.len(), args: vec![], time_ms: None, stream: false };
        run.place().enter_hosts();
        let begun = self.sandbox.clone().begin(&head, code.as_bytes(), b"", run).expect("the image can be suspended");
        run.place().leave();
        begun
    }

    /// Begins a run that is asked to leave until it does.
    fn begin_and_leave(&self, code: &str, run: &Arc<Run>) -> Begun {
        let left = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !left.load(Ordering::SeqCst) {
                    run.place().ask_to_leave();
                    run.nudge();
                    thread::yield_now();
                }
            });
            let begun = self.begin(code, run);
            left.store(true, Ordering::SeqCst);
            begun
        })
    }

    /// Runs to the end and gives what was printed.
    fn printed(&self, code: &str) -> String {
        let run = self.run(false);
        ended(self.begin(code, &run));
        String::from_utf8(run.traces().stdout).unwrap()
    }
}

fn ended(begun: Begun) -> Outcome {
    match begun {
        Begun::Ended(mut outcome) => {
            outcome.afterwards.take().into_iter().for_each(|afterwards| afterwards());
            outcome
        }
        Begun::GoesOn(_) => panic!("it should have ended"),
    }
}

fn rest(begun: Begun) -> Box<dyn FnOnce() -> Outcome + Send> {
    match begun {
        Begun::Ended(outcome) => panic!("it should go on: {:?}", outcome.error),
        Begun::GoesOn(rest) => rest,
    }
}

#[test]
fn a_short_run_ends_where_it_began() {
    let setting = Setting::new(false, Limits::default());
    for _ in 0..100 {
        assert_eq!(setting.printed("psecret of this run"), "secret of this run");
        assert_eq!(setting.printed("z"), "\0".repeat(16));
        assert_eq!(setting.printed("c"), "1");
    }
    let run = setting.run(false);
    assert_eq!(ended(setting.begin("x", &run)).exit_code, Some(7));
}

#[test]
fn an_interactive_session_keeps_its_state_wherever_its_runs_end() {
    let setting = Setting::new(true, Limits::default());
    assert_eq!(setting.printed("c"), "1");
    let run = setting.run(false);
    let begun = setting.begin("tweather {}", &run);
    assert!(run.reply(0, Answer { status: CallStatus::Ok, payload: b"1".to_vec() }));
    let outcome = thread::spawn(rest(begun)).join().unwrap();
    assert_eq!((outcome.exit_code, run.traces().stdout), (Some(0), b"1".to_vec()));
    assert_eq!(setting.printed("c"), "2");
}

#[test]
fn one_that_computes_leaves_when_it_is_asked_and_can_be_stopped_there() {
    let setting = Setting::new(false, Limits::default());
    let run = setting.run(false);
    let going = thread::spawn(rest(setting.begin_and_leave("l", &run)));
    run.stop(Stop::Aborted);
    let outcome = going.join().unwrap();
    assert!(outcome.exit_code.is_none() && outcome.error.is_none());
    assert_eq!(setting.printed("pnext"), "next");
}

#[test]
fn one_that_was_asked_before_it_entered_leaves_too() {
    let setting = Setting::new(false, Limits::default());
    let run = setting.run(false);
    let head = RunHead { code_bytes: 1, args: vec![], time_ms: None, stream: false };
    run.place().enter_hosts();
    run.place().ask_to_leave();
    let begun = setting.sandbox.clone().begin(&head, b"l", b"", &run).unwrap();
    run.place().leave();
    let going = thread::spawn(rest(begun));
    run.stop(Stop::Aborted);
    assert!(going.join().unwrap().exit_code.is_none());
}

#[test]
fn one_that_is_stopped_before_it_left_ends_at_once() {
    let setting = Setting::new(false, Limits::default());
    let run = setting.run(false);
    let outcome = thread::scope(|scope| {
        let stopping = run.clone();
        scope.spawn(move || stopping.stop(Stop::Closed));
        let outcome = ended(setting.begin("l", &run));
        // A stop before the nudge was set is seen when the guest is entered.
        assert!(outcome.exit_code.is_none() && outcome.error.is_none());
        outcome
    });
    assert!(outcome.afterwards.is_none() && run.stopped() == Some(Stop::Closed));
}

#[test]
fn one_that_sleeps_leaves_first() {
    let setting = Setting::new(false, Limits::default());
    let run = setting.run(false);
    let going = thread::spawn(rest(setting.begin("s", &run)));
    run.stop(Stop::Aborted);
    assert!(going.join().unwrap().exit_code.is_none());
    let setting = Setting::new(false, Limits { time_ms: 20, ..Limits::default() });
    let run = setting.run(false);
    assert!(rest(setting.begin("s", &run))().exit_code.is_none());
    assert_eq!(run.stopped(), Some(Stop::Time));
}

#[test]
fn one_that_waits_for_tools_leaves_first() {
    let setting = Setting::new(false, Limits::default());
    let run = setting.run(false);
    let begun = setting.begin("b", &run);
    let answer = |text: &str| Answer { status: CallStatus::Ok, payload: text.into() };
    assert!(run.reply(1, answer("second")) && run.reply(0, answer("first")));
    let outcome = thread::spawn(rest(begun)).join().unwrap();
    assert_eq!((outcome.exit_code, run.traces().stdout), (Some(42), b"firstsecond".to_vec()));
}

#[test]
fn streamed_output_is_held_back_elsewhere_and_keeps_its_order() {
    const ALL: usize = 3 << 20;
    let setting = Setting::new(false, Limits { output_bytes: ALL as u64, ..Limits::default() });
    let run = setting.run(true);
    let going = thread::spawn(rest(setting.begin("f", &run)));
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    while bytes < ALL {
        let Taken::Bytes(taken) = setting.mailbox.take(&mut buffer) else { panic!("an event fits") };
        let mut events = &buffer[..taken];
        let mut read = 0;
        while !events.is_empty() {
            let length = u32::from_le_bytes(events[..4].try_into().unwrap()) as usize;
            read += length;
            events = &events[12 + length..];
        }
        bytes += read;
        run.acknowledge(read);
        thread::yield_now();
    }
    assert!(going.join().unwrap().exit_code.is_none());
    assert_eq!((bytes, run.stopped()), (ALL, Some(Stop::Output)));
}

#[test]
fn the_limit_of_cpu_time_holds_on_the_other_thread_too() {
    let setting = Setting::new(false, Limits { cpu_ms: Some(30), ..Limits::default() });
    let run = setting.run(false);
    let outcome = match setting.begin_and_leave("l", &run) {
        Begun::Ended(outcome) => outcome,
        Begun::GoesOn(rest) => thread::spawn(rest).join().unwrap(),
    };
    assert!(outcome.exit_code.is_none());
    assert_eq!(run.stopped(), Some(Stop::Cpu));
}

#[test]
fn crashes_are_the_same_on_the_host_thread() {
    let setting = Setting::new(false, Limits::default());
    for (code, why) in [("d", "stack overflow"), ("u", "aborted"), ("o", "out of bounds")] {
        let run = setting.run(false);
        let outcome = match setting.begin(code, &run) {
            Begun::Ended(outcome) => outcome,
            Begun::GoesOn(rest) => rest(),
        };
        assert!(outcome.error.unwrap().message.contains(why));
        assert_eq!(setting.printed("palive"), "alive");
    }
}

#[test]
fn sessions_that_get_no_stack_say_so_and_run_as_before() {
    let setting = Setting::new(true, Limits::default());
    let mut without = 0;
    let sandboxes: Vec<Arc<dyn Sandbox>> = (0..80)
        .map(|_| {
            let sandbox = setting.another();
            let run = setting.run(false);
            let head = RunHead { code_bytes: 1, args: vec![], time_ms: None, stream: false };
            run.place().enter_hosts();
            let begun = sandbox.clone().begin(&head, b"c", b"", &run);
            run.place().leave();
            let outcome = begun.map_or_else(
                || {
                    without += 1;
                    sandbox.run(&head, b"c", b"", &run)
                },
                ended,
            );
            assert_eq!((outcome.exit_code, run.traces().stdout), (Some(0), b"1".to_vec()));
            sandbox
        })
        .collect();
    assert!(without > 0);
    drop(sandboxes);
}
