//! Read-only trees in one flat file, used in place.
//!
//! Little-endian. A header of 64 bytes, one record of 32 bytes for each node, the names, the contents:
//!
//! | header | | node | |
//! |---|---|---|---|
//! | 0 | magic `MOTEROFS` | 0 | kind: 1 directory, 2 file, 3 symbolic link |
//! | 8 | u32 version, 1 | 2 | u16 permission bits |
//! | 12 | u32 number of nodes | 4 | u32 parent |
//! | 16 | u64 start of the names | 8 | u32 start of the name, within the names |
//! | 24 | u64 length of the names | 12 | u16 length of the name |
//! | 32 | u64 time of all nodes, ns | 16 | u64 first child, or start of the contents in the file |
//! | 40 | u64 length of the file | 24 | u64 number of children, or length of the contents |
//!
//! Nodes stand in breadth-first order, children sorted by the bytes of their names, so that a directory is a range and a
//! lookup is a binary search. Node 0 is the root.

mod check;
mod reader;
#[cfg(feature = "writer")]
mod writer;

pub use reader::{RoImage, RoKind};
#[cfg(feature = "writer")]
pub use writer::{ImageWriter, WriteError};

pub(crate) const MAGIC: [u8; 8] = *b"MOTEROFS";
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEADER_LEN: usize = 64;
pub(crate) const NODE_LEN: usize = 32;

/// Why bytes are no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// Not this format, or another version of it.
    Format,
    /// Shorter or longer than its header says.
    Length,
    /// The node of this number is wrong.
    Node(u32),
}

impl core::fmt::Display for ImageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Format => f.write_str("not a file tree image of a known version"),
            Self::Length => f.write_str("the image is cut off or has bytes at its end"),
            Self::Node(n) => write!(f, "node {n} of the image is damaged"),
        }
    }
}

impl core::error::Error for ImageError {}
