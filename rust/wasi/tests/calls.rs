//! Memory, waiting, randomness, and calls that have no file.

mod guest;

use guest::*;
use mote_wasi::Errno::*;
use mote_wasi::{FUNCTIONS, FixedHost, Fs, FsOptions, Halt, OutputLimit, Strings, Wasi, preview1};

const TOP: i32 = MEMORY as i32;

fn fault<T>(result: Result<T, Halt<OutputLimit>>) -> bool {
    matches!(result, Err(Halt::Fault { .. }))
}

#[test]
fn a_pointer_out_of_memory_stops_the_guest() {
    let mut g = Guest::at_root();
    let cx = &mut g.cx();
    assert!(fault(preview1::clock_time_get(cx, 1, 0, TOP - 7)));
    assert!(fault(preview1::clock_time_get(cx, 1, 0, -1)));
    assert!(fault(preview1::random_get(cx, 0, -1)));
    assert!(fault(preview1::random_get(cx, -1, 2)));
    assert!(fault(preview1::path_create_directory(cx, 3, TOP - 1, 2)));
    assert!(fault(preview1::path_create_directory(cx, 3, 0, -1)));
    assert!(fault(preview1::fd_write(cx, 1, TOP - 4, 1, OUT)));
    assert!(fault(preview1::fd_readdir(cx, 3, TOP - 10, 100, 0, OUT)));
    assert!(fault(preview1::poll_oneoff(cx, 0, TOP - 10, 1, OUT)));
    assert!(fault(preview1::poll_oneoff(cx, TOP - 10, 0, 1, OUT)));
    assert_eq!(answer(preview1::fd_write(cx, 1, 0, -1, OUT)), Err(Inval));
    assert_eq!(answer(preview1::fd_read(cx, 0, 0, i32::MIN, OUT)), Err(Inval));
    // A buffer that would wrap around.
    g.put(IOVS, &[0xff; 8]);
    assert!(fault(preview1::fd_write(&mut g.cx(), 1, IOVS, 1, OUT)));
    assert!(fault(preview1::fd_read(&mut g.cx(), 0, IOVS, 1, OUT)));
}

#[test]
fn reads_and_writes_take_all_buffers() {
    let mut g = Guest::at_root();
    g.put(DATA, b"onetwothree");
    for (n, (at, len)) in [(0, 3), (3, 0), (3, 3), (6, 5)].into_iter().enumerate() {
        g.put(IOVS + n as i32 * 8, &(DATA + at).to_le_bytes());
        g.put(IOVS + n as i32 * 8 + 4, &i32::to_le_bytes(len));
    }
    let fd = g.open("sandbox/f", CREATE).unwrap();
    assert_eq!(preview1::fd_write(&mut g.cx(), fd, IOVS, 4, OUT), Ok(0));
    assert_eq!(g.word(OUT), 11);
    assert_eq!(preview1::fd_write(&mut g.cx(), 2, IOVS, 4, OUT), Ok(0));
    assert_eq!(g.host.stderr, b"onetwothree");
    g.put(DATA, &[0; 11]);
    assert_eq!(preview1::fd_pread(&mut g.cx(), fd, IOVS, 4, 1, OUT), Ok(0));
    assert_eq!((g.word(OUT), &g.memory[DATA as usize..][..11]), (10, &b"netwothree\0"[..]));
    assert_eq!(answer(preview1::fd_pwrite(&mut g.cx(), 1, IOVS, 1, 0, OUT)), Err(Spipe));
    assert_eq!(answer(preview1::fd_seek(&mut g.cx(), 1, 0, 0, OUT)), Err(Spipe));
}

#[test]
fn one_call_moves_a_bounded_number_of_bytes() {
    let mut g = Guest::at_root();
    for n in 0..1024 {
        g.put(0x8000 + n * 8, &0x20000i32.to_le_bytes());
        g.put(0x8000 + n * 8 + 4, &i32::to_le_bytes(512 << 10));
    }
    let zero = g.open_at(3, "dev/zero", 0, READ, 0).unwrap();
    assert_eq!(preview1::fd_read(&mut g.cx(), zero, 0x8000, 1024, OUT), Ok(0));
    assert_eq!(g.word(OUT), 64 << 20);
    assert_eq!(answer(preview1::fd_read(&mut g.cx(), zero, 0x8000, 1025, OUT)), Err(Inval));
    assert_eq!(preview1::fd_write(&mut g.cx(), 1, 0x8000, 1024, OUT), Ok(0));
    assert_eq!(preview1::fd_write(&mut g.cx(), 1, 0x8000, 1, OUT), Err(Halt::Stop(OutputLimit)));
}

