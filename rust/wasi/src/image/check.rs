use super::reader::{name, record, u32_at, u64_at};
use super::{HEADER_LEN, ImageError, MAGIC, NODE_LEN, VERSION};
use crate::fs::{NAME_MAX, PATH_MAX, is_name};

pub(super) struct Checked {
    pub count: u32,
    pub names: usize,
    pub mtime: u64,
}

/// One pass over the index; its cost does not depend on what hostile numbers say.
pub(super) fn check(bytes: &[u8]) -> Result<Checked, ImageError> {
    if bytes.len() < HEADER_LEN || bytes[..8] != MAGIC || u32_at(bytes, 8) != Some(VERSION) {
        return Err(ImageError::Format);
    }
    let field = |at| u64_at(bytes, at).ok_or(ImageError::Length);
    if field(40)? != bytes.len() as u64 {
        return Err(ImageError::Length);
    }
    let count = u32_at(bytes, 12).ok_or(ImageError::Length)?;
    if count == 0 || count as usize > (bytes.len() - HEADER_LEN) / NODE_LEN {
        return Err(ImageError::Length);
    }
    let index_end = HEADER_LEN + count as usize * NODE_LEN;
    let names = usize::try_from(field(16)?).map_err(|_| ImageError::Length)?;
    let names_len = usize::try_from(field(24)?).map_err(|_| ImageError::Length)?;
    let names_end = names.checked_add(names_len).ok_or(ImageError::Length)?;
    if names < index_end || names_end > bytes.len() {
        return Err(ImageError::Length);
    }

    let mut next_child: u64 = 1;
    let mut siblings_end = 1;
    for node in 0..count {
        let damaged = ImageError::Node(node);
        let r = record(bytes, node).ok_or(damaged)?;
        if node == 0 {
            if r.kind != 1 || r.parent != 0 || r.name_len != 0 {
                return Err(damaged);
            }
        } else {
            let parent = if r.parent < node { record(bytes, r.parent) } else { None }.ok_or(damaged)?;
            let held = parent.start..parent.start.saturating_add(parent.len);
            if parent.kind != 1 || !held.contains(&u64::from(node)) {
                return Err(damaged);
            }
            let own = name(bytes, names, &r).ok_or(damaged)?;
            if names + r.name_start as usize + own.len() > names_end || own.len() > NAME_MAX {
                return Err(damaged);
            }
            if !core::str::from_utf8(own).is_ok_and(is_name) {
                return Err(damaged);
            }
            if node < siblings_end {
                let before = record(bytes, node - 1).and_then(|b| name(bytes, names, &b)).ok_or(damaged)?;
                if before >= own {
                    return Err(damaged);
                }
            } else {
                siblings_end = u32::try_from(held.end).map_err(|_| damaged)?;
            }
        }
        match r.kind {
            1 => {
                // Directories take the nodes in turn, so that every node has exactly one place.
                if r.start != next_child {
                    return Err(damaged);
                }
                next_child = next_child.checked_add(r.len).filter(|n| *n <= u64::from(count)).ok_or(damaged)?;
            }
            2 | 3 => {
                let end = r.start.checked_add(r.len).ok_or(damaged)?;
                if end > bytes.len() as u64 {
                    return Err(damaged);
                }
                if r.kind == 3 {
                    let target = &bytes[r.start as usize..end as usize];
                    if target.is_empty() || target.len() > PATH_MAX || target.contains(&0) {
                        return Err(damaged);
                    }
                    core::str::from_utf8(target).map_err(|_| damaged)?;
                }
            }
            _ => return Err(damaged),
        }
    }
    if next_child != u64::from(count) {
        return Err(ImageError::Node(0));
    }
    Ok(Checked { count, names, mtime: field(32)? })
}
