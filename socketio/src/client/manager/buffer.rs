//! `Buffer`: a queue that is bounded in number and in bytes.

use std::collections::VecDeque;

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
}

/// What waits, in order, each with what it takes of the limit.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    limits: Limits,
}

impl<T> Buffer<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Buffer { items: VecDeque::new(), bytes: 0, limits }
    }

    /// Whether so much fits as well.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.items.len() < self.limits.items && self.bytes.saturating_add(bytes) <= self.limits.bytes
    }

    /// Appends what fits; gives back what does not.
    pub(crate) fn push(&mut self, item: T, bytes: usize) -> Result<(), T> {
        if !self.has_room(bytes) {
            return Err(item);
        }
        self.bytes += bytes;
        self.items.push_back((item, bytes));
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let (item, bytes) = self.items.pop_front()?;
        self.bytes -= bytes;
        Some(item)
    }

    pub(crate) fn front_mut(&mut self) -> Option<&mut T> {
        self.items.front_mut().map(|(item, _)| item)
    }

    /// Takes out what is no longer wanted.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut freed = 0;
        self.items.retain(|(item, bytes)| {
            let kept = keep(item);
            freed += if kept { 0 } else { *bytes };
            kept
        });
        self.bytes -= freed;
    }

    pub(crate) fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_more_than_allowed(pushes in proptest::collection::vec((0usize..30, 0u8..4), 0..60), items in 0usize..8, bytes in 0usize..60) {
            let mut buffer = Buffer::new(Limits { items, bytes });
            let mut model: VecDeque<(usize, usize)> = VecDeque::new();
            for (number, (size, action)) in pushes.into_iter().enumerate() {
                match action {
                    0 => prop_assert_eq!(buffer.pop(), model.pop_front().map(|(number, _)| number)),
                    1 => {
                        buffer.retain(|item| item % 2 == 0);
                        model.retain(|(item, _)| item % 2 == 0);
                    }
                    _ => {
                        let fits = model.len() < items && model.iter().map(|(_, size)| size).sum::<usize>() + size <= bytes;
                        prop_assert_eq!(buffer.push(number, size).is_ok(), fits);
                        if fits {
                            model.push_back((number, size));
                        }
                    }
                }
                prop_assert_eq!(buffer.len(), model.len());
            }
        }
    }
}
