//! A host of the C ABI in Rust, and small guests for it.
#![allow(dead_code, reason = "every test file uses its own part")]

mod image;

#[allow(unused_imports, reason = "every test file uses its own part")]
pub use image::{COMMAND, guest_image};

use mote_core::codec;
use mote_core::wire::EVENT_HEADER_BYTES;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Longer than anything takes; only a hang gets here.
const PATIENCE: Duration = Duration::from_secs(60);

pub const STDOUT: u8 = 1;
pub const CALL: u8 = 3;
pub const PROGRESS: u8 = 4;
pub const DONE: u8 = 5;

type Bells = Mutex<HashMap<u64, Sender<()>>>;

fn bells() -> &'static Bells {
    static BELLS: OnceLock<Bells> = OnceLock::new();
    BELLS.get_or_init(Bells::default)
}

unsafe extern "C" fn ring(client: u64) {
    if let Some(bell) = bells().lock().unwrap().get(&client) {
        let _ = bell.send(());
    }
}

pub struct Event {
    pub request: u32,
    pub kind: u8,
    pub body: Vec<u8>,
}

/// The outcome of a request.
#[derive(Debug)]
pub struct Done {
    pub head: Value,
    pub payload: Vec<u8>,
}

impl Done {
    pub fn code(&self) -> &str {
        self.head["error"]["code"].as_str().unwrap_or("none")
    }

    pub fn message(&self) -> &str {
        self.head["error"]["message"].as_str().unwrap_or("")
    }

    pub fn exit_code(&self) -> Option<u64> {
        self.head["ok"]["exitCode"].as_u64()
    }

    pub fn stdout(&self) -> String {
        let length = self.head["ok"]["stdoutBytes"].as_u64().unwrap() as usize;
        String::from_utf8_lossy(&self.payload[..length]).into_owned()
    }

    pub fn stderr(&self) -> String {
        let length = self.head["ok"]["stdoutBytes"].as_u64().unwrap() as usize;
        String::from_utf8_lossy(&self.payload[length..]).into_owned()
    }
}

pub struct Client {
    pub handle: i64,
    bell: Receiver<()>,
    waiting: VecDeque<Event>,
    next: u32,
    cache: Arc<tempfile::TempDir>,
}

/// One cache for all tests of a process, as one image is compiled once in it.
fn cache() -> Arc<tempfile::TempDir> {
    static CACHE: OnceLock<Arc<tempfile::TempDir>> = OnceLock::new();
    CACHE.get_or_init(|| Arc::new(tempfile::tempdir().unwrap())).clone()
}

impl Client {
    pub fn connect() -> Self {
        let (send, bell) = channel();
        let handle = unsafe { mote::mote_connect(Some(ring)) };
        assert!(handle > 0);
        bells().lock().unwrap().insert(handle as u64, send);
        Self { handle, bell, waiting: VecDeque::new(), next: 1, cache: cache() }
    }

