//! Runs that are ended: by a limit, by the host, by their own crash. The session goes on each time.

mod support;

use serde_json::{Value, json};
use support::{Client, Done};

fn limited(limits: Value, code: &str) -> (Done, String) {
    let mut client = Client::connect();
    let session = client.open(|head| head["limits"] = limits);
    let done = client.run(session, code);
    let after = client.run(session, "palive").stdout();
    (done, after)
}

#[test]
fn time_ends_loops_sleeps_and_waits_for_tools() {
    for code in ["l", "s", "tweather {}"] {
        let (done, after) = limited(json!({"timeMs": 50}), code);
        assert_eq!((done.code(), done.head["error"]["limit"].as_str()), ("TIMED_OUT", Some("time")), "{code}");
        assert!(done.message().contains("50 ms"), "{}", done.message());
        assert!(done.exit_code().is_none() && done.head["ok"]["timings"]["runMs"].as_f64().unwrap() >= 45.0);
        assert_eq!(after, "alive");
    }
}

#[test]
fn a_run_may_ask_for_another_time_than_its_session() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    let (request, _) = client.submit(session, &json!({"op": "run", "codeBytes": 1, "timeMs": 20}), b"l");
    assert_eq!(client.done(request).code(), "TIMED_OUT");
    let (request, status) = client.submit(session, &json!({"op": "run", "codeBytes": 1, "timeMs": 0}), b"l");
    assert_eq!((status, client.done(request).code()), (1, "INVALID_OPTION"));
}

#[test]
fn cpu_time_ends_a_loop_and_spares_a_sleep() {
    let (done, after) = limited(json!({"cpuMs": 30}), "l");
    assert_eq!((done.code(), done.head["error"]["limit"].as_str()), ("TIMED_OUT", Some("cpu")));
    assert_eq!(after, "alive");
    let (done, _) = limited(json!({"cpuMs": 30, "timeMs": 300}), "s");
    assert_eq!(done.head["error"]["limit"], "time");
}

#[test]
fn memory_that_is_refused_is_told_by_how_the_run_ends() {
    let limits = json!({"memoryBytes": 8 << 20});
    let (aborted, after) = limited(limits.clone(), "m");
    assert_eq!((aborted.code(), after.as_str()), ("MEMORY_EXCEEDED", "alive"));
    let (reported, _) = limited(limits.clone(), "O");
    assert_eq!((reported.code(), reported.exit_code()), ("MEMORY_EXCEEDED", Some(1)));
    let (handled, _) = limited(limits, "M");
    assert_eq!((handled.code(), handled.head["ok"]["limitHit"].as_str()), ("none", Some("memory")));
}

#[test]
fn output_past_its_limit_ends_the_run_or_is_cut() {
    let (done, after) = limited(json!({"outputBytes": 10_000}), "f");
    assert_eq!((done.code(), done.payload.len(), after.as_str()), ("OUTPUT_EXCEEDED", 10_000, "alive"));
    let (cut, _) = limited(json!({"outputBytes": 3, "truncateOutput": true}), "phello");
    assert_eq!((cut.code(), cut.stdout().as_str(), cut.exit_code()), ("none", "hel", Some(0)));
    assert_eq!(cut.head["ok"]["limitHit"], "output");
    let (flood, _) = limited(json!({"outputBytes": 3, "truncateOutput": true, "timeMs": 50}), "f");
    assert_eq!((flood.code(), flood.payload.len()), ("TIMED_OUT", 3));
}

#[test]
fn a_full_workspace_is_told() {
    let (done, after) = limited(json!({"workspaceBytes": 100_000}), &format!("w{}", "x".repeat(1000)));
    assert_eq!((done.code(), after.as_str()), ("DISK_EXCEEDED", "alive"), "{}", done.message());
    assert_eq!(done.head["ok"]["changed"], json!(["out"]));
}

#[test]
fn crashes_end_the_run_alone() {
    for (code, why) in [("u", "aborted"), ("d", "stack overflow"), ("o", "out of bounds")] {
        let (done, after) = limited(json!({}), code);
        assert_eq!((done.code(), after.as_str()), ("GUEST_CRASHED", "alive"));
        assert!(done.message().contains(why), "{}", done.message());
    }
}

#[test]
fn an_interrupt_ends_every_kind_of_run() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    for code in ["l", "s", "tweather {}", "f"] {
        let request = client.start(session, code, b"", code == "f");
        let status = client.interrupt(session, request);
        assert!(status >= 0);
        assert_eq!(client.done(request).code(), "ABORTED", "{code}");
        assert_eq!(client.interrupt(session, request), 0, "a late interrupt does nothing");
    }
    assert_eq!(client.run(session, "palive").stdout(), "alive");
}

#[test]
fn a_tool_that_takes_too_long_is_an_error_of_the_guest() {
    let (done, _) = limited(json!({"toolTimeMs": 20}), "tweather {}");
    assert!(done.stdout().starts_with('3') && done.stdout().contains("20 ms"), "{}", done.stdout());
    let (done, _) = limited(json!({"toolCalls": 0}), "tweather {}");
    assert!(done.stdout().starts_with('3'), "{}", done.stdout());
}

#[test]
fn impossible_limits_are_refused_by_name() {
    let mut client = Client::connect();
    for (limits, name) in [(json!({"timeMs": 0}), "timeMs"), (json!({"memoryBytes": 1u64 << 40}), "memoryBytes")] {
        let mut head = client.open_head("test");
        head["limits"] = limits;
        let (session, done) = client.try_open(&head);
        assert_eq!(done.code(), "INVALID_OPTION");
        assert!(done.message().contains(name), "{}", done.message());
        assert_eq!(client.interrupt(session, 1), -1, "a session that could not be opened is gone");
    }
}
