//! Handles, closing, damage: what happens when things end.

mod support;

use mote::*;
use mote_core::codec;
use serde_json::json;
use std::fs;
use support::Client;

#[test]
fn bad_arguments_are_statuses() {
    unsafe {
        assert_eq!(mote_abi_version(), mote_core::wire::ABI_VERSION);
        assert_eq!(mote_connect(None), -5);
        let client = Client::connect();
        let handle = client.handle;
        assert_eq!(mote_open(handle, 1, std::ptr::null(), 0), -5);
        assert_eq!(mote_open(handle, 1, b"junk".as_ptr(), 4), -2);
        assert_eq!(mote_open(handle, 1, b"junk".as_ptr(), usize::MAX), -5);
        assert_eq!(mote_take(handle, std::ptr::null_mut(), 100), -5);
        assert_eq!(mote_take(handle, [0; 4].as_mut_ptr(), 3), -5);
        for stale in [0, -1, 1, handle + 2, i64::MAX] {
            assert_eq!(mote_probe(stale, 1), -1);
            assert_eq!(mote_submit(stale, 1, b"".as_ptr(), 0), -1);
        }
        let message = codec::encode(&json!({}), b"");
        assert_eq!(mote_submit(handle, 1, message.as_ptr(), message.len()), -1, "a client is no session");
    }
}

#[test]
fn a_closed_session_is_stale_and_stays_so() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    assert_eq!(client.close(session).head, json!({"ok": {}}));
    unsafe {
        assert_eq!(mote_close(session, 99), -1);
        let other = client.open(|_| {});
        assert_ne!(other, session);
        assert_eq!(mote_interrupt(session, 1), -1);
        assert_eq!(client.reply(session, 1, json!({"ok": true}), b""), -1);
    }
}

#[test]
fn closing_ends_what_runs_and_what_waits() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    let running = client.start(session, "l", b"", false);
    let waiting = client.start(session, "phi", b"", false);
    client.close(session);
    assert_eq!(client.done(running).code(), "SESSION_CLOSED");
    assert_eq!(client.done(waiting).code(), "SESSION_CLOSED");
}

#[test]
fn disconnecting_ends_runs_of_every_kind() {
    let mut client = Client::connect();
    let sessions: Vec<i64> = (0..4).map(|_| client.open(|_| {})).collect();
    for (session, code) in sessions.iter().zip(["l", "s", "tweather {}", "f"]) {
        client.start(*session, code, b"", code == "f");
    }
    assert_eq!(client.disconnect(), 0);
    assert_eq!(client.disconnect(), -1);
    for session in sessions {
        assert_eq!(client.interrupt(session, 1), -1);
    }
}

#[test]
fn a_thousand_sessions_live_at_once() {
    let mut client = Client::connect();
    let sessions: Vec<i64> = (0..1000).map(|_| client.open(|head| head["interactive"] = json!(true))).collect();
    let requests: Vec<u32> = sessions.iter().map(|session| client.start(*session, "c", b"", false)).collect();
    for request in requests {
        assert_eq!(client.done(request).stdout(), "1");
    }
    for session in sessions {
        assert_eq!(client.run(session, "c").stdout(), "2");
        client.close(session);
    }
}

#[test]
fn files_go_in_and_out_and_never_leave_the_workspace() {
    let mut client = Client::connect();
    let session = client.open(|_| {});
    let ok = |done: support::Done| assert_eq!(done.code(), "none", "{}", done.message());
    ok(client.files(session, json!({"op": "mkdir", "path": "a/b", "recursive": true}), b""));
    ok(client.files(session, json!({"op": "write", "path": "a/b/c.txt", "mode": 0o600}), b"hello"));
    ok(client.files(session, json!({"op": "write", "path": "a/b/c.txt", "offset": 5}), b" world"));
    ok(client.files(session, json!({"op": "symlink", "path": "link", "target": "a/b/c.txt"}), b""));
    let read = client.files(session, json!({"op": "read", "path": "link", "offset": 6, "length": 100}), b"");
    assert_eq!((read.payload.as_slice(), &read.head["ok"]["eof"]), (&b"world"[..], &json!(true)));
    let listed = client.files(session, json!({"op": "list", "path": "a", "recursive": true}), b"");
    let paths: Vec<&str> =
        listed.head["ok"]["entries"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["a/b", "a/b/c.txt"]);
    let stat = client.files(session, json!({"op": "stat", "path": "link"}), b"");
    assert_eq!((&stat.head["ok"]["kind"], &stat.head["ok"]["target"]), (&json!("symlink"), &json!("a/b/c.txt")));
    for (path, code) in [("../x", "PATH_REFUSED"), ("/etc/passwd", "PATH_REFUSED"), ("none", "FILE_NOT_FOUND")] {
        let read = client.files(session, json!({"op": "read", "path": path, "offset": 0, "length": 1}), b"");
        assert_eq!(read.code(), code, "{path}");
    }
    ok(client.files(session, json!({"op": "remove", "path": "a", "recursive": true}), b""));
    assert_eq!(client.run(session, "phi").stdout(), "hi");
}

#[test]
fn sessions_that_cannot_be_opened_say_why() {
    let mut client = Client::connect();
    let mut refused = |change: &dyn Fn(&mut serde_json::Value), code: &str| {
        let mut head = client.open_head("test");
        change(&mut head);
        let (_, done) = client.try_open(&head);
        assert_eq!(done.code(), code, "{}", done.message());
    };
    refused(&|head| head["backend"] = json!("docker"), "UNSUPPORTED");
    refused(&|head| head["image"] = json!(null), "GUEST_NOT_FOUND");
    refused(&|head| head["image"] = json!({"path": "/nowhere", "sha256": "0".repeat(64)}), "GUEST_NOT_FOUND");
    refused(&|head| head["image"]["sha256"] = json!("1".repeat(64)), "GUEST_INVALID");
    refused(&|head| head["image"]["sha256"] = json!("../../x"), "INVALID_OPTION");
    refused(&|head| head["lang"] = json!("wasm"), "UNSUPPORTED");
}

#[test]
fn the_cache_is_private_and_holds_what_was_compiled() {
    let mut client = Client::connect();
    client.open(|_| {});
    let guests = client.cache_dir().join("cache/guests");
    let folder = fs::read_dir(guests).unwrap().map(|entry| entry.unwrap()).find(|entry| entry.path().is_dir()).unwrap();
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["guest.json", "module.cwasm", "root.img", "stamp.json"]);
}
