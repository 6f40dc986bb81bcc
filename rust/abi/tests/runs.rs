//! Runs as a host of the C ABI sees them: output, input, state, tools.

mod support;

use serde_json::json;
use support::{Client, DONE, STDOUT};

#[test]
fn a_run_prints_reads_and_exits() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    let done = client.run(session, "phello\0 world");
    assert_eq!((done.stdout().as_str(), done.stderr().as_str(), done.exit_code()), ("hello\0 world", "", Some(0)));
    let timings = &done.head["ok"]["timings"];
    for name in ["queuedMs", "startMs", "firstByteMs", "runMs", "totalMs"] {
        assert!(timings[name].as_f64().is_some_and(|ms| ms < 60_000.0), "{name}: {timings}");
    }
    let done = client.run(session, "eoops");
    assert_eq!((done.stdout().as_str(), done.stderr().as_str(), done.exit_code()), ("", "oops", Some(1)));
    assert_eq!(client.run(session, "a").stdout(), "main.test\0one\0two\0");
    assert_eq!(client.run(session, "x").exit_code(), Some(7));
    let request = client.start(session, "i", &[0xff; 10_000], false);
    assert_eq!(client.done(request).payload, [0xff; 10_000]);
}

#[test]
fn each_run_is_fresh_and_warmed_and_attached_once() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    assert_eq!(client.run(session, "c").stdout(), "1");
    assert_eq!(client.run(session, "c").stdout(), "1");
    let done = client.run(session, "q");
    assert!(matches!(done.stdout().as_str(), "11" | "01"), "{}", done.stdout());
}

#[test]
fn nothing_of_a_run_is_left_in_an_instance_that_is_used_again() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    for _ in 0..200 {
        assert_eq!(client.run(session, "psecret of this run").exit_code(), Some(0));
        assert_eq!(client.run(session, "z").stdout(), "\0".repeat(16));
    }
    assert_eq!(client.run(session, "c").stdout(), "1");
    assert_eq!(client.run(session, "c").stdout(), "1");
}

#[test]
fn an_interactive_session_keeps_its_state_until_a_crash() {
    let mut client = Client::connect();
    let session = client.open(|head| head["interactive"] = json!(true));
    for expected in ["1", "2", "3"] {
        assert_eq!(client.run(session, "c").stdout(), expected);
    }
    let crash = client.run(session, "u");
    assert_eq!(crash.code(), "GUEST_CRASHED");
    assert!(crash.message().contains("state of earlier runs is lost"), "{}", crash.message());
    assert_eq!(client.run(session, "c").stdout(), "1");
}

#[test]
fn randomness_differs_by_run_and_session_and_repeats_with_a_seed() {
    let mut client = Client::connect();
    let plain = client.open(|_| {});
    let (one, two) = (client.run(plain, "r").payload, client.run(plain, "r").payload);
    assert_ne!(one, two);
    let mut seeded = || {
        let session = client.open(|head| head["seed"] = json!("0123456789abcdef".repeat(4)));
        (client.run(session, "r").payload, client.run(session, "r").payload)
    };
    let (first, second) = (seeded(), seeded());
    assert_eq!(first, second);
    assert_ne!(first.0, first.1);
    let (_, done) = client.try_open(&{
        let mut head = client.open_head("test");
        head["seed"] = json!("xyz");
        head
    });
    assert_eq!(done.code(), "INVALID_OPTION");
}

#[test]
fn streamed_output_comes_before_the_end() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    let request = client.start(session, "phello", b"", true);
    let done = client.done(request);
    assert_eq!(client.streamed(request, STDOUT), b"hello");
    assert_eq!((done.payload.len(), done.head["ok"]["stdoutBytes"].as_u64()), (0, Some(5)));
}

#[test]
fn output_that_nobody_acknowledges_holds_the_guest_back() {
    let mut client = Client::connect();
    let session = client.open(|head| head["limits"] = json!({"outputBytes": 16 << 20}));
    let request = client.start(session, "f", b"", true);
    let mut bytes = 0;
    while bytes < 16 << 20 {
        let read = client.event(request, STDOUT).body.len();
        bytes += read;
        client.submit(session, &json!({"op": "ack", "request": request, "bytes": read}), b"");
    }
    let done = client.done(request);
    assert_eq!((done.code(), bytes), ("OUTPUT_EXCEEDED", 16 << 20));
    let request = client.start(session, "f", b"", true);
    client.event(request, STDOUT);
    client.interrupt(session, request);
    let held = client.done(request);
    assert_eq!(held.code(), "ABORTED");
    assert!(held.head["ok"]["stdoutBytes"].as_u64().unwrap() < 2 << 20);
}

