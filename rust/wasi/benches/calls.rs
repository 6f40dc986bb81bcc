//! What a call and a fresh guest cost, in ns: `cargo bench -p mote-wasi`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use mote_wasi::fs::Area;
use mote_wasi::image::{ImageWriter, RoImage};
use mote_wasi::{Cx, FixedHost, Fs, FsOptions, Strings, Wasi, preview1};

/// The best of twenty rounds, by which what else the machine does counts least.
fn measure(name: &str, mut work: impl FnMut()) {
    let rounds = (0..20).map(|_| {
        let start = Instant::now();
        let mut n = 0u32;
        while start.elapsed().as_micros() < 5_000 {
            (0..50).for_each(|_| work());
            n += 50;
        }
        start.elapsed().as_nanos() as f64 / f64::from(n)
    });
    println!("{name:44} {:9.1} ns", rounds.fold(f64::INFINITY, f64::min));
}

fn image() -> Vec<u8> {
    let mut image = ImageWriter::new(0);
    for n in 0..2_000 {
        let path = format!("lib/python3.11/package{}/module{n}.pyc", n % 20);
        image.file(&path, 0o644, vec![n as u8; 3_000]).unwrap();
    }
    image.finish().unwrap()
}

fn main() {
    let bytes = Arc::new(image());
    measure("RoImage::parse of 2,000 files", || drop(black_box(RoImage::parse(bytes.clone()))));
    let image = RoImage::parse(bytes.clone()).unwrap();
    let options = || FsOptions { image: Some(image.clone()), ..FsOptions::default() };
    measure("Fs::new and drop", || drop(black_box(Fs::new(options()))));
    let mut fs = Fs::new(options());
    measure("Wasi::new and drop", || drop(black_box(Wasi::new(&mut fs, Wasi::ROOT))));
    measure("Wasi::new with two arguments and drop", || {
        let mut wasi = Wasi::new(&mut fs, Wasi::ROOT);
        wasi.set_args(Strings::args(["main.py", "x"]));
        drop(black_box(wasi));
    });

    let mut host = FixedHost::new(fs, 0, [0; 32]);
    let mut wasi = Wasi::new(&mut host.fs, Wasi::ROOT);
    let mut memory = vec![0; 1 << 20];
    let path = b"lib/python3.11/package7/module1007.pyc";
    memory[256..256 + path.len()].copy_from_slice(path);
    memory[0..8].copy_from_slice(&[0, 16, 0, 0, 20, 0, 0, 0]);
    memory[512..516].copy_from_slice(b"none");
    memory[16..24].copy_from_slice(&[0, 16, 0, 0, 0, 32, 0, 0]);
    let len = path.len() as i32;
    let cx = &mut Cx { wasi: &mut wasi, host: &mut host, memory: &mut memory };
    measure("fd_write of 20 bytes to stdout", || {
        assert_eq!(preview1::fd_write(cx, 1, 0, 1, 64), Ok(0));
        cx.host.stdout.clear();
    });
    measure("clock_time_get", || assert_eq!(preview1::clock_time_get(cx, 1, 0, 64), Ok(0)));
    measure("random_get of 16 bytes", || assert_eq!(preview1::random_get(cx, 64, 16), Ok(0)));
    measure("path_filestat_get in the image", || {
        assert_eq!(preview1::path_filestat_get(cx, 3, 1, 256, len, 1024), Ok(0));
    });
    measure("path_filestat_get of what is not there", || {
        assert_eq!(preview1::path_filestat_get(cx, 3, 1, 512, 4, 1024), Ok(44));
    });
    measure("open, read 3,000 bytes and close in the image", || {
        assert_eq!(preview1::path_open(cx, 3, 1, 256, len, 0, 2, 2, 0, 64), Ok(0));
        assert_eq!(preview1::fd_read(cx, 4, 16, 1, 64), Ok(0));
        assert_eq!(preview1::fd_close(cx, 4), Ok(0));
    });
    cx.memory[600..609].copy_from_slice(b"sandbox/f");
    measure("create, write 20 bytes, close and unlink", || {
        assert_eq!(preview1::path_open(cx, 3, 1, 600, 9, 1, 66, 66, 0, 64), Ok(0));
        assert_eq!(preview1::fd_write(cx, 4, 0, 1, 64), Ok(0));
        assert_eq!(preview1::fd_close(cx, 4), Ok(0));
        assert_eq!(preview1::path_unlink_file(cx, 3, 600, 9), Ok(0));
    });

    let mut fs = Fs::new(options());
    for n in 0..5_000 {
        fs.write_file(Area::Workspace, &format!("file{n}"), None, None, b"x", 0).unwrap();
    }
    measure("host: write a file among 5,000", || {
        fs.write_file(Area::Workspace, "file2500", None, None, b"y", 0).unwrap();
    });
    measure("host: list 5,000 files", || drop(black_box(fs.list_dir(Area::Workspace, ".", true))));
}
