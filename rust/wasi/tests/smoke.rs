//! A guest's day, call by call, through the table that embedders use.

use std::sync::Arc;

use mote_wasi::image::{ImageWriter, RoImage};
use mote_wasi::{Cx, FixedHost, Fs, FsOptions, Halt, Wasi, preview1};

fn image() -> RoImage {
    let mut image = ImageWriter::new(0);
    image.file("lib/os.py", 0o644, b"import sys".to_vec()).unwrap();
    RoImage::parse(Arc::new(image.finish().unwrap())).unwrap()
}

fn put(memory: &mut [u8], at: usize, bytes: &[u8]) {
    memory[at..at + bytes.len()].copy_from_slice(bytes);
}

fn word(memory: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(memory[at..at + 4].try_into().unwrap())
}

#[test]
fn reads_the_image_and_prints_it() {
    let fs = Fs::new(FsOptions { image: Some(image()), ..FsOptions::default() });
    let mut host = FixedHost::new(fs, 0, [0; 32]);
    let mut wasi = Wasi::new(&mut host.fs, Wasi::ROOT);
    let mut memory = vec![0; 65536];
    put(&mut memory, 0, b"lib/os.py");
    put(&mut memory, 32, &100u32.to_le_bytes());
    put(&mut memory, 36, &50u32.to_le_bytes());
    let mut cx = Cx { wasi: &mut wasi, host: &mut host, memory: &mut memory };
    assert_eq!(preview1::path_open(&mut cx, 3, 0, 0, 9, 0, 2, 0, 0, 64), Ok(0));
    let fd = word(cx.memory, 64) as i32;
    assert_eq!(fd, 4);
    assert_eq!(preview1::fd_read(&mut cx, fd, 32, 1, 64), Ok(0));
    assert_eq!(word(cx.memory, 64), 10);
    put(cx.memory, 36, &10u32.to_le_bytes());
    assert_eq!(preview1::fd_write(&mut cx, 1, 32, 1, 64), Ok(0));
    assert_eq!(preview1::proc_exit(&mut cx, 3), Err(Halt::Exit(3)));
    assert_eq!(host.stdout, b"import sys");
}