    pub fn request(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    pub fn cache_dir(&self) -> &Path {
        self.cache.path()
    }

    /// Moves what waits in the mailbox here.
    pub fn drain(&mut self) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let taken = unsafe { mote::mote_take(self.handle, buffer.as_mut_ptr(), buffer.len()) };
            match taken {
                0 => return,
                -3 => buffer.resize(u32::from_le_bytes(buffer[..4].try_into().unwrap()) as usize, 0),
                taken => self.parse(&buffer[..usize::try_from(taken).expect("take succeeds")]),
            }
        }
    }

    fn parse(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            let (length, request, kind) = (word(0) as usize, word(4), bytes[8]);
            let (event, rest) = bytes.split_at(EVENT_HEADER_BYTES + length);
            self.waiting.push_back(Event { request, kind, body: event[EVENT_HEADER_BYTES..].to_vec() });
            bytes = rest;
        }
    }

    /// The next event of a request and kind; others stay.
    pub fn event(&mut self, request: u32, kind: u8) -> Event {
        loop {
            self.drain();
            let wanted = |event: &Event| event.request == request && event.kind == kind;
            if let Some(place) = self.waiting.iter().position(wanted) {
                return self.waiting.remove(place).unwrap();
            }
            self.bell.recv_timeout(PATIENCE).expect("an event comes");
        }
    }

    pub fn done(&mut self, request: u32) -> Done {
        let event = self.event(request, DONE);
        let (head, payload) = codec::decode(&event.body).unwrap();
        Done { head, payload: payload.to_vec() }
    }

    /// All bytes of one kind that have come for a request.
    pub fn streamed(&mut self, request: u32, kind: u8) -> Vec<u8> {
        self.drain();
        let events = self.waiting.iter().filter(|event| event.request == request && event.kind == kind);
        events.flat_map(|event| event.body.clone()).collect()
    }

    pub fn open_head(&self, lang: &str) -> Value {
        let image = (lang == "test").then(|| guest_image(self.cache_dir()));
        json!({
            "backend": "wasm", "lang": lang, "image": image, "cacheDir": self.cache_dir().join("cache"),
            "interactive": false, "env": {}, "tools": ["weather", "a", "b"], "limits": {}, "seed": null,
        })
    }

    pub fn try_open(&mut self, head: &Value) -> (i64, Done) {
        let request = self.request();
        let message = codec::encode(head, b"");
        let session = unsafe { mote::mote_open(self.handle, request, message.as_ptr(), message.len()) };
        assert!(session > 0, "status {session}");
        (session, self.done(request))
    }

    /// A session with the test guest; `change` edits the request.
    pub fn open(&mut self, change: impl FnOnce(&mut Value)) -> i64 {
        let mut head = self.open_head("test");
        change(&mut head);
        let (session, done) = self.try_open(&head);
        assert_eq!(done.code(), "none", "{}", done.message());
        session
    }

    pub fn submit(&mut self, session: i64, head: &Value, payload: &[u8]) -> (u32, i32) {
        let request = self.request();
        let message = codec::encode(head, payload);
        (request, unsafe { mote::mote_submit(session, request, message.as_ptr(), message.len()) })
    }

    pub fn start(&mut self, session: i64, code: &str, stdin: &[u8], stream: bool) -> u32 {
        let head = json!({"op": "run", "codeBytes": code.len(), "args": ["one", "two"], "stream": stream});
        let (request, status) = self.submit(session, &head, &[code.as_bytes(), stdin].concat());
        assert!(status == 0 || status == 1);
        request
    }

    pub fn run(&mut self, session: i64, code: &str) -> Done {
        let request = self.start(session, code, b"", false);
        self.done(request)
    }

    pub fn files(&mut self, session: i64, head: Value, payload: &[u8]) -> Done {
        let (request, status) = self.submit(session, &head, payload);
        assert_eq!(status, 1, "file requests are answered at once");
        self.done(request)
    }

    /// The next tool call of a request: its id, name and arguments.
    pub fn call(&mut self, request: u32) -> (u32, String, String) {
        let event = self.event(request, CALL);
        let (head, arguments): (Value, &[u8]) = codec::decode(&event.body).unwrap();
        let name = head["name"].as_str().unwrap().to_owned();
        (head["call"].as_u64().unwrap() as u32, name, String::from_utf8(arguments.to_vec()).unwrap())
    }

    pub fn reply(&self, session: i64, call: u32, head: Value, payload: &[u8]) -> i32 {
        let message = codec::encode(&head, payload);
        unsafe { mote::mote_reply(session, call, message.as_ptr(), message.len()) }
    }

    pub fn interrupt(&self, session: i64, request: u32) -> i32 {
        unsafe { mote::mote_interrupt(session, request) }
    }

    pub fn close(&mut self, session: i64) -> Done {
        let request = self.request();
        let status = unsafe { mote::mote_close(session, request) };
        assert!(status >= 0, "status {status}");
        self.done(request)
    }

    pub fn disconnect(&self) -> i32 {
        unsafe { mote::mote_disconnect(self.handle) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.disconnect();
        bells().lock().unwrap().remove(&(self.handle as u64));
    }
}
