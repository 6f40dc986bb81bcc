//! Makes all of a module's state observable, so that an instance can be put back to where it was and that be checked.
//!
//! A module's state is its memory, its mutable globals, its tables and which segments it has dropped. Interpreters compiled
//! from C keep to memory and one global, the stack pointer. Such a module gets its globals exported here; any other one is
//! left as it is, and its instances are used once.

use crate::pausing::leb128;
use std::borrow::Cow;
use wasmparser::{BinaryReaderError, ExportSectionReader, Operator, Parser, Payload};

/// Exported by modules whose state is their memory and the globals of these names, numbered from 0.
pub const MARK: &str = "mote:observable";

pub fn global(number: usize) -> String {
    format!("mote:global:{number}")
}

/// The module with its state exported, when it is of the kind described above.
pub fn observable(module: &[u8]) -> Cow<'_, [u8]> {
    match mutable_globals(module) {
        Ok(Some((globals, exports))) => export(module, &globals, exports).map_or(Cow::Borrowed(module), Cow::Owned),
        _ => Cow::Borrowed(module),
    }
}

type Range = std::ops::Range<usize>;

/// The numbers of the mutable globals and the place of the export section; `None` when there is other state.
fn mutable_globals(module: &[u8]) -> Result<Option<(Vec<u32>, Range)>, BinaryReaderError> {
    let mut globals = Vec::new();
    let mut exports = None;
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if !matches!(import?.ty, wasmparser::TypeRef::Func(_)) {
                        return Ok(None);
                    }
                }
            }
            Payload::GlobalSection(section) => {
                for (number, global) in (0..).zip(section) {
                    let ty = global?.ty;
                    if ty.mutable && ty.content_type != wasmparser::ValType::I32 {
                        return Ok(None);
                    }
                    globals.extend(ty.mutable.then_some(number));
                }
            }
            Payload::ExportSection(section) => exports = Some(section.range()),
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader()? {
                    if changes_hidden_state(&operator?) {
                        return Ok(None);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(exports.map(|exports| (globals, exports)))
}

fn changes_hidden_state(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::TableFill { .. }
            | Operator::ElemDrop { .. }
            | Operator::DataDrop { .. }
    )
}

/// Appends to the export section, whose contents lie at `at`.
fn export(module: &[u8], globals: &[u32], at: Range) -> Option<Vec<u8>> {
    const SECTION: u8 = 7;
    const MEMORY: u8 = 2;
    const GLOBAL: u8 = 3;
    let reader = ExportSectionReader::new(wasmparser::BinaryReader::new(&module[at.clone()], 0)).ok()?;
    let mut contents = Vec::new();
    leb128(&mut contents, reader.count() + 1 + globals.len() as u32);
    let mut count = Vec::new();
    leb128(&mut count, reader.count());
    // Toolchains may pad the count; then the entries do not begin where it would end.
    contents.extend_from_slice(module.get(at.clone())?.strip_prefix(count.as_slice())?);
    let mut add = |name: &str, kind, number| {
        leb128(&mut contents, name.len() as u32);
        contents.extend_from_slice(name.as_bytes());
        contents.push(kind);
        leb128(&mut contents, number);
    };
    add(MARK, MEMORY, 0);
    for (number, index) in globals.iter().enumerate() {
        add(&global(number), GLOBAL, *index);
    }
    // The section's head is its number and its size; both lie right before the contents.
    let size = at.len() as u32;
    let head = (1..=5).find(|bytes| {
        let head = at.start.checked_sub(bytes + 1).and_then(|start| module.get(start..at.start));
        head.is_some_and(|head| head[0] == SECTION && decode(&head[1..]) == Some(size))
    })?;
    let mut out = module[..at.start - head].to_vec();
    leb128(&mut out, contents.len() as u32);
    out.extend_from_slice(&contents);
    out.extend_from_slice(&module[at.end..]);
    Some(out)
}

/// Reads a number that takes up all of `bytes`.
fn decode(bytes: &[u8]) -> Option<u32> {
    let (last, rest) = bytes.split_last()?;
    if last & 0x80 != 0 || rest.iter().any(|byte| byte & 0x80 == 0) {
        return None;
    }
    let value = bytes.iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    u32::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::{Engine, Module};

    const GUEST: &[u8] = include_bytes!("../tests/fixtures/guest.wasm");

    fn exports(module: &[u8]) -> Vec<String> {
        let module = Module::new(&Engine::default(), module).unwrap();
        module.exports().map(|export| export.name().to_owned()).filter(|name| name.starts_with("mote:")).collect()
    }

    #[test]
    fn mutable_globals_are_exported() {
        let names: Vec<String> = std::iter::once(MARK.to_owned()).chain((0..3).map(global)).collect();
        assert_eq!(exports(&observable(GUEST)), names);
    }

    #[test]
    fn modules_with_other_state_stay_as_they_are() {
        let table = include_bytes!("../tests/fixtures/table.wasm");
        assert_eq!(*observable(table), table[..]);
        assert_eq!(*observable(b"junk"), b"junk"[..]);
    }
}
