//! The way to the host, used too much, wrongly, or broken.

use crate::machine::{self, NOTIFY};
use alloc::string::String;
use alloc::vec::Vec;
use mote_guest::hyperlight_common::vmem::PAGE_SIZE;
use mote_guest::hyperlight_guest::layout;
use mote_guest::hyperlight_guest_bin::{host_comm::call_host, paging};
use mote_guest::{Stream, println};

pub fn flood() {
    loop {
        let _ = call_host::<Vec<u8>>("MoteRead", (0i32, 0u64));
    }
}

pub fn output_flood() {
    loop {
        mote_guest::write(Stream::Stdout, &[b'x'; 8192]);
    }
}

pub fn unknown() {
    let answer = call_host::<i32>("OpenTheGate", (7i32,));
    println!("{}", if answer.is_err() { "refused" } else { "done" });
}

pub fn wrong_types() {
    let answers = [
        call_host::<i32>("MoteWrite", (String::from("stdout"),)).is_err(),
        call_host::<Vec<u8>>("MoteRead", (String::from("code"), -1i64)).is_err(),
        call_host::<i32>("HostPrint", (1i32, 2i32, 3i32)).is_err(),
    ];
    println!("{}", if answers == [true; 3] { "refused" } else { "done" });
}

/// Numbers that mean nothing to the host; each has to be an error or an empty answer.
pub fn wrong_numbers() {
    for source in [-1, 6, i32::MAX, i32::MIN] {
        let _ = call_host::<Vec<u8>>("MoteRead", (source, 0u64));
    }
    for offset in [u64::MAX, 1 << 40] {
        for source in 0..6 {
            let _ = call_host::<Vec<u8>>("MoteRead", (source, offset));
        }
    }
    for stream in [-1, 0, 3, i32::MIN] {
        let _ = call_host::<i32>("MoteWrite", (stream, Vec::from(*b"x")));
    }
    println!("survived");
}

pub fn tools_flood() {
    loop {
        let _ = mote_guest::call("nothing", b"{}");
    }
}

pub fn tools_arguments_endless() {
    loop {
        let _ = call_host::<i32>("MoteArguments", (alloc::vec![b' '; 8192],));
    }
}

/// Overwrites the queues and their buffers with nonsense.
pub fn buffer_filled() {
    // SAFETY: none; the arena belongs to the transport, and is broken on purpose.
    unsafe {
        let arena = layout::transport_arena_gpa_gva().read_volatile();
        let Some(start) = paging::phys_to_virt(arena) else { return };
        for at in 0..4 * PAGE_SIZE {
            start.add(at).write_volatile(0xa5);
        }
    }
}

/// The host is told to look at them, and then asked for something.
pub fn buffer_corrupted() {
    buffer_filled();
    machine::out(NOTIFY, 0);
    println!("still talking");
}

pub fn notify_flood() {
    loop {
        machine::out(NOTIFY, 0);
    }
}

pub fn buffer_corrupted_flood() {
    buffer_filled();
    notify_flood();
}
