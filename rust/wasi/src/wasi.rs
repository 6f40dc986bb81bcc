//! What one instance of a guest starts with and holds.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::fd::{Descriptor, FDS_MAX, OpenDir, Table};
use crate::fs::{Fs, Last};
use crate::host::Output;

/// Strings handed to a guest, each ended by a NUL, as it gets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strings {
    pub(crate) bytes: Vec<u8>,
    pub(crate) starts: Vec<u32>,
}

impl Strings {
    /// Adds one; what follows a NUL within it would be lost to a guest in C, so it is cut there.
    pub fn push(&mut self, parts: &[&str]) {
        self.starts.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        for byte in parts.iter().flat_map(|p| p.bytes()).take_while(|b| *b != 0) {
            self.bytes.push(byte);
        }
        self.bytes.push(0);
    }

    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    pub fn args<'a>(args: impl IntoIterator<Item = &'a str>) -> Self {
        let mut strings = Self::default();
        args.into_iter().for_each(|arg| strings.push(&[arg]));
        strings
    }

    pub fn env<'a>(env: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut strings = Self::default();
        env.into_iter().for_each(|(key, value)| strings.push(&[key, "=", value]));
        strings
    }
}

/// The state of one instance: descriptors, arguments, environment. Dropping it closes what is open.
///
/// It goes with the file system it was made with. Another one may take that one's place as long as nothing but the root
/// is open, as in an instance made ahead of the session it will serve: descriptors for other places would mean whatever
/// stands in the same slot there.
#[derive(Debug)]
pub struct Wasi {
    pub(crate) table: Table,
    pub(crate) args: Strings,
    pub(crate) env: Strings,
}

/// A directory that a guest finds open: its path in the file system and the name the guest knows it by.
pub type Preopen = (&'static str, &'static str);

impl Wasi {
    /// Descriptor 3 is the root. For guests that keep to absolute paths.
    pub const ROOT: &'static [Preopen] = &[("/", "/")];
    /// Descriptors 3 to 5: the workspace, the temporary directory, and the workspace as current directory.
    pub const COMMAND: &'static [Preopen] = &[("/sandbox", "/sandbox"), ("/tmp", "/tmp"), ("/sandbox", ".")];

    /// Standard streams at 0 to 2, then `preopens` from 3 on. A path that is no directory is left out.
    pub fn new(fs: &mut Fs, preopens: &[Preopen]) -> Self {
        let mut wasi = Self::without_preopens();
        for (path, name) in preopens {
            wasi.preopen(fs, path, name);
        }
        wasi
    }

    fn without_preopens() -> Self {
        let mut table = Table::new(FDS_MAX);
        for stream in [Descriptor::Stdin, Descriptor::Output(Output::Stdout), Descriptor::Output(Output::Stderr)] {
            let _ = table.insert(stream);
        }
        Self { table, args: Strings::default(), env: Strings::default() }
    }

    fn preopen(&mut self, fs: &mut Fs, path: &str, name: &'static str) {
        let relative = path.trim_start_matches('/');
        let relative = if relative.is_empty() { "." } else { relative };
        if let Ok(node) = fs.find(fs.root(), relative, Last::Follow)
            && fs.is_dir(node)
        {
            let handle = fs.hold(node);
            let dir = OpenDir { handle, preopen: Some(Cow::Borrowed(name)), read: true };
            let _ = self.table.insert(Descriptor::Dir(dir));
        }
    }

    pub fn set_args(&mut self, args: Strings) {
        self.args = args;
    }

    pub fn set_env(&mut self, env: Strings) {
        self.env = env;
    }
}
