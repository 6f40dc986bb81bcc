//! Instances that are put back are, byte for byte, what they were put back to.

use super::*;
use crate::engine::Linked;
use crate::unpack;
use mote_core::limits::Limits;
use mote_core::mailbox::Mailbox;
use mote_core::run::{NewRun, Run};
use std::fs::{self, File};

fn image() -> Arc<Image> {
    let linked = Linked::pooled().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let module = crate::pausing::pausing(include_bytes!("../tests/fixtures/guest.wasm").to_vec());
    let compiled = linked.engine.precompile_module(&crate::observable::observable(&module)).unwrap();
    let root = mote_wasi::image::ImageWriter::new(0).finish().unwrap();
    let manifest = br#"{"name": "test", "version": "1", "abi": 1, "snapshot": false, "entry": "main.test"}"#;
    for (name, bytes) in unpack::FILES.iter().zip([&compiled[..], &root, manifest]) {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let files = unpack::FILES.iter().map(|name| File::open(dir.path().join(name)).unwrap()).collect();
    Image::load(&linked.engine, &linked.linker, "test", files).unwrap()
}

fn active() -> Active {
    let new = NewRun {
        request: 1,
        time_ms: 30_000,
        stream: false,
        tools: Arc::from([]),
        call_ids: Arc::default(),
        mailbox: Arc::new(Mailbox::new(Box::new(|| {}))),
    };
    Active::new(Run::new(Limits::default(), new), b"")
}

fn run(guest: &mut Guest, code: &[u8]) {
    // Not attached: this guest counts that in a global, and such a one is not put back.
    assert!(guest.run(code, Strings::default(), active(), false).is_ok());
}

#[test]
fn every_byte_is_put_back_also_of_pages_that_are_written_late() {
    let image = image();
    let template = Template::new(&image).expect("the guest keeps no other state");
    let mut guest = Guest::new(&image, true).unwrap();
    for round in 0..20_u8 {
        // The code lies in memory itself: each third run reaches pages that none before has.
        let length = if round % 3 == 2 { 4096 * usize::from(round) } else { 10 };
        let code = [b"p".as_slice(), &vec![round + 1; length]].concat();
        run(&mut guest, &code);
        assert!(guest.restore(&template));
        assert!(guest.memory.data(&guest.store) == template.guest.memory.data(&template.guest.store), "round {round}");
    }
    // Without a fault there is nothing to ask the kernel for.
    run(&mut guest, b"pagain");
    assert!(guest.known.is_some());
    assert!(guest.restore(&template));
}

#[test]
fn a_fault_on_any_thread_of_a_run_is_seen() {
    let image = image();
    let template = Template::new(&image).unwrap();
    let mut guest = Guest::new(&image, true).unwrap();
    run(&mut guest, b"phi");
    assert!(guest.restore(&template) && guest.known.is_some());
    let active = active();
    let usage = active.usage();
    usage.leave();
    std::thread::spawn(move || {
        usage.enter();
        let code = [b"p".as_slice(), &[7; 50_000]].concat();
        assert!(guest.run(&code, Strings::default(), active, false).is_ok());
        assert!(guest.known.is_none());
        assert!(guest.restore(&template));
        assert!(guest.memory.data(&guest.store) == template.guest.memory.data(&template.guest.store));
    })
    .join()
    .unwrap();
}
