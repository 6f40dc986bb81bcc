//! Whatever a host sends through the C ABI, in whatever order: a status, and for each accepted request exactly one done
//! event; disconnecting always comes to an end.
#![no_main]

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mote_core::codec;
use mote_core::engine::{Engine, Opening, Outcome, Probe, Sandbox};
use mote_core::error::Result;
use mote_core::hub::Hub;
use mote_core::mailbox::Taken;
use mote_core::request::{Open, Opened, RunHead, Submit};
use mote_core::run::{Run, Stream};
use mote_core::wire::{EVENT_HEADER_BYTES, EventKind, Status};

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Open { head: &'a str, payload: &'a [u8] },
    OpenWell { lang: u8 },
    Submit { message: &'a [u8] },
    SubmitHead { head: &'a str, payload: &'a [u8] },
    Run { code: &'a str, stdin: &'a [u8], stream: bool },
    Reply { call: u8, message: &'a [u8] },
    Interrupt { request: u8 },
    Close,
    Take { capacity: u16 },
}

struct Double;

impl Engine for Double {
    fn name(&self) -> &'static str {
        "double"
    }
    fn probe(&self) -> Probe {
        Probe { available: true, reason: String::new() }
    }
    fn open_at_once(&self, open: &Open) -> Option<Result<(Arc<dyn Sandbox>, Opened)>> {
        (open.lang == "0").then(|| Ok((Arc::new(Double) as Arc<dyn Sandbox>, opened())))
    }
    fn open(&self, _: &Open, _: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        Ok((Arc::new(Double), opened()))
    }
}

fn opened() -> Opened {
    Opened { image: None, compiled: false, ms: 0.0 }
}

impl Sandbox for Double {
    /// Calls the code as a tool, then echoes its input.
    fn run(&self, _: &RunHead, code: &[u8], stdin: &[u8], run: &Arc<Run>) -> Outcome {
        let call = run.call_begin(code, stdin);
        let ended = run.call_wait(Some(call), Some(Duration::from_millis(1))).is_err();
        run.call_take(call);
        let ended = ended || run.write(Stream::Stdout, stdin).is_err();
        Outcome { exit_code: (!ended).then_some(0), ..Outcome::default() }
    }
    fn files(&self, _: &Submit, payload: &[u8]) -> Result<(serde_json::Value, Vec<u8>)> {
        Ok((serde_json::json!({}), payload.to_vec()))
    }
}

fuzz_target!(|steps: Vec<Step<'_>>| {
    static HUB: OnceLock<Hub> = OnceLock::new();
    let hub = HUB.get_or_init(|| Hub::new(vec![Arc::new(Double)]));
    let client = hub.connect(|_| {}).expect("a client connects");
    let mut session = 0;
    let mut accepted: HashMap<u32, u32> = HashMap::new();
    for (request, step) in (1..).zip(&steps) {
        let mut submit = |message: &[u8]| {
            if hub.submit(session, request, message).is_ok() && !is_ack(message) {
                accepted.insert(request, 0);
            }
        };
        match step {
            Step::Open { head, payload } => {
                let message = message(head, payload);
                if let Ok(handle) = hub.open(client, request, &message) {
                    session = handle;
                    accepted.insert(request, 0);
                }
            }
            Step::OpenWell { lang } => {
                let limits = serde_json::json!({"toolCalls": lang, "outputBytes": 100, "truncateOutput": lang % 2 == 0});
                let head = serde_json::json!({"backend": "double", "lang": (lang % 2).to_string(), "cacheDir": "/",
                    "tools": ["a"], "limits": limits});
                session = hub.open(client, request, &codec::encode(&head, b"")).expect("a well-formed open");
                accepted.insert(request, 0);
            }
            Step::Submit { message } => submit(message),
            Step::SubmitHead { head, payload } => submit(&message(head, payload)),
            Step::Run { code, stdin, stream } => {
                let head = serde_json::json!({"op": "run", "codeBytes": code.len(), "stream": stream});
                submit(&codec::encode(&head, &[code.as_bytes(), stdin].concat()));
            }
            Step::Reply { call, message } => drop(hub.reply(session, u32::from(*call), message)),
            Step::Interrupt { request } => drop(hub.interrupt(session, u32::from(*request))),
            Step::Close => {
                if hub.close(session, request).is_ok() {
                    accepted.insert(request, 0);
                }
            }
            Step::Take { capacity } => {
                let mut buffer = vec![0; usize::from(*capacity)];
                if let Ok(Taken::Bytes(taken)) = hub.take(client, &mut buffer) {
                    count(&buffer[..taken], &mut accepted);
                }
            }
        }
    }
    let mut buffer = vec![0; 1 << 20];
    while accepted.values().any(|done| *done == 0) {
        match hub.take(client, &mut buffer) {
            Ok(Taken::Bytes(0)) => std::thread::yield_now(),
            Ok(Taken::Bytes(taken)) => count(&buffer[..taken], &mut accepted),
            Ok(Taken::TooSmall(needed)) => buffer.resize(needed, 0),
            Err(status) => panic!("{status:?}"),
        }
    }
    assert_eq!(hub.disconnect(client), Ok(Status::Ok));
    assert_eq!(hub.disconnect(client), Err(Status::StaleHandle));
});

fn message(head: &str, payload: &[u8]) -> Vec<u8> {
    [&(head.len() as u32).to_le_bytes(), head.as_bytes(), payload].concat()
}

fn is_ack(message: &[u8]) -> bool {
    matches!(codec::decode::<Submit>(message), Ok((Submit::Ack(_), _)))
}

fn count(mut events: &[u8], accepted: &mut HashMap<u32, u32>) {
    while !events.is_empty() {
        let word = |at: usize| u32::from_le_bytes(events[at..at + 4].try_into().unwrap());
        let (event, rest) = events.split_at(EVENT_HEADER_BYTES + word(0) as usize);
        if event[8] == EventKind::Done as u8 {
            let done = accepted.get_mut(&word(4)).expect("only accepted requests are answered");
            *done += 1;
            assert_eq!(*done, 1, "request {} was answered twice", word(4));
        }
        codec::split(&event[EVENT_HEADER_BYTES..]).ok();
        events = rest;
    }
}