#[test]
fn runs_wait_for_each_other_in_order_and_files_do_not_wait() {
    let mut client = Client::connect();
    let session = client.open(|head| head["interactive"] = json!(true));
    let held = client.start(session, "tweather {}", b"", false);
    let (call, ..) = client.call(held);
    let queued: Vec<u32> = (0..5).map(|_| client.start(session, "c", b"", false)).collect();
    let listed = client.files(session, json!({"op": "list", "path": ".", "recursive": true}), b"");
    assert_eq!(listed.head["ok"]["entries"], json!([]));
    assert_eq!(client.interrupt(session, queued[2]), 1);
    assert_eq!(client.done(queued[2]).code(), "ABORTED");
    client.reply(session, call, json!({"ok": true}), b"1");
    assert_eq!(client.done(held).stdout(), "1");
    let counted: Vec<String> = [0, 1, 3, 4].iter().map(|n| client.done(queued[*n]).stdout()).collect();
    assert_eq!(counted, ["1", "2", "3", "4"]);
}

#[test]
fn tools_are_called_answered_and_refused() {
    let mut client = Client::connect();
    let session = client.open(|head| head["limits"] = json!({"toolCalls": 2, "toolBytes": 20}));
    let mut ask = |code: &str, head, payload: &[u8]| {
        let request = client.start(session, code, b"", false);
        let (call, name, arguments) = client.call(request);
        assert_eq!((name.as_str(), arguments.as_str()), ("weather", r#"{"city":"Oslo"}"#));
        assert_eq!(client.reply(session, call, head, payload), 0);
        assert_eq!(client.reply(session, call, json!({"ok": true}), b""), 0, "a second answer is dropped");
        client.done(request)
    };
    let oslo = r#"tweather {"city":"Oslo"}"#;
    assert_eq!(ask(oslo, json!({"ok": true}), b"[12]").stdout(), "[12]");
    assert_eq!(ask(oslo, json!({"error": "failed", "message": "no"}), b"").stdout(), "1no");
    assert_eq!(ask(oslo, json!({"error": "input", "message": "bad"}), b"").stdout(), "2bad");
    assert_eq!(ask(oslo, json!({"ok": true}), &[b'1'; 21]).stdout().chars().next(), Some('3'));
    assert!(client.run(session, "tnothing {}").stdout().contains("no tool nothing"));
    assert_eq!(client.run(session, &format!("tweather {}", "1".repeat(21))).stdout().chars().next(), Some('3'));
    assert_eq!(client.reply(session, 0, json!({}), b""), -2);
    let failed = client.run(session, "T");
    assert_eq!((failed.code(), failed.exit_code()), ("TOOL_FAILED", Some(1)));
    let over = client.run(session, &format!("tweather {}", "1".repeat(21)));
    assert_eq!(over.head["ok"]["limitHit"], "tools");
}

#[test]
fn two_tool_calls_run_at_once_and_end_in_any_order() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    let request = client.start(session, "b", b"", false);
    let (one, two) = (client.call(request), client.call(request));
    assert_eq!((one.1.as_str(), two.1.as_str()), ("a", "b"));
    client.reply(session, two.0, json!({"ok": true}), b"second");
    client.reply(session, one.0, json!({"ok": true}), b"first");
    let done = client.done(request);
    assert!(["secondfirst", "firstsecond"].contains(&done.stdout().as_str()));
    assert_eq!((done.exit_code(), done.head["ok"]["calls"].as_u64()), (Some(42), Some(2)));
}

#[test]
fn a_command_module_runs_and_what_is_none_is_refused() {
    let mut client = Client::connect();
    let head = client.open_head("wasm");
    let (session, done) = client.try_open(&head);
    assert_eq!(done.code(), "none");
    let module = support::COMMAND;
    let mut run = |module: &[u8]| {
        let head = json!({"op": "run", "codeBytes": module.len(), "args": []});
        let (request, _) = client.submit(session, &head, &[module, b"input"].concat());
        client.event(request, DONE)
    };
    for _ in 0..2 {
        let event = run(module);
        let (head, payload): (serde_json::Value, &[u8]) = mote_core::codec::decode(&event.body).unwrap();
        assert_eq!((head["ok"]["exitCode"].as_u64(), payload), (Some(3), &b"input"[..]));
    }
    let refused = [
        (&b"print('hi')"[..], "does not begin"),
        (b"\0asm\x0d\0\x01\0", "component"),
        (include_bytes!("../../engines/wasm/tests/fixtures/no_start.wasm"), "no _start"),
        (include_bytes!("../../engines/wasm/tests/fixtures/no_memory.wasm"), "no memory"),
        (include_bytes!("../../engines/wasm/tests/fixtures/foreign.wasm"), "env.f"),
        (&module[..module.len() - 1], "Cannot run module"),
    ];
    for (module, why) in refused {
        let event = run(module);
        let (head, _): (serde_json::Value, &[u8]) = mote_core::codec::decode(&event.body).unwrap();
        assert_eq!(head["error"]["code"], "GUEST_INVALID");
        assert!(head["error"]["message"].as_str().unwrap().contains(why), "{head}");
    }
    let event = run(include_bytes!("../../engines/wasm/tests/fixtures/bomb.wasm"));
    let (head, _): (serde_json::Value, &[u8]) = mote_core::codec::decode(&event.body).unwrap();
    assert_eq!(head["error"]["code"], "MEMORY_EXCEEDED", "{head}");
}
