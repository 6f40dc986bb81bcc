//! Handles: slot, generation and kind in 53 bits, so that a stale one is told from the next user of its slot.

const SLOT_BITS: u32 = 22;
const KIND_BITS: u32 = 1;
const GENERATIONS: u64 = 1 << (53 - SLOT_BITS - KIND_BITS);

/// What a handle names; a client's handle is never taken for a session's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Client = 0,
    Session = 1,
}

/// Values by handle.
pub struct Table<T> {
    kind: Kind,
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

struct Slot<T> {
    generation: u64,
    value: Option<T>,
}

impl<T> Table<T> {
    pub const fn new(kind: Kind) -> Self {
        Self { kind, slots: Vec::new(), free: Vec::new() }
    }

    /// Stores what `make` makes of the new handle; `None` when every slot is taken.
    pub fn insert_with(&mut self, make: impl FnOnce(i64) -> T) -> Option<i64> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.slots.len() < 1 << SLOT_BITS => {
                self.slots.push(Slot { generation: 0, value: None });
                self.slots.len() - 1
            }
            None => return None,
        };
        let entry = &mut self.slots[slot];
        entry.generation = entry.generation % (GENERATIONS - 1) + 1;
        let handle = ((entry.generation << SLOT_BITS | slot as u64) << KIND_BITS | self.kind as u64) as i64;
        entry.value = Some(make(handle));
        Some(handle)
    }

    fn slot(&self, handle: i64) -> Option<usize> {
        let handle = u64::try_from(handle).ok()?;
        let slot = (handle >> KIND_BITS) as usize & ((1 << SLOT_BITS) - 1);
        let kind = handle & ((1 << KIND_BITS) - 1);
        let entry = self.slots.get(slot)?;
        (kind == self.kind as u64 && entry.generation == handle >> (SLOT_BITS + KIND_BITS)).then_some(slot)
    }

    pub fn get(&self, handle: i64) -> Option<&T> {
        self.slots[self.slot(handle)?].value.as_ref()
    }

    pub fn remove(&mut self, handle: i64) -> Option<T> {
        let slot = self.slot(handle)?;
        let value = self.slots[slot].value.take()?;
        self.free.push(slot);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_fit_in_a_double_and_name_their_value() {
        let mut table = Table::new(Kind::Session);
        let handles: Vec<i64> = (0..1000).map(|n| table.insert_with(|_| n).unwrap()).collect();
        for (n, handle) in handles.iter().enumerate() {
            assert!((1..1 << 53).contains(handle));
            assert_eq!(table.get(*handle), Some(&n));
        }
    }

    #[test]
    fn a_removed_handle_stays_stale_when_its_slot_is_used_again() {
        let mut table = Table::new(Kind::Session);
        let first = table.insert_with(|_| "first").unwrap();
        assert_eq!(table.remove(first), Some("first"));
        let second = table.insert_with(|_| "second").unwrap();
        assert_ne!(first, second);
        assert_eq!(table.get(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get(second), Some(&"second"));
    }

    #[test]
    fn generations_wrap_below_53_bits_and_other_kinds_are_stale() {
        let mut table = Table::new(Kind::Client);
        table.slots.push(Slot { generation: GENERATIONS - 1, value: None });
        table.free.push(0);
        let handle = table.insert_with(drop).unwrap();
        assert!(handle > 0);
        for other in [handle | Kind::Session as i64, 0, -1, i64::MIN, i64::MAX, handle + (1 << 40)] {
            assert_eq!(table.get(other), None, "{other}");
        }
    }
}
