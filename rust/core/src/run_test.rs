use super::*;
use crate::mailbox::Taken;
use std::thread;

fn run(change: impl FnOnce(&mut Limits), stream: bool) -> (Arc<Run>, Arc<Mailbox>) {
    let mut limits = Limits::default();
    change(&mut limits);
    let mailbox = Arc::new(Mailbox::new(Box::new(|| {})));
    let new = NewRun {
        request: 7,
        time_ms: limits.time_ms,
        stream,
        tools: Arc::from(["weather".to_owned()]),
        call_ids: Arc::default(),
        mailbox: mailbox.clone(),
    };
    (Run::new(limits, new), mailbox)
}

#[test]
fn output_is_collected_up_to_its_limit() {
    let (run, _) = run(|limits| limits.output_bytes = 5, false);
    assert_eq!(run.write(Stream::Stdout, b"abc"), Ok(()));
    assert_eq!(run.write(Stream::Stderr, b"defg"), Err(Stop::Output));
    let traces = run.traces();
    assert_eq!((traces.stdout.as_slice(), traces.stderr.as_slice()), (&b"abc"[..], &b"de"[..]));
    assert!(traces.output_cut && traces.first_byte.is_some());
}

#[test]
fn output_is_cut_where_that_is_asked_for() {
    let cut = |limits: &mut Limits| {
        limits.output_bytes = 2;
        limits.truncate_output = true;
    };
    let (run, _) = run(cut, false);
    assert_eq!(run.write(Stream::Stdout, b"abc"), Ok(()));
    assert_eq!(run.write(Stream::Stdout, b"d"), Ok(()));
    assert_eq!((run.traces().stdout_bytes, run.stopped()), (2, None));
}

#[test]
fn streamed_output_waits_for_the_host_and_goes_on() {
    let (run, mailbox) = run(|_| {}, true);
    let writer = run.clone();
    let thread = thread::spawn(move || writer.write(Stream::Stdout, &vec![1; 3 << 20]));
    let mut buffer = vec![0; 1 << 20];
    let (mut bytes, mut unread) = (0, 0);
    while bytes < 3 << 20 {
        match mailbox.take(&mut buffer) {
            Taken::Bytes(0) => {
                run.acknowledge(unread);
                unread = 0;
                thread::yield_now();
            }
            Taken::Bytes(taken) => {
                unread += taken - 12 * count(&buffer[..taken]);
                bytes += taken - 12 * count(&buffer[..taken]);
            }
            Taken::TooSmall(needed) => panic!("an event of {needed} bytes is larger than a piece"),
        }
        assert!(unread <= MAX_UNREAD_BYTES, "{unread} bytes were not held back");
    }
    assert_eq!((thread.join().unwrap(), bytes), (Ok(()), 3 << 20));
}

fn count(mut events: &[u8]) -> usize {
    let mut count = 0;
    while !events.is_empty() {
        let length = u32::from_le_bytes(events[..4].try_into().unwrap()) as usize;
        events = &events[12 + length..];
        count += 1;
    }
    count
}

#[test]
fn a_stop_wakes_every_kind_of_wait() {
    type Wait = fn(&Arc<Run>) -> Option<Stop>;
    let waits: [Wait; 3] = [
        |run| run.sleep(Instant::now() + Duration::from_secs(3600)).err(),
        |run| {
            run.call_begin(b"weather", b"{}");
            run.call_wait(None, None).err()
        },
        |run| run.write(Stream::Stdout, &vec![0; 8 << 20]).err(),
    ];
    for wait in waits {
        let (run, _mailbox) = run(|_| {}, true);
        let waiter = run.clone();
        let thread = thread::spawn(move || wait(&waiter));
        run.stop(Stop::Aborted);
        run.stop(Stop::Closed);
        assert_eq!(thread.join().unwrap(), Some(Stop::Aborted));
    }
}

#[test]
fn every_wait_ends_at_the_deadline() {
    let (sleeping, _) = run(|limits| limits.time_ms = 1, false);
    assert_eq!(sleeping.sleep(Instant::now() + Duration::from_secs(3600)), Err(Stop::Time));
    let (calling, _) = run(|limits| limits.time_ms = 1, false);
    calling.call_begin(b"weather", b"{}");
    assert_eq!(calling.call_wait(None, None), Err(Stop::Time));
    let (printing, _mailbox) = run(|limits| limits.time_ms = 1, true);
    assert_eq!(printing.write(Stream::Stdout, &vec![0; 8 << 20]), Err(Stop::Time));
}

#[test]
fn calls_are_refused_past_their_limits() {
    let few = |limits: &mut Limits| {
        limits.tool_calls = 2;
        limits.tool_bytes = 4;
    };
    let (run, mailbox) = run(few, false);
    let status = |id: u32| match run.call_wait(Some(id), None) {
        Ok(Waited::Ready { status, .. }) => status,
        other => panic!("{other:?}"),
    };
    assert_eq!(status(run.call_begin(b"other", b"{}")), crate::calls::CallStatus::Failed);
    assert_eq!(status(run.call_begin(b"weather", b"[1,2]")), crate::calls::CallStatus::Limit);
    assert_eq!(status(run.call_begin(b"weather", b"{}")), crate::calls::CallStatus::Limit);
    assert_eq!(mailbox.take(&mut [0; 64]), Taken::Bytes(0));
    assert_eq!((run.call_take(0).is_some(), run.call_take(0)), (true, None));
}

#[test]
fn a_wait_with_a_timeout_leaves_the_call_open() {
    let (run, _) = run(|_| {}, false);
    let id = run.call_begin(b"weather", b"{}");
    assert_eq!(run.call_wait(None, Some(Duration::ZERO)), Ok(Waited::TimedOut));
    assert!(run.reply(id, Answer { status: crate::calls::CallStatus::Ok, payload: b"1".to_vec() }));
    assert!(matches!(run.call_wait(Some(id), None), Ok(Waited::Ready { bytes: 1, .. })));
    assert_eq!(run.call_take(id), Some(b"1".to_vec()));
    assert_eq!(run.call_wait(None, None), Ok(Waited::NoSuchCall));
}
