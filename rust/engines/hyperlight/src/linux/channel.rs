//! What the guest's driver reaches besides files: streams, its request, tools.

use hyperlight_unikraft::{DirEntry, FileStat, FsBackend, SandboxBuilder};
use mote_core::calls::Waited;
use mote_core::run::{Run, Stream};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most of an answer that one host call carries, in bytes.
const PIECE_BYTES: usize = 60 << 10;
/// What is kept of a guest's words while no run listens, in bytes.
const MOST_HEARD_BYTES: usize = 16 << 10;

/// Lives as long as its VM; runs come and go.
#[derive(Default)]
pub struct Channel {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    run: Option<Arc<Run>>,
    stdin: Arc<[u8]>,
    request: Vec<u8>,
    /// Arguments of a call that come in several pieces.
    parts: Vec<u8>,
    /// The rest of an answer that goes out in several pieces.
    rest: Vec<u8>,
    /// What was written while no run was there.
    heard: Vec<u8>,
}

impl Channel {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self, run: Option<&Arc<Run>>, stdin: &[u8], request: Vec<u8>) {
        *self.state() = State { run: run.cloned(), stdin: stdin.into(), request, ..State::default() };
    }

    /// Lets go of the run; what was said outside of one.
    pub fn end(&self) -> String {
        let state = std::mem::take(&mut *self.state());
        String::from_utf8_lossy(&state.heard).into_owned()
    }

    fn run(&self) -> Result<Arc<Run>, String> {
        self.state().run.clone().ok_or_else(|| "no run is going".to_owned())
    }

    /// `NAME`, a line break, and the arguments or what is left of them. Answers the call's id.
    fn call_begin(&self, text: &str) -> Result<String, String> {
        let run = self.run()?;
        let (name, rest) = text.split_once('\n').ok_or("a call has a name")?;
        let mut arguments = std::mem::take(&mut self.state().parts);
        arguments.extend(rest.as_bytes());
        Ok(run.call_begin(name.as_bytes(), &arguments).to_string())
    }

    fn call_part(&self, text: &str) -> Result<String, String> {
        let most = self.run()?.limits.tool_bytes as usize;
        let mut state = self.state();
        // One piece past the limit is enough for the call to be refused.
        if state.parts.len() <= most {
            state.parts.extend(text.as_bytes());
        }
        Ok(String::new())
    }

    /// `ID TIMEOUT_NS`, either negative for none. Answers `ID STATUS BYTES`, a line break and the payload's beginning,
    /// or nothing.
    fn call_wait(&self, text: &str) -> Result<String, String> {
        let run = self.run()?;
        let (id, timeout) = text.split_once(' ').ok_or("a wait has an id and a timeout")?;
        let id: i64 = id.parse().map_err(|_| "a call's id is a number")?;
        let timeout: i64 = timeout.parse().map_err(|_| "a timeout is a number")?;
        let timeout = u64::try_from(timeout).ok().map(Duration::from_nanos);
        let stopped = |_| "the run was stopped".to_owned();
        match run.call_wait(u32::try_from(id).ok(), timeout).map_err(stopped)? {
            Waited::Ready { id, status, .. } => {
                let payload = run.call_take(id).unwrap_or_default();
                let payload = readable(payload);
                let head = format!("{id} {} {}\n", status as u32, payload.len());
                self.state().rest = payload;
                Ok(head + &self.call_more("")?)
            }
            Waited::TimedOut | Waited::NoSuchCall => Ok(String::new()),
        }
    }

    fn call_more(&self, _: &str) -> Result<String, String> {
        let mut state = self.state();
        let mut end = state.rest.len().min(PIECE_BYTES);
        while end < state.rest.len() && state.rest[end] & 0xc0 == 0x80 {
            end -= 1;
        }
        let rest = state.rest.split_off(end);
        let piece = std::mem::replace(&mut state.rest, rest);
        String::from_utf8(piece).map_err(|_| "the answer is no text".to_owned())
    }

    /// Offers the driver what it calls.
    pub fn offer(self: &Arc<Self>, builder: SandboxBuilder) -> SandboxBuilder {
        type Function = fn(&Channel, &str) -> Result<String, String>;
        let functions: [(&str, Function); 4] = [
            ("begin", Self::call_begin),
            ("part", Self::call_part),
            ("wait", Self::call_wait),
            ("more", Self::call_more),
        ];
        functions.into_iter().fold(builder, |builder, (name, function)| {
            let channel = self.clone();
            builder.host_function(name, move |text| function(&channel, text))
        })
    }
}

/// A host call answers with text only; the host's own answers are.
fn readable(payload: Vec<u8>) -> Vec<u8> {
    String::from_utf8(payload)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        .into_bytes()
}

fn refused(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

/// The directory `/mote` of the guest: a file for each stream, and one for a request too large for a call.
pub struct Streams(pub Arc<Channel>);

impl FsBackend for Streams {
    fn stat(&self, path: &str) -> io::Result<FileStat> {
        let state = self.0.state();
        match path {
            "" => Ok(FileStat::dir(0o555)),
            "stdin" => Ok(FileStat::file(state.stdin.len() as u64, 0o444)),
            "request" => Ok(FileStat::file(state.request.len() as u64, 0o444)),
            "stdout" | "stderr" => Ok(FileStat::file(0, 0o222)),
            _ => Err(refused(io::ErrorKind::NotFound)),
        }
    }

    fn read(&self, path: &str, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let state = self.0.state();
        let all: &[u8] = match path {
            "stdin" => &state.stdin,
            "request" => &state.request,
            _ => return Err(refused(io::ErrorKind::PermissionDenied)),
        };
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(all.len());
        let read = (all.len() - from).min(buf.len());
        buf[..read].copy_from_slice(&all[from..from + read]);
        Ok(read)
    }

    fn write(&self, path: &str, _: Option<u64>, data: &[u8]) -> io::Result<()> {
        let stream = match path {
            "stdout" => Stream::Stdout,
            "stderr" => Stream::Stderr,
            _ => return Err(refused(io::ErrorKind::PermissionDenied)),
        };
        let run = {
            let mut state = self.0.state();
            if state.run.is_none() {
                let room = MOST_HEARD_BYTES.saturating_sub(state.heard.len());
                state.heard.extend(&data[..data.len().min(room)]);
            }
            state.run.clone()
        };
        // A run that was stopped takes nothing more; the machine stops as soon as it is entered again.
        run.map_or(Ok(()), |run| run.write(stream, data).map_err(|_| refused(io::ErrorKind::BrokenPipe)))
    }

    fn create_dir(&self, _: &str) -> io::Result<()> {
        Err(refused(io::ErrorKind::PermissionDenied))
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(refused(io::ErrorKind::PermissionDenied))
    }

    fn truncate(&self, path: &str, _: u64) -> io::Result<()> {
        match path {
            "stdout" | "stderr" => Ok(()),
            _ => Err(refused(io::ErrorKind::PermissionDenied)),
        }
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        match path {
            "" => Ok(["request", "stderr", "stdin", "stdout"].map(|name| DirEntry::new(name, false)).into()),
            _ => Err(refused(io::ErrorKind::NotADirectory)),
        }
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Err(refused(io::ErrorKind::PermissionDenied))
    }
}
