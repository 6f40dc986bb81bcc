//! One client's events, waiting to be taken.

use crate::codec;
use crate::spin::spin;
use crate::wire::{EVENT_HEADER_BYTES, EventKind};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Output events of one request grow up to this size before the next one is begun.
const MERGED_BYTES: usize = 64 << 10;

/// Tells the host that the mailbox is no longer empty. Runs on the thread that pushed the event.
pub type Notify = Box<dyn Fn() + Send + Sync>;

pub struct Mailbox {
    notify: Notify,
    state: Mutex<State>,
    calm: Condvar,
    /// Events ever added, for a host that watches without the lock.
    added: AtomicUsize,
}

struct State {
    events: VecDeque<Event>,
    /// Calls in which the host watches the mailbox, so that it needs no telling.
    attended: usize,
    /// The host drained the mailbox and has not been told of anything since.
    armed: bool,
    /// Threads inside the host's notify.
    notifying: usize,
    closed: bool,
}

struct Event {
    request: u32,
    kind: EventKind,
    body: Vec<u8>,
}

/// What `take` found.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    Bytes(usize),
    TooSmall(usize),
}

/// A call in which the host watches its mailbox.
pub struct Attended<'a>(&'a Mailbox);

impl Attended<'_> {
    /// Ends it; true when an event waits.
    pub fn end(self) -> bool {
        let waits = self.0.leave();
        std::mem::forget(self);
        waits
    }
}

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Mailbox {
    pub fn new(notify: Notify) -> Self {
        let state = State { events: VecDeque::new(), attended: 0, armed: true, notifying: 0, closed: false };
        Self { notify, state: Mutex::new(state), calm: Condvar::new(), added: AtomicUsize::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event and tells the host when it waits for one.
    pub fn post(&self, request: u32, kind: EventKind, body: Vec<u8>) {
        self.push(Event { request, kind, body }, true);
    }

    /// Adds an event whose request is being submitted right now: its caller takes it without being told.
    pub fn post_quietly(&self, request: u32, kind: EventKind, body: Vec<u8>) {
        self.push(Event { request, kind, body }, false);
    }

    pub fn post_message(&self, request: u32, kind: EventKind, head: &impl Serialize, payload: &[u8]) {
        self.post(request, kind, codec::encode(head, payload));
    }

    /// Adds streamed output of a run.
    pub fn post_output(&self, request: u32, kind: EventKind, bytes: &[u8]) {
        {
            let mut state = self.state();
            if let Some(last) = state.events.back_mut()
                && last.request == request
                && last.kind == kind
                && last.body.len() + bytes.len() <= MERGED_BYTES
            {
                last.body.extend_from_slice(bytes);
                return;
            }
        }
        self.post(request, kind, bytes.to_vec());
    }

    fn push(&self, event: Event, loudly: bool) {
        {
            let mut state = self.state();
            if state.closed {
                return;
            }
            state.events.push_back(event);
            self.added.fetch_add(1, Ordering::Release);
            if !loudly || !state.armed || state.attended > 0 {
                return;
            }
            state.armed = false;
            state.notifying += 1;
        }
        (self.notify)();
        let mut state = self.state();
        state.notifying -= 1;
        if state.notifying == 0 {
            self.calm.notify_all();
        }
    }

    /// Copies whole events into `buffer`.
    pub fn take(&self, buffer: &mut [u8]) -> Taken {
        let mut at = 0;
        let mut state = self.state();
        while let Some(event) = state.events.front() {
            let size = EVENT_HEADER_BYTES + event.body.len();
            let Some(place) = buffer.get_mut(at..at + size) else { break };
            write_event(place, event);
            at += size;
            state.events.pop_front();
        }
        match state.events.front() {
            None => state.armed = true,
            Some(event) if at == 0 => return Taken::TooSmall(EVENT_HEADER_BYTES + event.body.len()),
            Some(_) => {}
        }
        Taken::Bytes(at)
    }

    /// While this lives, the host learns of events by the call it is in, and nobody tells it otherwise.
    pub fn attended(&self) -> Attended<'_> {
        self.state().attended += 1;
        Attended(self)
    }

    fn leave(&self) -> bool {
        let mut state = self.state();
        state.attended -= 1;
        !state.events.is_empty()
    }

    /// Watches for an event on the calling thread. True when one waits; then nobody is told of it otherwise.
    pub fn attend(&self, patience: Duration) -> bool {
        let (attended, before) = {
            let mut state = self.state();
            if !state.events.is_empty() {
                return true;
            }
            state.attended += 1;
            (Attended(self), self.added.load(Ordering::Acquire))
        };
        spin(patience, || self.added.load(Ordering::Acquire) != before);
        attended.end()
    }

    /// Drops what waits, refuses what comes, and returns when no thread is inside the host's notify.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let events = std::mem::take(&mut state.events);
        while state.notifying > 0 {
            state = self.calm.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        drop(events);
    }
}

fn write_event(place: &mut [u8], event: &Event) {
    let (header, body) = place.split_at_mut(EVENT_HEADER_BYTES);
    header[..4].copy_from_slice(&(event.body.len() as u32).to_le_bytes());
    header[4..8].copy_from_slice(&event.request.to_le_bytes());
    header[8..].copy_from_slice(&[event.kind as u8, 0, 0, 0]);
    body.copy_from_slice(&event.body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn counted() -> (Arc<AtomicUsize>, Mailbox) {
        let count = Arc::new(AtomicUsize::new(0));
        let seen = count.clone();
        let ring = move || {
            seen.fetch_add(1, Ordering::SeqCst);
        };
        (count, Mailbox::new(Box::new(ring)))
    }

    #[test]
    fn the_host_is_told_once_until_it_has_drained_the_mailbox() {
        let (told, mailbox) = counted();
        mailbox.post(1, EventKind::Done, b"one".to_vec());
        mailbox.post(2, EventKind::Done, b"two".to_vec());
        assert_eq!(told.load(Ordering::SeqCst), 1);
        let mut buffer = [0; 16];
        assert_eq!(mailbox.take(&mut buffer), Taken::Bytes(15));
        assert_eq!(buffer[..15], *b"\x03\0\0\0\x01\0\0\0\x05\0\0\0one");
        mailbox.post(3, EventKind::Done, vec![]);
        assert_eq!(told.load(Ordering::SeqCst), 1);
        assert_eq!(mailbox.take(&mut [0; 64]), Taken::Bytes(27));
        assert_eq!(mailbox.take(&mut [0; 64]), Taken::Bytes(0));
        mailbox.post(4, EventKind::Done, vec![]);
        assert_eq!(told.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn quiet_events_tell_nobody_but_leave_the_bell_armed() {
        let (told, mailbox) = counted();
        mailbox.post_quietly(1, EventKind::Done, vec![1]);
        assert_eq!(told.load(Ordering::SeqCst), 0);
        mailbox.post(2, EventKind::Done, vec![2]);
        assert_eq!(told.load(Ordering::SeqCst), 1);
        assert_eq!(mailbox.take(&mut [0; 64]), Taken::Bytes(26));
    }

    #[test]
    fn who_attends_is_not_told() {
        let (told, mailbox) = counted();
        assert!(!mailbox.attend(Duration::from_micros(1)));
        std::thread::scope(|scope| {
            scope.spawn(|| mailbox.post(1, EventKind::Done, vec![1]));
            while !mailbox.attend(Duration::from_secs(5)) {}
        });
        let posted_before_attending = told.load(Ordering::SeqCst);
        assert!(posted_before_attending <= 1);
        assert_eq!(mailbox.take(&mut [0; 64]), Taken::Bytes(13));
        mailbox.post(2, EventKind::Done, vec![2]);
        assert_eq!(told.load(Ordering::SeqCst), posted_before_attending + 1);
    }

    #[test]
    fn a_buffer_too_small_is_told_what_it_needs() {
        let (_, mailbox) = counted();
        mailbox.post(1, EventKind::Done, vec![0; 100]);
        assert_eq!(mailbox.take(&mut [0; 111]), Taken::TooSmall(112));
        assert_eq!(mailbox.take(&mut [0; 112]), Taken::Bytes(112));
    }

    #[test]
    fn a_closed_mailbox_keeps_silent() {
        let (told, mailbox) = counted();
        mailbox.close();
        mailbox.post(1, EventKind::Done, vec![]);
        assert_eq!((told.load(Ordering::SeqCst), mailbox.take(&mut [0; 64])), (0, Taken::Bytes(0)));
    }
}
