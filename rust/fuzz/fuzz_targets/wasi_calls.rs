//! Any calls with any arguments over any memory: no panic, no more memory than the quota gives, and books that add up.
#![no_main]

use std::sync::{Arc, LazyLock};

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use mote_wasi::fs::{Area, Limits};
use mote_wasi::image::{ImageWriter, RoImage};
use mote_wasi::{Cx, FUNCTIONS, FixedHost, Fs, FsOptions, Halt, OutputLimit, Strings, Wasi, preview1};

const MEMORY: usize = 16 << 10;
const LIMITS: Limits = Limits { bytes: 1 << 20, files: 40 };

static IMAGE: LazyLock<RoImage> = LazyLock::new(|| {
    let mut image = ImageWriter::new(5);
    image.file("a/b", 0o644, vec![7; 3000]).unwrap();
    image.symlink("b", "a").unwrap();
    image.symlink("c", "/tmp/a").unwrap();
    RoImage::parse(Arc::new(image.finish().unwrap())).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let _ = run(&mut Unstructured::new(data));
});

/// Numbers that are small, or near the memory's end, or anything.
trait Draw: Sized {
    fn draw(u: &mut Unstructured<'_>) -> Result<Self>;
}

impl Draw for i32 {
    fn draw(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match u.arbitrary::<u8>()? {
            0..140 => i32::from(u.arbitrary::<u8>()? % 12),
            140..200 => i32::from(u.arbitrary::<u8>()?) * 8,
            200..235 => i32::from(u.arbitrary::<u16>()? % MEMORY as u16),
            235..245 => MEMORY as i32 - i32::from(u.arbitrary::<u8>()?),
            _ => u.arbitrary()?,
        })
    }
}

impl Draw for i64 {
    fn draw(u: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match u.arbitrary::<u8>()? {
            0..120 => i64::from(u.arbitrary::<u8>()?),
            120..220 => i64::from(u.arbitrary::<u32>()? % (2 << 20)),
            _ => u.arbitrary()?,
        })
    }
}

/// Short paths of few letters, links to them, and buffers: what makes calls succeed.
fn fill(u: &mut Unstructured<'_>, memory: &mut [u8]) -> Result<()> {
    for at in (0..256).step_by(8) {
        for byte in &mut memory[at..at + 8] {
            *byte = b"ab./abc/dtmp"[usize::from(u.arbitrary::<u8>()?) % 12];
        }
    }
    for at in (256..512).step_by(8) {
        memory[at..at + 4].copy_from_slice(&(u32::from(u.arbitrary::<u8>()?) * 16).to_le_bytes());
        memory[at + 4..at + 8].copy_from_slice(&(u32::from(u.arbitrary::<u8>()?) * 16).to_le_bytes());
    }
    let rest = u.arbitrary_len::<u8>()?.min(memory.len() - 512).min(512);
    u.fill_buffer(&mut memory[512..512 + rest])
}

macro_rules! dispatch {
    ($(fn $name:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*) => {
        fn call(cx: &mut Cx<'_, FixedHost>, name: &str, u: &mut Unstructured<'_>) -> Result<Option<Halt<OutputLimit>>> {
            match name {
                $(stringify!($name) => {
                    $(let $arg = <$ty>::draw(u)?;)*
                    Ok(preview1::$name(cx, $($arg),*).err())
                })*
                _ => unreachable!(),
            }
        }
    };
}

mote_wasi::for_each_function!(dispatch);

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let fs = Fs::new(FsOptions { image: Some(IMAGE.clone()), workspace: LIMITS, ..FsOptions::default() });
    let mut host = FixedHost::new(fs, 0, [0; 32]);
    host.stdin = vec![1; 100];
    host.output_limit = 1 << 20;
    let preopens = if u.arbitrary()? { Wasi::ROOT } else { Wasi::COMMAND };
    let mut wasi = Wasi::new(&mut host.fs, preopens);
    wasi.set_args(Strings::args(["a", "bc"]));
    let mut memory = vec![0; MEMORY];
    fill(u, &mut memory)?;
    let mut result = Ok(());
    for _ in 0..200 {
        let mut cx = Cx { wasi: &mut wasi, host: &mut host, memory: &mut memory };
        let choice = match u.arbitrary::<u8>() {
            Ok(choice) => usize::from(choice),
            Err(end) => {
                result = Err(end);
                break;
            }
        };
        if choice >= 250 {
            fill(u, cx.memory)?;
            continue;
        }
        let name = FUNCTIONS[choice % FUNCTIONS.len()].name;
        match call(&mut cx, name, u) {
            Ok(_) => {}
            Err(end) => {
                result = Err(end);
                break;
            }
        }
        let usage = host.fs.usage(Area::Workspace);
        assert!(usage.bytes <= LIMITS.bytes && usage.files <= LIMITS.files, "{name}: {usage:?}");
    }
    host.fs.audit().unwrap();
    assert_eq!(host.fs.usage(Area::Library).files, 0);
    host.fs.clear_tmp(1);
    host.fs.list_dir(Area::Workspace, ".", true).unwrap();
    drop(wasi);
    host.fs.audit().unwrap();
    result
}
