//! Everything behind the C ABI, in safe Rust: clients and sessions by handle.

use crate::client::Client;
use crate::codec;
use crate::done::done;
use crate::engine::{Engine, Opening, Probe, Progress, Sandbox, Tree};
use crate::error::{Code, Error};
use crate::handles::{Kind, Table};
use crate::mailbox::{Mailbox, Notify, Taken};
use crate::request::{Open, Opened, Submit};
use crate::session::Session;
use crate::wire::{EventKind, Status};
use crate::workers::Workers;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Runs at the same time, over all sessions; each holds a thread.
const MOST_THREADS: usize = 1024;

pub struct Hub {
    engines: Vec<Arc<dyn Engine>>,
    workers: Workers,
    clients: Mutex<Table<Arc<Client>>>,
    sessions: Arc<Mutex<Table<Arc<Session>>>>,
}

type Sessions = Mutex<Table<Arc<Session>>>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    pub fn new(engines: Vec<Arc<dyn Engine>>) -> Self {
        Self {
            engines,
            workers: Workers::new(MOST_THREADS),
            clients: Mutex::new(Table::new(Kind::Client)),
            sessions: Arc::new(Mutex::new(Table::new(Kind::Session))),
        }
    }

    /// `notify` is given the client's handle.
    pub fn connect(&self, notify: impl Fn(i64) + Send + Sync + 'static) -> Result<i64, Status> {
        let make = |handle| Client::new(Mailbox::new(Box::new(move || notify(handle)) as Notify));
        let handle = locked(&self.clients).insert_with(make).ok_or(Status::Closed)?;
        let engines = self.engines.clone();
        self.workers.run(move || engines.iter().for_each(|engine| engine.prepare()));
        Ok(handle)
    }

    /// Blocks until no thread works for the client and none is inside its notify.
    pub fn disconnect(&self, client: i64) -> Result<Status, Status> {
        let client = locked(&self.clients).remove(client).ok_or(Status::StaleHandle)?;
        for (handle, session) in client.close() {
            locked(&self.sessions).remove(handle);
            session.close(None);
        }
        client.wait_until_idle();
        client.mailbox.close();
        Ok(Status::Ok)
    }

    fn client(&self, handle: i64) -> Result<Arc<Client>, Status> {
        locked(&self.clients).get(handle).cloned().ok_or(Status::StaleHandle)
    }

    fn session(&self, handle: i64) -> Result<Arc<Session>, Status> {
        locked(&self.sessions).get(handle).cloned().ok_or(Status::StaleHandle)
    }

    pub fn probe(&self, client: i64, request: u32) -> Result<Status, Status> {
        let client = self.client(client)?;
        let probes: BTreeMap<&str, Probe> = self.engines.iter().map(|engine| (engine.name(), engine.probe())).collect();
        client.mailbox.post_quietly(request, EventKind::Done, done(Ok(probes), &[]));
        Ok(Status::EventsReady)
    }

    pub fn open(&self, client: i64, request: u32, message: &[u8]) -> Result<i64, Status> {
        let client = self.client(client)?;
        let (open, _): (Open, &[u8]) = codec::decode(message).map_err(|_| Status::BadMessage)?;
        let session = Session::opening(client.clone(), self.workers.clone(), request, &open);
        let handle = locked(&self.sessions).insert_with(|_| session.clone()).ok_or(Status::Closed)?;
        if !client.add(handle, session.clone()) {
            locked(&self.sessions).remove(handle);
            return Err(Status::Closed);
        }
        let tree = open.files_of.and_then(|from| self.tree(from, &client));
        let sessions = self.sessions.clone();
        let opening = OpeningSession { request, handle, client: client.clone(), session, sessions, tree };
        let engine = self.engines.iter().find(|engine| engine.name() == open.backend).cloned();
        let Some(engine) = engine else {
            let message = format!("Cannot open session: this library has no engine {:?}", open.backend);
            opening.end(Err(Error::new(Code::Unsupported, message)), Mailbox::post_quietly);
            return Ok(handle);
        };
        if let Err(error) = open.limits.check() {
            opening.end(Err(error), Mailbox::post_quietly);
            return Ok(handle);
        }
        if open.files_of.is_some() && opening.tree.is_none() {
            let message = "Cannot open session: the one whose files it takes over is closed, or has none to give";
            opening.end(Err(Error::new(Code::SessionClosed, message)), Mailbox::post_quietly);
            return Ok(handle);
        }
        if open.files_of.is_none()
            && let Some(result) = engine.open_at_once(&open)
        {
            opening.end(result, Mailbox::post_quietly);
            return Ok(handle);
        }
        let busy = client.busy();
        self.workers.run(move || {
            let result = catch_unwind(AssertUnwindSafe(|| engine.open(&open, &opening))).unwrap_or_else(|_| {
                Err(Error::internal("Cannot open session: the engine failed, which is a defect of it"))
            });
            opening.end(result, Mailbox::post);
            drop(busy);
        });
        Ok(handle)
    }

    /// Files of another session of the same client.
    fn tree(&self, session: i64, client: &Arc<Client>) -> Option<Tree> {
        self.session(session).ok().filter(|session| Arc::ptr_eq(session.client(), client))?.tree()
    }

    pub fn submit(&self, session: i64, request: u32, message: &[u8]) -> Result<Status, Status> {
        let session = self.session(session)?;
        let (head, payload): (Submit, &[u8]) = codec::decode(message).map_err(|_| Status::BadMessage)?;
        let body = match head {
            Submit::Run(head) if head.code_bytes > payload.len() => return Err(Status::BadMessage),
            Submit::Run(head) => match session.submit_run(request, head, payload) {
                Ok(true) => return Ok(Status::EventsReady),
                Ok(false) => return Ok(Status::Ok),
                Err(error) => done::<()>(Err(error), &[]),
            },
            Submit::Ack(head) => {
                session.acknowledge(head.request, head.bytes);
                return Ok(Status::Ok);
            }
            files => session.files(&files, payload),
        };
        session.client().mailbox.post_quietly(request, EventKind::Done, body);
        Ok(Status::EventsReady)
    }

    pub fn take(&self, client: i64, buffer: &mut [u8]) -> Result<Taken, Status> {
        Ok(self.client(client)?.mailbox.take(buffer))
    }

    pub fn reply(&self, session: i64, call: u32, message: &[u8]) -> Result<Status, Status> {
        self.session(session)?.reply(call, message).map_err(|_| Status::BadMessage)?;
        Ok(Status::Ok)
    }

    pub fn interrupt(&self, session: i64, request: u32) -> Result<Status, Status> {
        Ok(if self.session(session)?.interrupt(request) { Status::EventsReady } else { Status::Ok })
    }

    pub fn close(&self, handle: i64, request: u32) -> Result<Status, Status> {
        let session = locked(&self.sessions).remove(handle).ok_or(Status::StaleHandle)?;
        session.client().forget(handle);
        Ok(if session.close(Some(request)) { Status::EventsReady } else { Status::Ok })
    }
}

