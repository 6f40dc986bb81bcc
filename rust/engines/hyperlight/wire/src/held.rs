//! Output that a guest holds back until its run ends, in memory that the host sees too: whatever way the run ends, the host
//! finds it there. In front is how many bytes follow; each piece is its stream, its length and its bytes.

use crate::bytes::Reader;
use core::sync::atomic::{Ordering, compiler_fence};

const FRONT: usize = 4;
const PIECE_FRONT: usize = 5;

/// Nothing is held from here on.
pub fn clear(region: &mut [u8]) {
    set_length(region, 0);
}

/// Holds one more piece; false: it does not fit.
pub fn push(region: &mut [u8], stream: u8, bytes: &[u8]) -> bool {
    let length = length(region);
    let Some(place) = region.get_mut(FRONT + length..).and_then(|rest| rest.get_mut(..PIECE_FRONT + bytes.len()))
    else {
        return false;
    };
    place[0] = stream;
    place[1..PIECE_FRONT].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    place[PIECE_FRONT..].copy_from_slice(bytes);
    // The guest can be stopped between any two of its instructions.
    compiler_fence(Ordering::Release);
    set_length(region, length + PIECE_FRONT + bytes.len());
    true
}

/// What is held, as far as it makes sense.
pub fn pieces(region: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let held = region.get(FRONT..).and_then(|rest| rest.get(..length(region)));
    let mut from = Reader(held.unwrap_or_default());
    core::iter::from_fn(move || Some((from.u8().ok()?, from.bytes().ok()?)))
}

fn length(region: &[u8]) -> usize {
    region.first_chunk().map_or(0, |length| u32::from_le_bytes(*length) as usize)
}

fn set_length(region: &mut [u8], length: usize) {
    if let Some(front) = region.first_chunk_mut() {
        *front = (length as u32).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    #[test]
    fn pieces_come_out_in_order_until_there_is_no_room() {
        let mut region = [0xff; 32];
        assert_eq!(pieces(&region).count(), 0);
        clear(&mut region);
        assert!(push(&mut region, 1, b"out"));
        assert!(push(&mut region, 2, b""));
        assert!(!push(&mut region, 2, &[0; 11]));
        assert!(push(&mut region, 1, &[7; 10]));
        let held: Vec<_> = pieces(&region).collect();
        assert_eq!(held, vec![(1, &b"out"[..]), (2, b""), (1, &[7; 10])]);
        clear(&mut region);
        assert_eq!(pieces(&region).count(), 0);
    }

    #[test]
    fn what_an_enemy_wrote_is_read_as_far_as_it_goes() {
        let mut region = vec![0; 16];
        region[..FRONT].copy_from_slice(&12_u32.to_le_bytes());
        region[FRONT + 1..FRONT + PIECE_FRONT].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(pieces(&region).count(), 0);
        assert_eq!(pieces(&[]).count(), 0);
        assert!(!push(&mut [], 1, b"x"));
    }
}