#[test]
fn arguments_and_environment_arrive() {
    let mut g = Guest::at_root();
    g.wasi.set_args(Strings::args(["prog", "", "two words", "cut\0off"]));
    g.wasi.set_env(Strings::env([("HOME", "/sandbox")]));
    assert_eq!(preview1::args_sizes_get(&mut g.cx(), OUT, OUT + 4), Ok(0));
    assert_eq!((g.word(OUT), g.word(OUT + 4)), (4, 5 + 1 + 10 + 4));
    assert_eq!(preview1::args_get(&mut g.cx(), OLD, DATA), Ok(0));
    assert_eq!(&g.memory[DATA as usize..][..20], b"prog\0\0two words\0cut\0");
    let starts: Vec<u32> = (0..4).map(|n| g.word(OLD + n * 4) - DATA as u32).collect();
    assert_eq!(starts, [0, 5, 6, 16]);
    assert_eq!(preview1::environ_get(&mut g.cx(), OLD, DATA), Ok(0));
    assert_eq!(&g.memory[DATA as usize..][..14], b"HOME=/sandbox\0");
    assert!(fault(preview1::args_get(&mut g.cx(), TOP - 4, DATA)));
    assert!(fault(preview1::args_get(&mut g.cx(), OLD, TOP - 4)));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let draw = |seed| {
        let mut g = Guest::at_root();
        g.host = FixedHost::new(Fs::new(FsOptions::default()), 0, [seed; 32]);
        assert_eq!(preview1::random_get(&mut g.cx(), DATA, 200_000), Ok(0));
        g.memory[DATA as usize..][..200_000].to_vec()
    };
    assert!(draw(1) == draw(1));
    assert!(draw(1) != draw(2));
}

fn subscribe_clock(g: &mut Guest, n: i32, clock: u8, timeout: u64, absolute: bool) {
    let at = OLD + n * 48;
    g.put(at, &[0; 48]);
    g.put(at, &u64::to_le_bytes(100 + n as u64));
    g.put(at + 16, &[clock]);
    g.put(at + 24, &timeout.to_le_bytes());
    g.put(at + 40, &[u8::from(absolute)]);
}

fn subscribe_fd(g: &mut Guest, n: i32, kind: u8, fd: u8) {
    let at = OLD + n * 48;
    g.put(at, &[0; 48]);
    g.put(at, &u64::to_le_bytes(100 + n as u64));
    g.put(at + 8, &[kind]);
    g.put(at + 16, &[fd]);
}

/// Which subscriptions came back, with their kind, bytes and flags.
fn poll(g: &mut Guest, n: i32) -> Answer<Vec<(u64, u8, u64, u8)>> {
    answer(preview1::poll_oneoff(&mut g.cx(), OLD, DATA, n, OUT))?;
    let event = |n: i32| {
        let at = DATA + n * 32;
        assert_eq!(g.memory[at as usize + 8..][..2], [0, 0]);
        (g.long(at), g.memory[at as usize + 10], g.long(at + 16), g.memory[at as usize + 24])
    };
    Ok((0..g.word(OUT) as i32).map(event).collect())
}

#[test]
fn the_first_timer_wakes_the_guest() {
    let mut g = Guest::at_root();
    g.host.clock = 1_000;
    subscribe_clock(&mut g, 0, 1, 500, false);
    subscribe_clock(&mut g, 1, 1, 200, false);
    subscribe_clock(&mut g, 2, 1, 1_200, true);
    assert_eq!(poll(&mut g, 3).unwrap(), [(101, 0, 0, 0), (102, 0, 0, 0)]);
    assert_eq!(g.host.clock, 1_200);
    // Real time is the epoch of 1,000 ns and what has passed.
    subscribe_clock(&mut g, 0, 0, 3_000, true);
    assert_eq!(poll(&mut g, 1).unwrap(), [(100, 0, 0, 0)]);
    assert_eq!(g.host.clock, 2_000);
    // Over already.
    subscribe_clock(&mut g, 0, 1, 5, true);
    assert_eq!(poll(&mut g, 1).unwrap().len(), 1);
    assert_eq!(g.host.clock, 2_000);
    subscribe_clock(&mut g, 0, 1, u64::MAX, false);
    assert_eq!(poll(&mut g, 1).unwrap().len(), 1);
    assert_eq!(g.host.clock, u64::MAX);
}

