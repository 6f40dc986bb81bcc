//! One connected host: its mailbox, its sessions, and the threads that work for it.

use crate::mailbox::Mailbox;
use crate::session::Session;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

pub struct Client {
    pub mailbox: Arc<Mailbox>,
    state: Mutex<State>,
    idle: Condvar,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<i64, Arc<Session>>,
    jobs: usize,
    closed: bool,
}

/// Counts as work for the client until it is dropped.
pub struct Busy(Arc<Client>);

impl Client {
    pub fn new(mailbox: Mailbox) -> Arc<Self> {
        Arc::new(Self { mailbox: Arc::new(mailbox), state: Mutex::default(), idle: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn busy(self: &Arc<Self>) -> Busy {
        self.state().jobs += 1;
        Busy(self.clone())
    }

    /// False once the client is closed.
    pub fn add(&self, handle: i64, session: Arc<Session>) -> bool {
        let mut state = self.state();
        if !state.closed {
            state.sessions.insert(handle, session);
        }
        !state.closed
    }

    pub fn forget(&self, handle: i64) {
        let session = self.state().sessions.remove(&handle);
        drop(session);
    }

    /// Refuses new sessions and gives those that are left.
    pub fn close(&self) -> BTreeMap<i64, Arc<Session>> {
        let mut state = self.state();
        state.closed = true;
        std::mem::take(&mut state.sessions)
    }

    /// Returns when no thread works for this client.
    pub fn wait_until_idle(&self) {
        let state = self.state();
        let state = self.idle.wait_while(state, |state| state.jobs > 0).unwrap_or_else(PoisonError::into_inner);
        drop(state);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.jobs -= 1;
        if state.jobs == 0 {
            self.0.idle.notify_all();
        }
    }
}
