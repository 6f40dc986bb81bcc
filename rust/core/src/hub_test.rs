//! The hub over an engine that does as its code says.

use super::*;
use crate::engine::{Begun, Outcome};
use crate::error::Result;
use crate::request::RunHead;
use crate::run::{Run, Stream};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

struct Double;

impl Engine for Double {
    fn name(&self) -> &'static str {
        "double"
    }

    fn probe(&self) -> Probe {
        Probe { available: true, reason: "it is here".into() }
    }

    fn open_at_once(&self, open: &Open) -> Option<Result<(Arc<dyn Sandbox>, Opened)>> {
        (open.lang == "at-once").then(|| Ok((Arc::new(Double) as Arc<dyn Sandbox>, opened())))
    }

    fn open(&self, open: &Open, opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        opening.progress(Progress { stage: "compile", done: 1, total: 2, text: "half".into() });
        match open.lang.as_str() {
            "panic" => panic!("as the test asks"),
            "heir" => match opening.tree().map(|tree| tree.downcast::<&str>()) {
                Some(Ok(tree)) if *tree == "tree" => Ok((Arc::new(Double), opened())),
                _ => Err(Error::internal("it got no files")),
            },
            "never" => {
                while !opening.cancelled() {
                    std::thread::yield_now();
                }
                Err(Error::internal("it was cancelled"))
            }
            _ => Ok((Arc::new(Double), opened())),
        }
    }
}

fn opened() -> Opened {
    Opened { image: None, compiled: false, ms: 0.0 }
}

impl Sandbox for Double {
    fn run(&self, _head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        match code {
            b"panic" => panic!("as the test asks"),
            b"sleep" => {
                let _ = run.sleep(Instant::now() + Duration::from_secs(3600));
                return Outcome::default();
            }
            _ => drop(run.write(Stream::Stdout, stdin)),
        }
        Outcome { exit_code: Some(0), ..Outcome::default() }
    }

    fn files(&self, _request: &Submit, _payload: &[u8]) -> Result<(Value, Vec<u8>)> {
        Ok((json!({}), b"file".to_vec()))
    }

    fn tree(&self) -> Option<Tree> {
        Some(Arc::new("tree"))
    }

    fn begin(self: Arc<Self>, _head: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Option<Begun> {
        let here = thread::current().id();
        match code {
            b"here" => {
                let _ = run.write(Stream::Stdout, stdin);
                run.call_begin(b"tool", b"{}");
                Some(Begun::Ended(Outcome { exit_code: Some(1), ..Outcome::default() }))
            }
            b"leave" => {
                while !run.place().is_leaving() {
                    thread::yield_now();
                }
                run.place().leave();
                let run = run.clone();
                Some(Begun::GoesOn(Box::new(move || {
                    assert_ne!(here, thread::current().id());
                    let _ = run.sleep(Instant::now() + Duration::from_secs(3600));
                    Outcome::default()
                })))
            }
            b"panic" => panic!("as the test asks"),
            b"panic later" => Some(Begun::GoesOn(Box::new(|| panic!("as the test asks")))),
            _ => None,
        }
    }
}

struct Host {
    hub: Hub,
    client: i64,
    bell: Receiver<()>,
    ended: RefCell<HashMap<u32, (Value, Vec<u8>)>>,
}

impl Host {
    fn new() -> Self {
        let hub = Hub::new(vec![Arc::new(Double)]);
        let (ring, bell) = channel();
        let ring = Mutex::new(ring);
        let client = hub
            .connect(move |_| {
                let _ = locked(&ring).send(());
            })
            .unwrap();
        Self { hub, client, bell, ended: RefCell::default() }
    }

    fn open(&self, request: u32, lang: &str) -> i64 {
        let head = json!({"backend": "double", "lang": lang, "cacheDir": "/"});
        self.hub.open(self.client, request, &codec::encode(&head, b"")).unwrap()
    }

    fn open_over(&self, request: u32, files_of: i64) -> i64 {
        let head = json!({"backend": "double", "lang": "heir", "cacheDir": "/", "filesOf": files_of});
        self.hub.open(self.client, request, &codec::encode(&head, b"")).unwrap()
    }

