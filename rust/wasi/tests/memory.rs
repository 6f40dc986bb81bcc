//! What a tree takes of the host's memory is paid for by its quota, whatever it is made of: at most a quarter more is held
//! than is counted.

mod guest;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use guest::*;
use mote_wasi::fs::Area;

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is the system allocator's own, with its own arguments; only a number is kept beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's own promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's own promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes held after `make` beyond those before, and what the quota says.
fn cost(name: &str, make: impl FnOnce(&mut Guest)) {
    let mut g = Guest::with_limits(u64::MAX, u64::MAX);
    let before = HELD.load(Relaxed);
    make(&mut g);
    let held = HELD.load(Relaxed) - before;
    let counted = g.host.fs.usage(Area::Workspace).bytes;
    println!("{name}: {held} bytes held, {counted} counted");
    assert!(held as u64 <= counted / 4 * 5, "{name}: {held} bytes held, {counted} counted");
}

/// One test, as others at the same time would be counted too.
#[test]
fn the_quota_pays_for_the_hosts_memory() {
    const COUNT: usize = 40_000;
    let long = |n: usize| format!("sandbox/{n:0>250}");
    cost("directories", |g| (0..COUNT).for_each(|n| g.make_dir(&format!("sandbox/{n}")).unwrap()));
    cost("directories in directories", |g| {
        for n in 0..COUNT / 8 {
            (0..8).for_each(|depth| g.make_dir(&format!("sandbox/{n}{}", "/d".repeat(depth))).unwrap());
        }
    });
    cost("empty files", |g| (0..COUNT).for_each(|n| g.put_file(&format!("sandbox/{n}"), b"").unwrap()));
    cost("files of a byte", |g| (0..COUNT).for_each(|n| g.put_file(&format!("sandbox/{n}"), b"x").unwrap()));
    cost("links", |g| (0..COUNT).for_each(|n| g.symlink("t", &format!("sandbox/{n}")).unwrap()));
    cost("second names", |g| {
        g.put_file("sandbox/f", b"x").unwrap();
        (0..COUNT).for_each(|n| g.link("sandbox/f", &long(n)).unwrap());
    });
    cost("long names", |g| (0..COUNT).for_each(|n| g.make_dir(&long(n)).unwrap()));
    cost("a large file", |g| {
        let fd = g.open("sandbox/f", CREATE).unwrap();
        (0..1000).for_each(|_| assert_eq!(g.write(fd, &[1; 50_000]), Ok(50_000)));
    });
    cost("files written bit by bit", |g| {
        for n in 0..500 {
            let fd = g.open(&format!("sandbox/{n}"), CREATE).unwrap();
            (0..330).for_each(|_| assert_eq!(g.write(fd, &[1; 100]), Ok(100)));
            g.close(fd).unwrap();
        }
    });
    cost("open files without a name", |g| {
        for n in 0..1000 {
            let fd = g.open(&format!("tmp/{n}"), CREATE).unwrap();
            g.write(fd, &[1; 100]).unwrap();
            g.unlink(&format!("tmp/{n}")).unwrap();
        }
    });
    cost("holes", |g| {
        for n in 0..100 {
            let fd = g.open(&format!("tmp/{n}"), CREATE).unwrap();
            g.write_at(fd, b"x", 10_000_000).unwrap();
        }
    });
}
