//! Messages: `u32 head length | head: a JSON object in UTF-8 | payload bytes`, little-endian.

use crate::wire::{MAX_HEAD_BYTES, MAX_MESSAGE_BYTES};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    TooShort,
    TooLong,
    HeadTooLong,
    Head(String),
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooShort => write!(f, "message ends before its head does"),
            Self::TooLong => write!(f, "message is larger than {MAX_MESSAGE_BYTES} bytes"),
            Self::HeadTooLong => write!(f, "message head is larger than {MAX_HEAD_BYTES} bytes"),
            Self::Head(why) => write!(f, "message head is not understood: {why}"),
        }
    }
}

/// Splits a message into its head's bytes and its payload.
pub fn split(message: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    if message.len() > MAX_MESSAGE_BYTES {
        return Err(Malformed::TooLong);
    }
    let (length, rest) = message.split_first_chunk::<4>().ok_or(Malformed::TooShort)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_HEAD_BYTES {
        return Err(Malformed::HeadTooLong);
    }
    rest.split_at_checked(length).ok_or(Malformed::TooShort)
}

/// Reads the head as `T`; the payload stays where it is.
pub fn decode<T: DeserializeOwned>(message: &[u8]) -> Result<(T, &[u8]), Malformed> {
    let (head, payload) = split(message)?;
    if head.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Malformed::Head("it is no JSON object".into()));
    }
    let head = serde_json::from_slice(head).map_err(|error| Malformed::Head(error.to_string()))?;
    Ok((head, payload))
}

/// Appends a message to `out`.
pub fn encode_into(out: &mut Vec<u8>, head: &impl Serialize, payload: &[&[u8]]) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    serde_json::to_writer(&mut *out, head).expect("heads are plain data, which always serialises");
    let length = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&length.to_le_bytes());
    for part in payload {
        out.extend_from_slice(part);
    }
}

pub fn encode(head: &impl Serialize, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256 + payload.len());
    encode_into(&mut out, head, &[payload]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        for payload in [&b""[..], b"x", &[0xff, 0, 0x80]] {
            let head = json!({"op": "run", "text": "\u{0}é"});
            let message = encode(&head, payload);
            assert_eq!(decode::<Value>(&message), Ok((head, payload)));
        }
    }

    #[test]
    fn broken_messages_are_refused_with_a_reason() {
        assert_eq!(split(b"abc"), Err(Malformed::TooShort));
        assert_eq!(split(&[9, 0, 0, 0, b'{']), Err(Malformed::TooShort));
        assert_eq!(split(&u32::MAX.to_le_bytes()), Err(Malformed::HeadTooLong));
        for head in ["", "[]", "{", "{} x", "\"{}\"", "null"] {
            let mut message = (head.len() as u32).to_le_bytes().to_vec();
            message.extend_from_slice(head.as_bytes());
            assert!(matches!(decode::<Value>(&message), Err(Malformed::Head(_))), "{head}");
        }
        let deep = "{\"a\":".repeat(2_000);
        let mut message = (deep.len() as u32).to_le_bytes().to_vec();
        message.extend_from_slice(deep.as_bytes());
        assert!(matches!(decode::<Value>(&message), Err(Malformed::Head(_))));
    }
}