    fn run(&self, session: i64, request: u32, code: &str) {
        let message = codec::encode(&json!({"op": "run", "codeBytes": code.len()}), format!("{code}in").as_bytes());
        assert!(self.hub.submit(session, request, &message).is_ok());
    }

    /// Waits for the done event of a request.
    fn done(&self, request: u32) -> (Value, Vec<u8>) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            if let Some(done) = self.ended.borrow_mut().remove(&request) {
                return done;
            }
            let Ok(Taken::Bytes(taken)) = self.hub.take(self.client, &mut buffer) else { panic!("take succeeds") };
            let mut events = &buffer[..taken];
            while !events.is_empty() {
                let word = |at: usize| u32::from_le_bytes(events[at..at + 4].try_into().unwrap());
                let (event, rest) = events.split_at(12 + word(0) as usize);
                if event[8] == EventKind::Done as u8 {
                    let (head, payload) = codec::decode(&event[12..]).unwrap();
                    self.ended.borrow_mut().insert(word(4), (head, payload.to_vec()));
                }
                events = rest;
            }
            if taken == 0 {
                self.bell.recv_timeout(Duration::from_secs(60)).expect("an event comes");
            }
        }
    }
}

#[test]
fn sessions_open_run_and_close() {
    let host = Host::new();
    for lang in ["at-once", "later"] {
        let session = host.open(1, lang);
        assert_eq!(host.done(1).0["ok"]["compiled"], false);
        host.run(session, 2, "echo");
        let (head, payload) = host.done(2);
        assert_eq!((head["ok"]["exitCode"].as_u64(), payload.as_slice()), (Some(0), &b"in"[..]));
        assert_eq!(host.hub.close(session, 3), Ok(Status::EventsReady));
        assert_eq!(host.done(3).0, json!({"ok": {}}));
        assert_eq!(host.hub.close(session, 4), Err(Status::StaleHandle));
    }
}

#[test]
fn a_run_submitted_while_its_session_opens_waits_for_it() {
    let host = Host::new();
    let session = host.open(1, "later");
    host.run(session, 2, "echo");
    assert_eq!(host.done(2).1, b"in");
}

#[test]
fn panics_of_an_engine_are_errors_of_their_request_alone() {
    let host = Host::new();
    host.open(1, "panic");
    assert_eq!(host.done(1).0["error"]["code"], "INTERNAL");
    let session = host.open(2, "at-once");
    host.run(session, 3, "panic");
    assert_eq!(host.done(3).0["error"]["code"], "INTERNAL");
    host.run(session, 4, "echo");
    assert_eq!(host.done(4).1, b"in");
}

#[test]
fn closing_while_it_opens_ends_both_requests() {
    let host = Host::new();
    let session = host.open(1, "never");
    host.run(session, 2, "echo");
    assert_eq!(host.hub.close(session, 3), Ok(Status::EventsReady));
    assert_eq!(host.done(2).0["error"]["code"], "SESSION_CLOSED");
    assert_eq!(host.done(1).0["error"]["code"], "SESSION_CLOSED");
    assert_eq!(host.done(3).0, json!({"ok": {}}));
}

#[test]
fn interrupting_the_opening_aborts_it() {
    let host = Host::new();
    let session = host.open(1, "never");
    assert_eq!(host.hub.interrupt(session, 1), Ok(Status::Ok));
    assert_eq!(host.done(1).0["error"]["code"], "ABORTED");
    assert_eq!(host.hub.close(session, 2), Err(Status::StaleHandle));
}

#[test]
fn disconnecting_waits_for_runs_and_openings() {
    let host = Host::new();
    host.open(1, "never");
    let session = host.open(2, "at-once");
    host.run(session, 3, "sleep");
    assert_eq!(host.hub.disconnect(host.client), Ok(Status::Ok));
    assert_eq!(host.hub.submit(session, 4, b""), Err(Status::StaleHandle));
    assert_eq!(host.hub.take(host.client, &mut [0; 16]), Err(Status::StaleHandle));
}

