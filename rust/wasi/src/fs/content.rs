//! The bytes of one file, in pieces, so that growth copies nothing and holes cost nothing.

use alloc::vec::Vec;

use crate::errno::Errno;

const PIECE: usize = 64 << 10;

/// Each piece holds the front of its 64 KiB; what lies beyond its length, or beyond the last piece, reads as zeros.
#[derive(Default)]
pub(crate) struct Content {
    len: u64,
    pieces: Vec<Vec<u8>>,
}

impl Content {
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn read(&self, offset: u64, buf: &mut [u8]) -> usize {
        let Some(left) = self.len.checked_sub(offset) else { return 0 };
        let wanted = usize::try_from(left).map_or(buf.len(), |left| left.min(buf.len()));
        let mut done = 0;
        while done < wanted {
            let at = offset + done as u64;
            let within = (at % PIECE as u64) as usize;
            let n = (wanted - done).min(PIECE - within);
            let out = &mut buf[done..done + n];
            let held = usize::try_from(at / PIECE as u64).ok().and_then(|i| self.pieces.get(i));
            let held = held.and_then(|piece| piece.get(within..)).unwrap_or_default();
            let copied = held.len().min(n);
            out[..copied].copy_from_slice(&held[..copied]);
            out[copied..].fill(0);
            done += n;
        }
        wanted
    }

    /// Writes all of `data`, or nothing when there is no memory for the first of it; the number written otherwise.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> Result<usize, Errno> {
        let mut done = 0;
        while done < data.len() {
            let at = offset.checked_add(done as u64).ok_or(Errno::Fbig)?;
            let within = (at % PIECE as u64) as usize;
            let n = (data.len() - done).min(PIECE - within);
            let Some(piece) = self.piece(at / PIECE as u64, within + n) else {
                return if done == 0 { Err(Errno::Nospc) } else { Ok(done) };
            };
            let chunk = &data[done..done + n];
            if piece.len() < within {
                piece.resize(within, 0);
            }
            let over = (piece.len() - within).min(n);
            piece[within..within + over].copy_from_slice(&chunk[..over]);
            piece.extend_from_slice(&chunk[over..]);
            done += n;
            self.len = self.len.max(at + n as u64);
        }
        Ok(done)
    }

    /// The piece of this number with room for `room` bytes, `None` without memory for it.
    fn piece(&mut self, number: u64, room: usize) -> Option<&mut Vec<u8>> {
        let number = usize::try_from(number).ok()?;
        if number >= self.pieces.len() {
            self.pieces.try_reserve(number + 1 - self.pieces.len()).ok()?;
            self.pieces.resize_with(number + 1, Vec::new);
        }
        let piece = self.pieces.get_mut(number)?;
        if room > piece.capacity() {
            // A quarter more, but never beyond the piece: small appends stay cheap, and little memory is held unpaid.
            let wanted = room.max((piece.capacity() / 4 * 5 + 64).min(PIECE));
            piece.try_reserve_exact(wanted - piece.len()).ok()?;
        }
        Some(piece)
    }

    pub fn set_len(&mut self, len: u64) {
        if len < self.len {
            let pieces = usize::try_from(len.div_ceil(PIECE as u64)).unwrap_or(usize::MAX);
            self.pieces.truncate(pieces);
            let last = (len % PIECE as u64) as usize;
            if last != 0
                && self.pieces.len() == pieces
                && let Some(piece) = self.pieces.last_mut()
            {
                piece.truncate(last);
                piece.shrink_to(last);
            }
            self.pieces.shrink_to(pieces);
        }
        self.len = len;
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn all(content: &Content) -> Vec<u8> {
        let mut out = vec![0xaa; content.len() as usize + 7];
        let n = content.read(0, &mut out);
        out.truncate(n);
        out
    }

    #[test]
    fn agrees_with_a_flat_vector() {
        let mut flat: Vec<u8> = Vec::new();
        let mut content = Content::default();
        let mut state = 1u64;
        for step in 0..3000u64 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let offset = (state >> 33) % 200_000;
            let len = ((state >> 20) % 5000) as usize;
            if step % 7 == 3 {
                flat.resize(offset as usize, 0);
                content.set_len(offset);
            } else {
                let data: Vec<u8> = (0..len).map(|i| (i as u64 ^ state) as u8).collect();
                if flat.len() < offset as usize + len && len > 0 {
                    flat.resize(offset as usize + len, 0);
                }
                if len > 0 {
                    flat[offset as usize..offset as usize + len].copy_from_slice(&data);
                }
                assert_eq!(content.write(offset, &data), Ok(len));
            }
            if step % 50 == 0 {
                assert!(all(&content) == flat, "step {step}");
            }
        }
    }

    #[test]
    fn holes_cost_nothing_and_read_as_zeros() {
        let mut content = Content::default();
        content.set_len(1 << 40);
        assert!(content.pieces.is_empty());
        let mut buf = [1; 8];
        assert_eq!(content.read((1 << 40) - 4, &mut buf), 4);
        assert_eq!(buf, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(content.read(1 << 41, &mut buf), 0);
        assert_eq!(content.read(u64::MAX, &mut buf), 0);
    }

    #[test]
    fn what_was_cut_off_does_not_come_back() {
        let mut content = Content::default();
        content.write(0, &[7; 100]).unwrap();
        content.set_len(10);
        content.set_len(100);
        assert_eq!(all(&content)[10..], [0; 90]);
    }
}
