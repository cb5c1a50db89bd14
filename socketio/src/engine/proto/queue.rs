//! `Queue`: first in, first out, and mostly not more than one. That one needs no memory but the queue's own, which is all that a
//! connection takes unless several came at once.

use std::{collections::VecDeque, fmt};

/// An emptied queue that has grown beyond this gives its memory back.
const KEPT: usize = 16;

/// A queue with room for one in itself.
pub(crate) struct Queue<T> {
    /// `None`: the queue is empty.
    first: Option<T>,
    #[allow(clippy::box_collection, reason = "most queues never have more, and a pointer is a quarter of a deque")]
    more: Option<Box<VecDeque<T>>>,
}

impl<T> Queue<T> {
    pub(crate) fn push_back(&mut self, item: T) {
        if self.first.is_none() {
            self.first = Some(item);
        } else {
            self.more.get_or_insert_default().push_back(item);
        }
    }

    pub(crate) fn pop_front(&mut self) -> Option<T> {
        let item = self.first.take()?;
        if let Some(more) = &mut self.more {
            self.first = more.pop_front();
            if self.first.is_none() && more.capacity() > KEPT {
                self.more = None;
            }
        }
        Some(item)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.first.iter().chain(self.more.iter().flat_map(|more| more.iter()))
    }

    /// What it holds memory for beside itself.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.more.as_ref().map_or(0, |more| more.capacity())
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue { first: None, more: None }
    }
}

impl<T: fmt::Debug> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_leaves_first_and_a_burst_is_forgotten() {
        let mut queue = Queue::default();
        for burst in [0, 1, 2, 3, 100] {
            for item in 0..burst {
                assert_eq!(queue.is_empty(), item == 0);
                queue.push_back(item);
            }
            assert!(queue.iter().copied().eq(0..burst));
            assert!(queue.iter().rev().copied().eq((0..burst).rev()));
            // Also with something that comes meanwhile.
            if let Some(first) = queue.pop_front() {
                queue.push_back(first);
                let expected = (1..burst).chain([0]);
                assert!(expected.eq(std::iter::from_fn(|| queue.pop_front())));
            }
            assert!(queue.is_empty());
            assert!(queue.capacity() <= KEPT);
        }
    }
}
