//! Makes a module's blocking calls leave the host's own thread first.
//!
//! A guest that was begun there must not block. Only wasm code can be suspended and resumed elsewhere, a host function
//! can't. So each import that may block is called in a loop: when it answers `AGAIN`, the guest calls an empty function,
//! on whose entry it is suspended, and then calls the import once more, where it may block.

use std::ops::Range;
use wasmparser::{BinaryReaderError, ElementItems, ExternalKind, Operator, Parser, Payload, TypeRef};

/// Exported by modules that are made so: the empty function.
pub const PAUSE: &str = "mote:pause";

/// Answer of an import to the loop around it; no such import has it of its own.
pub const AGAIN: i32 = -1;

/// Imports that may block, each with one number as its result.
const BLOCKING: [(&str, &str); 3] =
    [(crate::link::WASI, "poll_oneoff"), (crate::link::WASI, "fd_write"), (crate::link::MOTE, "call_wait")];

const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// An import that may block: its own number, its type, and how many parameters that has.
struct Blocking {
    function: u32,
    ty: u32,
    params: u32,
}

struct Found {
    blocking: Vec<Blocking>,
    /// The type of the empty function.
    empty: u32,
    /// All functions, imported ones too.
    functions: u32,
    bodies: Vec<Body>,
}

/// A function's body, and its calls of such imports.
struct Body {
    range: Range<usize>,
    calls: Vec<Call>,
}

/// Where the number of the called function is, and which of the imports that is.
struct Call {
    number: Range<usize>,
    import: usize,
}

/// The module changed as described, or as it was when that can't be done.
pub fn pausing(module: Vec<u8>) -> Vec<u8> {
    match find(&module) {
        Ok(Some(found)) => rewrite(&module, &found).unwrap_or(module),
        _ => module,
    }
}

fn find(module: &[u8]) -> Result<Option<Found>, BinaryReaderError> {
    let mut params = Vec::new();
    let mut empty = None;
    let mut found = Found { blocking: Vec::new(), empty: 0, functions: 0, bodies: Vec::new() };
    let is_blocking = |found: &Found, function| found.blocking.iter().any(|import| import.function == function);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::TypeSection(types) => {
                for ty in types.into_iter_err_on_gc_types() {
                    let ty = ty?;
                    let result = ty.results() == [wasmparser::ValType::I32];
                    if ty.params().is_empty() && ty.results().is_empty() {
                        empty = empty.or(Some(params.len() as u32));
                    }
                    params.push(result.then_some(ty.params().len() as u32));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    let TypeRef::Func(ty) = import.ty else { continue };
                    if BLOCKING.contains(&(import.module, import.name)) {
                        let Some(Some(params)) = params.get(ty as usize).copied() else { return Ok(None) };
                        found.blocking.push(Blocking { function: found.functions, ty, params });
                    }
                    found.functions += 1;
                }
            }
            Payload::FunctionSection(functions) => found.functions += functions.count(),
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ExternalKind::Func && is_blocking(&found, export.index) {
                        return Ok(None);
                    }
                }
            }
            Payload::ElementSection(elements) => {
                for element in elements {
                    let ElementItems::Functions(functions) = element?.items else { return Ok(None) };
                    for function in functions {
                        if is_blocking(&found, function?) {
                            return Ok(None);
                        }
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut calls = Vec::new();
                for operator in body.get_operators_reader()?.into_iter_with_offsets() {
                    let (operator, at) = operator?;
                    match operator {
                        Operator::Call { function_index: function }
                        | Operator::ReturnCall { function_index: function } => {
                            let import = found.blocking.iter().position(|import| import.function == function);
                            let length = |at: usize| module[at..].iter().position(|byte| byte & 0x80 == 0);
                            if let (Some(import), Some(more)) = (import, length(at + 1)) {
                                calls.push(Call { number: at + 1..at + 2 + more, import });
                            }
                        }
                        Operator::RefFunc { function_index } if is_blocking(&found, function_index) => return Ok(None),
                        _ => {}
                    }
                }
                found.bodies.push(Body { range: body.range(), calls });
            }
            _ => {}
        }
    }
    let Some(empty) = empty.filter(|_| !found.blocking.is_empty()) else { return Ok(None) };
    found.empty = empty;
    Ok(Some(found))
}

