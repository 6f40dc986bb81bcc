//! Tool calls of one run: begun by the guest, answered by the host, in any order.

use crate::codec;
use crate::request::{Reply, ToolProblem};
use std::collections::BTreeMap;
use std::time::Instant;

/// How a call ended, as the guest reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum CallStatus {
    /// The payload is the answer, a JSON value.
    Ok = 0,
    /// The tool failed; the payload is the message.
    Failed = 1,
    /// The arguments were refused; the payload is the message.
    Input = 2,
    /// A limit of the session stood in the way; the payload is the message.
    Limit = 3,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: CallStatus,
    pub payload: Vec<u8>,
}

impl Answer {
    pub fn limit(message: String) -> Self {
        Self { status: CallStatus::Limit, payload: message.into_bytes() }
    }

    /// Reads the host's reply; an answer larger than `most` bytes becomes the guest's error.
    pub fn from_reply(message: &[u8], most: u64) -> Result<Self, codec::Malformed> {
        let (head, payload): (Reply, &[u8]) = codec::decode(message)?;
        let status = match (head.ok, head.error) {
            (true, None) if payload.len() as u64 > most => {
                return Ok(Self::limit(format!("an answer larger than {}", crate::error::bytes(most))));
            }
            (true, None) => return Ok(Self { status: CallStatus::Ok, payload: payload.to_vec() }),
            (false, Some(ToolProblem::Failed)) => CallStatus::Failed,
            (false, Some(ToolProblem::Input)) => CallStatus::Input,
            (false, Some(ToolProblem::Limit)) => CallStatus::Limit,
            _ => return Err(codec::Malformed::Head("a reply is either ok or an error".into())),
        };
        Ok(Self { status, payload: head.message.into_bytes() })
    }
}

/// What a wait for calls ends with, besides a stop of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    Ready { id: u32, status: CallStatus, bytes: usize },
    TimedOut,
    NoSuchCall,
}

/// The calls that are begun and not yet taken.
#[derive(Debug, Default)]
pub struct Calls {
    open: BTreeMap<u32, Call>,
    begun: u32,
}

#[derive(Debug)]
struct Call {
    tool: String,
    ends: Instant,
    answer: Option<Answer>,
}

impl Calls {
    /// Calls begun in this run, refused ones too.
    pub fn begun(&self) -> u32 {
        self.begun
    }

    pub fn begin(&mut self, id: u32, tool: String, ends: Instant, answer: Option<Answer>) {
        self.begun += 1;
        self.open.insert(id, Call { tool, ends, answer });
    }

    /// False when the call is not waiting for an answer.
    pub fn answer(&mut self, id: u32, answer: Answer) -> bool {
        match self.open.get_mut(&id) {
            Some(call) if call.answer.is_none() => {
                call.answer = Some(answer);
                true
            }
            _ => false,
        }
    }

    pub fn is_waiting(&self, id: u32) -> bool {
        self.open.get(&id).is_some_and(|call| call.answer.is_none())
    }

    /// The state of call `id`, or of any call; `late` answers those whose time is over.
    pub fn look(&mut self, id: Option<u32>, now: Instant, late: impl Fn() -> Answer) -> Look {
        let range = id.map_or(0..=u32::MAX, |id| id..=id);
        let mut earliest: Option<Instant> = None;
        for (id, call) in self.open.range_mut(range) {
            if call.answer.is_none() && call.ends <= now {
                call.answer = Some(late());
            }
            if let Some(answer) = &call.answer {
                return Look::Ended(Waited::Ready { id: *id, status: answer.status, bytes: answer.payload.len() });
            }
            earliest = Some(earliest.map_or(call.ends, |other| other.min(call.ends)));
        }
        match earliest {
            Some(ends) => Look::WaitUntil(ends),
            None => Look::Ended(Waited::NoSuchCall),
        }
    }

    /// Takes an answered call out, with the name of its tool.
    pub fn take(&mut self, id: u32) -> Option<(String, Answer)> {
        if self.is_waiting(id) {
            return None;
        }
        let call = self.open.remove(&id)?;
        Some((call.tool, call.answer?))
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    Ended(Waited),
    /// Nothing is ready; at this time a call's own limit ends it.
    WaitUntil(Instant),
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn late() -> Answer {
        Answer::limit("late".into())
    }

    #[test]
    fn answers_come_in_any_order_and_are_taken_once() {
        let now = Instant::now();
        let ends = now + Duration::from_secs(9);
        let mut calls = Calls::default();
        calls.begin(1, "a".into(), ends, None);
        calls.begin(2, "b".into(), ends, None);
        assert_eq!(calls.look(None, now, late), Look::WaitUntil(ends));
        let answer = Answer { status: CallStatus::Ok, payload: b"42".to_vec() };
        assert!(calls.answer(2, answer.clone()));
        assert!(!calls.answer(2, late()));
        assert_eq!(calls.look(None, now, late), Look::Ended(Waited::Ready { id: 2, status: CallStatus::Ok, bytes: 2 }));
        assert_eq!((calls.take(1), calls.take(2), calls.take(2)), (None, Some(("b".into(), answer)), None));
        assert_eq!(calls.look(Some(2), now, late), Look::Ended(Waited::NoSuchCall));
        assert_eq!(calls.begun(), 2);
    }

    #[test]
    fn a_call_past_its_time_is_answered_with_the_limit() {
        let now = Instant::now();
        let mut calls = Calls::default();
        calls.begin(7, "a".into(), now, None);
        let ended = Look::Ended(Waited::Ready { id: 7, status: CallStatus::Limit, bytes: 4 });
        assert_eq!(calls.look(Some(7), now, late), ended);
        assert!(!calls.answer(7, late()));
    }

    #[test]
    fn replies_are_ok_or_an_error_and_never_both() {
        let reply = |head, payload: &[u8]| Answer::from_reply(&codec::encode(&head, payload), 4);
        assert_eq!(reply(json!({"ok": true}), b"null").unwrap().status, CallStatus::Ok);
        assert_eq!(reply(json!({"ok": true}), b"[1,2]").unwrap().status, CallStatus::Limit);
        let refused = reply(json!({"error": "input", "message": "no"}), b"").unwrap();
        assert_eq!(refused, Answer { status: CallStatus::Input, payload: b"no".to_vec() });
        assert!(reply(json!({}), b"").is_err());
        assert!(reply(json!({"ok": true, "error": "failed"}), b"").is_err());
        assert!(Answer::from_reply(b"junk", 4).is_err());
    }
}
