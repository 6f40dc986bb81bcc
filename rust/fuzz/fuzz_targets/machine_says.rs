//! Whatever a machine says: its reply is read or refused, and a patch of its files is applied within the workspace or not
//! at all, with the books in order. What one tree makes of a patch, another one is made to be by the patch of that.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mote_micro_wire::{Load, Reply, Run, envelope};
use mote_wasi::Fs;
use mote_wasi::fs::{Area, FsOptions, Limits, Listing};

const AREA: Area = Area::Workspace;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    message: &'a [u8],
    /// One after another, each as records and, at its end, whatever is there.
    patches: Vec<(Vec<Record<'a>>, &'a [u8])>,
}

#[derive(Arbitrary, Debug)]
struct Record<'a> {
    kind: u8,
    path: Path,
    more: &'a [u8],
    /// Says the number of bytes as it is.
    honest: bool,
    length: u64,
}

/// Few names, so that records meet.
#[derive(Arbitrary, Debug)]
struct Path(Vec<u8>);

impl Path {
    fn text(&self) -> String {
        const PARTS: [&str; 8] = ["a", "b", "..", ".", "sandbox", "/", "link", "é"];
        let parts = self.0.iter().take(6).map(|part| PARTS[usize::from(*part) % PARTS.len()]);
        parts.collect::<Vec<_>>().join("/")
    }
}

fn bytes(records: &[Record<'_>], rest: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records {
        let path = record.path.text();
        let length = if record.honest { record.more.len() as u64 } else { record.length };
        out.push(record.kind % 6);
        out.extend((path.len() as u32).to_le_bytes());
        out.extend(path.as_bytes());
        match record.kind % 6 {
            2 => {
                out.extend(0o644u16.to_le_bytes());
                out.extend(7u64.to_le_bytes());
                out.extend(length.to_le_bytes());
                out.extend(record.more);
            }
            3 => {
                let target = Path(record.more.to_vec()).text();
                out.extend(7u64.to_le_bytes());
                out.extend((target.len() as u32).to_le_bytes());
                out.extend(target.as_bytes());
            }
            4 => out.extend(length.to_le_bytes()),
            _ => {}
        }
    }
    out.extend(rest);
    out
}

fn tree() -> Fs {
    Fs::new(FsOptions { workspace: Limits { bytes: 64 << 10, files: 24 }, ..FsOptions::default() })
}

fn apply(fs: &mut Fs, mut patch: &[u8]) -> bool {
    let length = patch.len() as u64;
    let mut source = |buffer: &mut [u8]| {
        let (taken, rest) = patch.split_at_checked(buffer.len()).ok_or(())?;
        buffer.copy_from_slice(taken);
        patch = rest;
        Ok::<(), ()>(())
    };
    fs.apply_patch(AREA, length, 9, &mut source).is_ok()
}

fuzz_target!(|input: Input<'_>| {
    let _ = Reply::decode(input.message).map(|reply| assert_eq!(Reply::decode(&reply.encode()), Ok(reply)));
    let _ = (Run::decode(input.message), Load::decode(input.message), envelope::open(input.message));
    let mut fs = tree();
    for (records, rest) in &input.patches {
        apply(&mut fs, &bytes(records, rest));
        fs.audit().expect("the books are in order");
    }
    let mut whole = Vec::new();
    let mut sink = |bytes: &[u8]| {
        whole.extend_from_slice(bytes);
        Ok::<(), ()>(())
    };
    fs.patch_since(AREA, &Listing::default(), &mut sink).expect("memory takes everything");
    let mut copy = tree();
    assert!(apply(&mut copy, &whole), "a patch of a tree can be applied to an empty one");
    let entries = |fs: &Fs| {
        let entries = fs.list_dir(AREA, ".", true).expect("the top can be listed");
        entries.into_iter().map(|entry| (entry.path, entry.kind, entry.size, entry.target)).collect::<Vec<_>>()
    };
    assert_eq!(entries(&copy), entries(&fs));
});
