//! How this process's system backs a machine's writable memory. At rest it has small pages, so that a live machine costs no
//! more than it uses. While it runs, its first 2 MiB are one huge page, lent for the run: the processor leaves the machine
//! for every page that it touches first, and this is one.

mod blocks;
mod loan;
mod maps;
mod place;

pub use loan::{Loan, Lost};
pub use place::{Scratch, laid};

/// What a processor maps at once, besides single pages.
const BLOCK: usize = 2 << 20;
const PAGE: usize = 4096;
