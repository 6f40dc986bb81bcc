//! Frames: length, kind, id, payload; all numbers little-endian. `src/backends/container/agent/protocol.ts` is the other side.

/// Longest payload of a frame.
pub const MAX_PAYLOAD: usize = (1 << 20) + (64 << 10);
const HEAD: usize = 9;

pub mod ask {
    pub const CONFIG: u8 = 1;
    pub const PING: u8 = 2;
    pub const WRITE: u8 = 3;
    pub const READ: u8 = 4;
    pub const LIST: u8 = 5;
    pub const STAT: u8 = 6;
    pub const MKDIR: u8 = 7;
    pub const SYMLINK: u8 = 8;
    pub const REMOVE: u8 = 9;
    pub const START: u8 = 16;
    pub const INPUT: u8 = 17;
    pub const INPUT_END: u8 = 18;
    pub const CREDIT: u8 = 19;
    pub const KILL: u8 = 20;
    pub const SETTLE: u8 = 21;
    pub const RESUME: u8 = 22;
    pub const LISTEN: u8 = 32;
    pub const TUNNEL_DATA: u8 = 33;
    pub const TUNNEL_END: u8 = 34;
    pub const TUNNEL_CREDIT: u8 = 35;
    pub const TUNNEL_CLOSE: u8 = 36;
}

pub mod tell {
    pub const HELLO: u8 = 1;
    pub const ANSWER: u8 = 3;
    pub const FAULT: u8 = 4;
    pub const PART: u8 = 5;
    pub const STARTED: u8 = 16;
    pub const OUTPUT: u8 = 17;
    pub const INPUT_CREDIT: u8 = 18;
    pub const ENDED: u8 = 19;
    pub const SETTLED: u8 = 20;
    pub const TUNNEL_OPEN: u8 = 32;
    pub const TUNNEL_DATA: u8 = 33;
    pub const TUNNEL_END: u8 = 34;
    pub const TUNNEL_CREDIT: u8 = 35;
    pub const TUNNEL_CLOSE: u8 = 36;
}

pub struct Frame {
    pub kind: u8,
    pub id: u32,
    pub payload: Vec<u8>,
}

/// A frame that breaks the rules.
#[derive(Debug)]
pub struct Malformed;

/// The first whole frame in `bytes`, and how many bytes it took.
pub fn first_frame(bytes: &[u8]) -> Result<Option<(Frame, usize)>, Malformed> {
    let Some(head) = bytes.first_chunk::<HEAD>() else { return Ok(None) };
    let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
    if length > MAX_PAYLOAD {
        return Err(Malformed);
    }
    let Some(payload) = bytes.get(HEAD..HEAD + length) else { return Ok(None) };
    let id = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    Ok(Some((Frame { kind: head[4], id, payload: payload.to_vec() }, HEAD + length)))
}

pub fn put_frame(out: &mut Vec<u8>, kind: u8, id: u32, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    debug_assert!(length <= MAX_PAYLOAD);
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.push(kind);
    out.extend_from_slice(&id.to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

/// Writes the fields of a payload.
#[derive(Default)]
pub struct Fields(pub Vec<u8>);

impl Fields {
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.u32(value.len() as u32);
        self.0.extend_from_slice(value);
        self
    }
}

/// Reads the fields of a payload.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.take(4)?.try_into().map(u32::from_le_bytes).map_err(|_| Malformed)
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.take(8)?.try_into().map(u64::from_le_bytes).map_err(|_| Malformed)
    }

    pub fn i64(&mut self) -> Result<i64, Malformed> {
        self.u64().map(|value| value as i64)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    pub fn list(&mut self) -> Result<Vec<&'a [u8]>, Malformed> {
        (0..self.u32()?).map(|_| self.bytes()).collect()
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_whole_and_long_ones_not_at_all() {
        let mut bytes = Vec::new();
        put_frame(&mut bytes, ask::WRITE, 7, &[b"one", b"two"]);
        for cut in 0..bytes.len() {
            assert!(first_frame(&bytes[..cut]).unwrap().is_none());
        }
        let (frame, length) = first_frame(&bytes).unwrap().unwrap();
        assert_eq!((frame.kind, frame.id, &frame.payload[..], length), (ask::WRITE, 7, &b"onetwo"[..], bytes.len()));
        bytes[..4].copy_from_slice(&(MAX_PAYLOAD as u32 + 1).to_le_bytes());
        assert!(first_frame(&bytes).is_err());
    }

    #[test]
    fn fields_that_are_not_there_are_refused() {
        let mut fields = Fields::default();
        fields.u8(1).u32(2).u64(3).i64(-4).bytes(b"five");
        let mut reader = Reader(&fields.0);
        assert_eq!((reader.u8().unwrap(), reader.u32().unwrap(), reader.u64().unwrap()), (1, 2, 3));
        assert_eq!((reader.i64().unwrap(), reader.bytes().unwrap()), (-4, &b"five"[..]));
        assert!(reader.u8().is_err());
        assert!(Reader(&[255, 255, 255, 255]).list().is_err());
        assert!(Reader(&[9, 0, 0, 0, 1]).bytes().is_err());
    }
}
