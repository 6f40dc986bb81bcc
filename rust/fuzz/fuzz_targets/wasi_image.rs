//! Whatever the bytes are: refused, or a tree in which every node is found by its path and nothing lies outside of the
//! bytes.
#![no_main]

use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mote_wasi::image::{ImageWriter, RoImage, RoKind};
use mote_wasi::{Cx, FixedHost, Fs, FsOptions, Wasi, preview1};

fuzz_target!(|data: &[u8]| {
    let bytes = match data.split_first() {
        Some((0..32, rest)) => with_header(rest),
        Some((_, rest)) => damaged(&mut Unstructured::new(rest)).unwrap_or_default(),
        None => Vec::new(),
    };
    let Ok(image) = RoImage::parse(Arc::new(bytes)) else { return };
    for node in 0..image.node_count() {
        image.content(node);
        match image.kind(node) {
            Some(RoKind::Directory) => {
                for child in image.children(node) {
                    assert!(child > node && image.parent(child) == node);
                    assert_eq!(image.child(node, image.name(child)), Some(child));
                }
            }
            Some(_) => assert!(image.children(node).is_empty()),
            None => panic!("a node without a kind"),
        }
    }
    look_around(image);
});

/// Any bytes, under a header that fits their length.
fn with_header(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    if bytes.len() >= 64 {
        bytes[..12].copy_from_slice(b"MOTEROFS\x01\0\0\0");
        let len = bytes.len() as u64;
        bytes[40..48].copy_from_slice(&len.to_le_bytes());
    }
    bytes
}

/// An image as its writer makes it, with some fields overwritten.
fn damaged(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut image = ImageWriter::new(u.arbitrary()?);
    for _ in 0..u.int_in_range(0..=12)? {
        let path: String =
            (0..u.int_in_range(0..=3)?).map(|_| Ok(*u.choose(&["a", "b", "/", "cc/"])?)).collect::<Result<_>>()?;
        let _ = match u.int_in_range(0..=2)? {
            0 => image.directory(&path),
            1 => image.file(&path, u.arbitrary()?, vec![1; u.int_in_range(0..=40)?]),
            _ => image.symlink(&path, u.choose(&["a", "../b", "/cc", "cc/a"])?),
        };
    }
    let mut bytes = image.finish().unwrap_or_default();
    for _ in 0..u.int_in_range(0..=4)? {
        let value: [u8; 8] = match u.int_in_range(0..=2)? {
            0 => u64::from(u.arbitrary::<u8>()?).to_le_bytes(),
            1 => u.arbitrary()?,
            _ => (bytes.len() as u64).wrapping_sub(u.arbitrary::<u8>()?.into()).to_le_bytes(),
        };
        let width = *u.choose(&[1, 2, 4, 8])?;
        let at = u.choose_index(bytes.len().max(9) - 8)?;
        if let Some(place) = bytes.get_mut(at..at + width) {
            place.copy_from_slice(&value[..width]);
        }
    }
    Ok(bytes)
}

/// Lists, opens and reads from inside a guest.
fn look_around(image: RoImage) {
    let names: Vec<String> = image.children(RoImage::ROOT).take(8).map(|n| image.name(n).to_owned()).collect();
    let fs = Fs::new(FsOptions { image: Some(image), ..FsOptions::default() });
    let mut host = FixedHost::new(fs, 0, [0; 32]);
    let mut wasi = Wasi::new(&mut host.fs, Wasi::ROOT);
    let mut memory = vec![0; 65536];
    let mut cx = Cx { wasi: &mut wasi, host: &mut host, memory: &mut memory };
    assert_eq!(preview1::fd_readdir(&mut cx, 3, 4096, 32768, 0, 0), Ok(0));
    for name in names {
        cx.memory[1024..1024 + name.len()].copy_from_slice(name.as_bytes());
        let len = name.len() as i32;
        let _ = preview1::path_filestat_get(&mut cx, 3, 1, 1024, len, 2048);
        let _ = preview1::path_readlink(&mut cx, 3, 1024, len, 4096, 4096, 0);
        if preview1::path_open(&mut cx, 3, 1, 1024, len, 0, 2, 2, 0, 0) == Ok(0) {
            let fd = i32::from_le_bytes(cx.memory[..4].try_into().unwrap());
            cx.memory[16..24].copy_from_slice(&[0, 16, 0, 0, 0, 16, 0, 0]);
            let _ = preview1::fd_read(&mut cx, fd, 16, 1, 0);
            let _ = preview1::fd_readdir(&mut cx, fd, 4096, 4096, 0, 0);
        }
    }
}
