//! Whatever a guest passes to the tool calls and a host answers them: a result, a fault or a stop, and never more calls
//! than the limit allows.
#![no_main]

use std::sync::Arc;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mote_core::calls::Answer;
use mote_core::guest_calls;
use mote_core::limits::Limits;
use mote_core::mailbox::Mailbox;
use mote_core::run::{NewRun, Run, Stop};

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    Begin { name: (i32, i32), arguments: (i32, i32) },
    BeginWell { arguments: &'a [u8] },
    Wait { id: i32, out: i32 },
    WaitWell { id: u8, out: u16 },
    Take { id: i32, pointer: i32 },
    TakeWell { id: u8, pointer: u16 },
    Reply { call: u8, message: &'a [u8] },
    Stop,
}

const TOOL: &[u8] = b"weather";
const MEMORY_BYTES: usize = 1 << 16;

fuzz_target!(|steps: Vec<Step>| {
    let limits = Limits { tool_calls: 8, tool_bytes: 256, ..Limits::default() };
    let mailbox = Arc::new(Mailbox::new(Box::new(|| {})));
    let new = NewRun {
        request: 1,
        time_ms: limits.time_ms,
        stream: false,
        tools: Arc::from(["weather".to_owned()]),
        call_ids: Arc::default(),
        mailbox: mailbox.clone(),
    };
    let run = Run::new(limits, new);
    let mut memory = vec![0; MEMORY_BYTES];
    memory[..TOOL.len()].copy_from_slice(TOOL);
    let mut asked = 0;
    for step in steps {
        match step {
            Step::Begin { name, arguments } => drop(guest_calls::begin(&memory, Some(&run), name, arguments)),
            Step::BeginWell { arguments } => {
                let length = arguments.len().min(1024);
                memory[64..64 + length].copy_from_slice(&arguments[..length]);
                let begun = guest_calls::begin(&memory, Some(&run), (0, TOOL.len() as i32), (64, length as i32));
                assert!(begun.is_ok_and(|id| id >= 0));
            }
            Step::Wait { id, out } => drop(guest_calls::wait(&mut memory, Some(&run), id, 0, out)),
            Step::WaitWell { id, out } => {
                drop(guest_calls::wait(&mut memory, Some(&run), id.into(), 0, out.into()));
            }
            Step::Take { id, pointer } => drop(guest_calls::take(&mut memory, Some(&run), id, pointer)),
            Step::TakeWell { id, pointer } => {
                drop(guest_calls::take(&mut memory, Some(&run), id.into(), pointer.into()));
            }
            Step::Reply { call, message } => {
                if let Ok(answer) = Answer::from_reply(message, 256) {
                    run.reply(call.into(), answer);
                }
            }
            Step::Stop => run.stop(Stop::Aborted),
        }
        memory[..TOOL.len()].copy_from_slice(TOOL);
        let mut events = vec![0; 1 << 16];
        if let mote_core::mailbox::Taken::Bytes(bytes) = mailbox.take(&mut events) {
            asked += usize::from(bytes > 0);
        }
        assert!(asked <= 8, "more calls reached the host than the limit allows");
    }
});
