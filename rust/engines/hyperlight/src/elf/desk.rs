//! The functions that a guest may call. Whatever it says, they answer with bytes or an error, and end with the run.

use crate::leash::lock;
use hyperlight_host::{HyperlightError, Result};
use mote_core::calls::CallStatus;
use mote_core::run::{Run, Stream};
use mote_wasi::SeededRandom;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// Bytes that go through one call, in either direction: the most that fits the transport whatever else is in it.
pub const PIECE_BYTES: usize = 16 << 10;

const CODE: i32 = 0;
const STDIN: i32 = 1;
const ARGUMENTS: i32 = 2;
const ENVIRONMENT: i32 = 3;
const ANSWER: i32 = 4;
const RANDOM: i32 = 5;

/// What a session's guest is served from.
pub struct Desk {
    environment: Vec<u8>,
    state: Mutex<State>,
}

struct State {
    random: SeededRandom,
    task: Option<Task>,
}

/// One run, as the guest sees it.
pub struct Task {
    run: Arc<Run>,
    code: Vec<u8>,
    stdin: Vec<u8>,
    /// Of the run, each ended by a NUL.
    arguments: Vec<u8>,
    /// Of the tool call that is being put together.
    call_arguments: Vec<u8>,
    answer: Vec<u8>,
}

impl Task {
    pub fn new(run: &Arc<Run>, code: &[u8], stdin: &[u8], arguments: &[String]) -> Self {
        Self {
            run: run.clone(),
            code: code.to_vec(),
            stdin: stdin.to_vec(),
            arguments: terminated(arguments.iter().cloned()),
            call_arguments: Vec::new(),
            answer: Vec::new(),
        }
    }

    pub fn code(&self) -> &[u8] {
        &self.code
    }
}

fn terminated(texts: impl Iterator<Item = String>) -> Vec<u8> {
    texts.flat_map(|text| text.into_bytes().into_iter().chain([0])).collect()
}

fn refused(why: &str) -> HyperlightError {
    HyperlightError::Error(why.to_owned())
}

fn stopped() -> HyperlightError {
    refused("the run has been stopped")
}

impl Desk {
    pub fn new(environment: &BTreeMap<String, String>, seed: [u8; 32]) -> Self {
        let environment = terminated(environment.iter().map(|(name, value)| format!("{name}={value}")));
        Self { environment, state: Mutex::new(State { random: SeededRandom::new(seed), task: None }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub fn begin(&self, task: Task) {
        self.state().task = Some(task);
    }

    pub fn end(&self) {
        self.state().task = None;
    }

    /// Does something for the run that goes on; there is none while a guest is loaded.
    fn serve<T>(&self, work: impl FnOnce(&mut Task) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        let task = state.task.as_mut().ok_or_else(|| refused("there is no run"))?;
        match task.run.stopped() {
            Some(_) => Err(stopped()),
            None => work(task),
        }
    }

    pub fn write(&self, stream: i32, bytes: &[u8]) -> Result<i32> {
        let stream = match stream {
            1 => Stream::Stdout,
            2 => Stream::Stderr,
            _ => return Err(refused("there are the streams 1 and 2")),
        };
        self.serve(|task| task.run.write(stream, bytes).map_err(|_| stopped()))?;
        Ok(bytes.len() as i32)
    }

    /// A piece of a source from `offset` on, empty at its end; of randomness, `offset` bytes.
    pub fn read(&self, source: i32, offset: u64) -> Result<Vec<u8>> {
        if source == RANDOM {
            self.serve(|_| Ok(()))?;
            let mut bytes = vec![0; usize::try_from(offset).unwrap_or(usize::MAX).min(PIECE_BYTES)];
            self.state().random.fill(&mut bytes);
            return Ok(bytes);
        }
        self.serve(|task| match source {
            CODE => Ok(piece(&task.code, offset)),
            STDIN => Ok(piece(&task.stdin, offset)),
            ARGUMENTS => Ok(piece(&task.arguments, offset)),
            ENVIRONMENT => Ok(piece(&self.environment, offset)),
            ANSWER => Ok(piece(&task.answer, offset)),
            _ => Err(refused("there is no such source")),
        })
    }

    /// Adds to the arguments of the next call of a tool.
    pub fn arguments(&self, bytes: &[u8]) -> Result<i32> {
        self.serve(|task| {
            task.add_arguments(bytes);
            Ok(0)
        })
    }

    /// Calls a tool and waits: its status, the length of its answer, and the answer's first piece.
    pub fn call(&self, tool: &str, arguments: &[u8]) -> Result<Vec<u8>> {
        self.serve(|task| {
            task.add_arguments(arguments);
            let arguments = std::mem::take(&mut task.call_arguments);
            let id = task.run.call_begin(tool.as_bytes(), &arguments);
            let status = match task.run.call_wait(Some(id), None).map_err(|_| stopped())? {
                mote_core::calls::Waited::Ready { status, .. } => status,
                _ => CallStatus::Failed,
            };
            task.answer = task.run.call_take(id).unwrap_or_default();
            let mut head = vec![status as u8];
            head.extend((task.answer.len() as u64).to_le_bytes());
            head.extend(&task.answer[..task.answer.len().min(PIECE_BYTES - head.len())]);
            Ok(head)
        })
    }
}

impl Task {
    /// Keeps one byte more than is allowed, which is enough for the call to be refused.
    fn add_arguments(&mut self, bytes: &[u8]) {
        let most = usize::try_from(self.run.limits.tool_bytes + 1).unwrap_or(usize::MAX);
        let room = most.saturating_sub(self.call_arguments.len());
        self.call_arguments.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

fn piece(bytes: &[u8], offset: u64) -> Vec<u8> {
    let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let rest = &bytes[start..];
    rest[..rest.len().min(PIECE_BYTES)].to_vec()
}

#[cfg(test)]
mod tests {
    use super::piece;

    #[test]
    fn pieces_end_where_their_source_does() {
        let bytes: Vec<u8> = (0..40_000u32).map(|n| n as u8).collect();
        assert_eq!(piece(&bytes, 0).len(), 16 << 10);
        assert_eq!(piece(&bytes, 39_990), bytes[39_990..]);
        assert!(piece(&bytes, 40_000).is_empty() && piece(&bytes, u64::MAX).is_empty());
    }
}