#[test]
fn files_and_streams_are_ready_at_once() {
    let mut g = Guest::at_root();
    g.put_file("sandbox/f", b"12345").unwrap();
    let fd = g.open("sandbox/f", 0).unwrap() as u8;
    g.host.stdin = b"abc".to_vec();
    subscribe_clock(&mut g, 0, 1, 1_000_000, false);
    subscribe_fd(&mut g, 1, 1, fd);
    subscribe_fd(&mut g, 2, 2, 1);
    subscribe_fd(&mut g, 3, 1, 0);
    assert_eq!(poll(&mut g, 4).unwrap(), [(101, 1, 5, 0), (102, 2, 1, 0), (103, 1, 3, 0)]);
    assert_eq!(g.host.clock, 0);
    g.host.stdin.clear();
    subscribe_fd(&mut g, 0, 1, 0);
    assert_eq!(poll(&mut g, 1).unwrap(), [(100, 1, 0, 1)]);
}

#[test]
fn a_poll_that_makes_no_sense_is_refused() {
    let mut g = Guest::at_root();
    assert_eq!(poll(&mut g, 0), Err(Inval));
    assert_eq!(poll(&mut g, 4097), Err(Inval));
    assert_eq!(poll(&mut g, -1), Err(Inval));
    subscribe_clock(&mut g, 0, 2, 1, false);
    assert_eq!(poll(&mut g, 1), Err(Inval));
    subscribe_fd(&mut g, 0, 3, 0);
    assert_eq!(poll(&mut g, 1), Err(Inval));
    for (kind, fd) in [(1, 1), (2, 0), (1, 3), (1, 77)] {
        subscribe_fd(&mut g, 0, kind, fd);
        assert_eq!(poll(&mut g, 1), Err(Badf), "{kind} {fd}");
    }
}

#[test]
fn descriptors_move_over_each_other() {
    let mut g = Guest::at_root();
    g.put_file("sandbox/a", b"a").unwrap();
    g.put_file("sandbox/b", b"b").unwrap();
    let (a, b) = (g.open("sandbox/a", 0).unwrap(), g.open("sandbox/b", 0).unwrap());
    assert_eq!(answer(preview1::fd_renumber(&mut g.cx(), a, 99)), Err(Badf));
    assert_eq!(answer(preview1::fd_renumber(&mut g.cx(), a, a)), Ok(()));
    assert_eq!(answer(preview1::fd_renumber(&mut g.cx(), a, b)), Ok(()));
    assert_eq!(g.read(b, 9).unwrap(), b"a");
    assert_eq!(g.read(a, 9), Err(Badf));
    // Output into a file.
    assert_eq!(answer(preview1::fd_renumber(&mut g.cx(), b, 1)), Ok(()));
    g.write(1, b"!").unwrap();
    assert_eq!(g.get_file("sandbox/a").unwrap(), b"a!");
    assert_eq!(g.host.stdout, b"");
}

#[test]
fn there_are_no_sockets_and_no_signals() {
    let mut g = Guest::at_root();
    let cx = &mut g.cx();
    assert_eq!(answer(preview1::sock_accept(cx, 0, 0, OUT)), Err(Notsock));
    assert_eq!(answer(preview1::sock_recv(cx, 77, 0, 0, 0, 0, 0)), Err(Badf));
    assert_eq!(answer(preview1::sock_send(cx, 3, 0, 0, 0, 0)), Err(Notsock));
    assert_eq!(answer(preview1::sock_shutdown(cx, 3, 0)), Err(Notsock));
    assert_eq!(answer(preview1::proc_raise(cx, 9)), Err(Notsup));
    assert_eq!(answer(preview1::sched_yield(cx)), Ok(()));
    assert_eq!(preview1::proc_exit(cx, 300), Err(Halt::Exit(300)));
}

#[test]
fn the_table_names_each_function_once() {
    let mut names: Vec<_> = FUNCTIONS.iter().map(|f| f.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 46);
    let silent: Vec<_> = FUNCTIONS.iter().filter(|f| f.result.is_none()).map(|f| f.name).collect();
    assert_eq!(silent, ["proc_exit"]);
}

#[test]
fn a_guest_can_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Wasi>();
    is_send::<Fs>();
    is_send::<FixedHost>();
}