#[test]
fn engines_that_are_not_there_and_heads_that_are_wrong_are_refused() {
    let host = Host::new();
    let head = json!({"backend": "other", "lang": "x", "cacheDir": "/"});
    host.hub.open(host.client, 1, &codec::encode(&head, b"")).unwrap();
    assert_eq!(host.done(1).0["error"]["code"], "UNSUPPORTED");
    assert_eq!(host.hub.open(host.client, 2, &codec::encode(&json!({}), b"")), Err(Status::BadMessage));
    let session = host.open(3, "at-once");
    assert_eq!(host.hub.submit(session, 4, &codec::encode(&json!({"op": "fly"}), b"")), Err(Status::BadMessage));
    let long = codec::encode(&json!({"op": "run", "codeBytes": 5}), b"1234");
    assert_eq!(host.hub.submit(session, 5, &long), Err(Status::BadMessage));
    assert_eq!(host.hub.probe(host.client, 6), Ok(Status::EventsReady));
    assert_eq!(host.done(6).0["ok"]["double"]["available"], true);
}

#[test]
fn a_run_that_ends_on_the_hosts_thread_leaves_its_events_and_rings_no_bell() {
    let host = Host::new();
    let session = host.open(1, "at-once");
    host.done(1);
    let message = codec::encode(&json!({"op": "run", "codeBytes": 4, "stream": true}), b"herein");
    assert_eq!(host.hub.submit(session, 2, &message), Ok(Status::EventsReady));
    assert!(host.bell.try_recv().is_err());
    assert_eq!(host.done(2).0["ok"]["exitCode"], 1);
    assert!(host.bell.try_recv().is_err());
}

#[test]
fn a_run_that_is_asked_to_leave_goes_on_and_is_stopped_there() {
    for (request, close) in [(2, false), (4, true)] {
        let host = Host::new();
        let session = host.open(1, "at-once");
        host.done(1);
        host.run(session, request, "leave");
        host.run(session, request + 1, "echo");
        if close {
            assert_eq!(host.hub.close(session, 9), Ok(Status::EventsReady));
            assert_eq!(host.done(request).0["error"]["code"], "SESSION_CLOSED");
            assert_eq!(host.done(9).0, json!({"ok": {}}));
        } else {
            assert_eq!(host.hub.interrupt(session, request), Ok(Status::Ok));
            assert_eq!(host.done(request).0["error"]["code"], "ABORTED");
            assert_eq!(host.done(request + 1).1, b"in");
        }
    }
}

#[test]
fn a_panic_on_the_hosts_thread_and_after_it_is_an_error_of_that_run() {
    for code in ["panic", "panic later"] {
        let host = Host::new();
        let session = host.open(1, "at-once");
        host.run(session, 2, code);
        assert_eq!(host.done(2).0["error"]["code"], "INTERNAL");
        host.run(session, 3, "echo");
        assert_eq!(host.done(3).1, b"in");
    }
}

#[test]
fn after_a_long_run_the_next_one_goes_to_a_worker() {
    let host = Host::new();
    let session = host.open(1, "at-once");
    host.run(session, 2, "leave");
    assert_eq!(host.hub.interrupt(session, 2), Ok(Status::Ok));
    host.done(2);
    // Would never end where it is only asked to leave.
    host.run(session, 3, "leave");
    assert_eq!(host.done(3).0["ok"]["exitCode"], 0);
}

#[test]
fn files_are_taken_over_from_an_open_session_of_the_same_client() {
    let host = Host::new();
    let first = host.open(1, "");
    host.done(1);
    host.open_over(2, first);
    assert!(host.done(2).0["error"].is_null());
    let other = host.hub.connect(|_| {}).unwrap();
    let head = json!({"backend": "double", "lang": "", "cacheDir": "/"});
    let theirs = host.hub.open(other, 1, &codec::encode(&head, b"")).unwrap();
    host.hub.close(first, 3).unwrap();
    for (request, gone) in [(4, first), (5, theirs), (6, i64::MAX), (7, -1)] {
        host.open_over(request, gone);
        assert_eq!(host.done(request).0["error"]["code"], "SESSION_CLOSED");
    }
}