/// A session on its way to its sandbox.
struct OpeningSession {
    request: u32,
    handle: i64,
    client: Arc<Client>,
    session: Arc<Session>,
    sessions: Arc<Sessions>,
    tree: Option<Tree>,
}

impl OpeningSession {
    fn end(&self, result: Result<(Arc<dyn Sandbox>, Opened), Error>, post: impl Fn(&Mailbox, u32, EventKind, Vec<u8>)) {
        let result = result.and_then(|(sandbox, opened)| match self.session.opened(sandbox) {
            true => Ok(opened),
            false => Err(self.session.not_opened()),
        });
        let result = result.map_err(|error| if self.session.is_closing() { self.session.not_opened() } else { error });
        let failure = result.as_ref().err().cloned();
        if failure.is_some() {
            let removed = locked(&self.sessions).remove(self.handle);
            drop(removed);
            self.client.forget(self.handle);
        }
        post(&self.client.mailbox, self.request, EventKind::Done, done(result, &[]));
        if let Some(why) = failure {
            self.session.end_opening(&why);
        }
    }
}

impl Opening for OpeningSession {
    fn progress(&self, progress: Progress) {
        self.client.mailbox.post_message(self.request, EventKind::Progress, &progress, &[]);
    }

    fn cancelled(&self) -> bool {
        self.session.is_closing()
    }

    fn tree(&self) -> Option<Tree> {
        self.tree.clone()
    }
}

#[cfg(test)]
#[path = "hub_test.rs"]
mod tests;