fn rewrite(module: &[u8], found: &Found) -> Option<Vec<u8>> {
    let added = found.blocking.len() as u32 + 1;
    let pause = found.functions + found.blocking.len() as u32;
    let mut out = module.get(..8)?.to_vec();
    let mut rest = &module[8..];
    while let [id, after @ ..] = rest {
        let (size, size_bytes) = number(after)?;
        let contents = after.get(size_bytes..size_bytes + size as usize)?;
        rest = &after[size_bytes + size as usize..];
        let mut changed = Vec::new();
        match *id {
            FUNCTIONS => {
                append(&mut changed, contents, added)?;
                found.blocking.iter().for_each(|import| leb128(&mut changed, import.ty));
                leb128(&mut changed, found.empty);
            }
            EXPORTS => {
                append(&mut changed, contents, 1)?;
                named(&mut changed, PAUSE);
                changed.push(0);
                leb128(&mut changed, pause);
            }
            CODE => {
                leb128(&mut changed, found.bodies.len() as u32 + added);
                found.bodies.iter().for_each(|body| turned(&mut changed, module, body, found.functions));
                found.blocking.iter().for_each(|import| sized(&mut changed, &around(import, pause)));
                sized(&mut changed, &[0, 0x0b]);
            }
            // Hints about code name places in it.
            0 if contents.get(1..14) == Some(b"metadata.code") => continue,
            _ => changed.extend_from_slice(contents),
        }
        out.push(*id);
        sized(&mut out, &changed);
    }
    Some(out)
}

/// A function's body with calls of the imports turned to the functions around them, which are numbered from `first`.
fn turned(out: &mut Vec<u8>, module: &[u8], body: &Body, first: u32) {
    let mut changed = Vec::with_capacity(body.range.len() + 8);
    let mut from = body.range.start;
    for call in &body.calls {
        changed.extend_from_slice(&module[from..call.number.start]);
        leb128(&mut changed, first + call.import as u32);
        from = call.number.end;
    }
    changed.extend_from_slice(&module[from..body.range.end]);
    sized(out, &changed);
}

/// The body of the function around an import.
fn around(import: &Blocking, pause: u32) -> Vec<u8> {
    const I32: u8 = 0x7f;
    let mut code = vec![1, 1, I32];
    code.extend([0x03, 0x40]); // loop
    for param in 0..import.params {
        code.push(0x20); // local.get
        leb128(&mut code, param);
    }
    code.push(0x10); // call
    leb128(&mut code, import.function);
    code.push(0x22); // local.tee
    leb128(&mut code, import.params);
    code.extend([0x41, 0x7f, 0x46]); // i32.const AGAIN, i32.eq
    code.extend([0x04, 0x40]); // if
    code.push(0x10);
    leb128(&mut code, pause);
    code.extend([0x0c, 1, 0x0b, 0x0b]); // br to the loop; end, end
    code.push(0x20);
    leb128(&mut code, import.params);
    code.push(0x0b);
    code
}

/// The contents of a section of which `more` entries will follow.
fn append(out: &mut Vec<u8>, contents: &[u8], more: u32) -> Option<()> {
    let (count, bytes) = number(contents)?;
    leb128(out, count + more);
    out.extend_from_slice(&contents[bytes..]);
    Some(())
}

fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    leb128(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

fn named(out: &mut Vec<u8>, name: &str) {
    sized(out, name.as_bytes());
}

pub fn leb128(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A number at the beginning of `bytes`, and its length.
fn number(bytes: &[u8]) -> Option<(u32, usize)> {
    let length = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)? + 1;
    let value = bytes[..length].iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((u32::try_from(value).ok()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::{Engine, Module};

    const GUEST: &[u8] = include_bytes!("../tests/fixtures/guest.wasm");

    fn names(module: &[u8]) -> Vec<String> {
        let module = Module::new(&Engine::default(), module).unwrap();
        module.exports().map(|export| export.name().to_owned()).collect()
    }

    #[test]
    fn a_guest_stays_valid_and_keeps_its_exports() {
        let mut expected = names(GUEST);
        expected.push(PAUSE.to_owned());
        assert_eq!(names(&pausing(GUEST.to_vec())), expected);
        let found = find(GUEST).unwrap().unwrap();
        assert_eq!((found.blocking.len(), found.bodies.iter().map(|body| body.calls.len()).sum::<usize>()), (3, 4));
    }

    #[test]
    fn what_cannot_be_changed_stays_as_it_is() {
        let table = include_bytes!("../tests/fixtures/table.wasm");
        assert_eq!(pausing(table.to_vec()), table);
        assert_eq!(pausing(b"junk".to_vec()), b"junk");
        for length in 0..GUEST.len() {
            pausing(GUEST[..length].to_vec());
        }
    }
}
