//! `Batch`: what leaves in one write. Small frames stand together in one piece of memory; large ones lie where they are, each at its place
//! among the small.

use bytes::{Buf, Bytes};
use std::{collections::VecDeque, io::IoSlice, ops::Deref};

/// Slices of one write at most.
pub(super) const SLICES: usize = 16;

/// Bytes in order: `small`, interrupted by each of `large` at its offset.
#[derive(Debug)]
pub(super) struct Batch<B> {
    small: B,
    /// So much of `small` is written.
    at: usize,
    /// In order, none of them empty.
    large: VecDeque<(usize, Bytes)>,
}

impl<B: Deref<Target = [u8]>> Batch<B> {
    /// The offsets of `large` are in ascending order and within `small`.
    pub(super) fn new(small: B, large: VecDeque<(usize, Bytes)>) -> Self {
        Batch { small, at: 0, large }
    }

    /// Whether it has several pieces.
    pub(super) fn is_mixed(&self) -> bool {
        !self.large.is_empty()
    }

    /// What is left of it, as something to be kept.
    pub(super) fn into_owned(self) -> Batch<Bytes> {
        let Batch { small, at, mut large } = self;
        large.iter_mut().for_each(|(place, _)| *place -= at);
        Batch { small: Bytes::copy_from_slice(&small[at..]), at: 0, large }
    }

    /// The first pieces, for a vectored write.
    pub(super) fn slices(&self) -> Slices<'_> {
        let mut slices = Slices { pieces: [IoSlice::new(&[]); SLICES], count: 0 };
        let mut at = self.at;
        for (place, bytes) in &self.large {
            slices.put(&self.small[at..*place]);
            slices.put(bytes);
            at = *place;
        }
        slices.put(&self.small[at..]);
        slices
    }
}

impl<B: Deref<Target = [u8]>> Buf for Batch<B> {
    fn remaining(&self) -> usize {
        self.small.len() - self.at + self.large.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }

    fn has_remaining(&self) -> bool {
        self.at < self.small.len() || !self.large.is_empty()
    }

    fn chunk(&self) -> &[u8] {
        match self.large.front() {
            Some((place, bytes)) if self.at == *place => bytes,
            Some((place, _)) => &self.small[self.at..*place],
            None => &self.small[self.at..],
        }
    }

    fn advance(&mut self, mut count: usize) {
        while let Some((place, bytes)) = self.large.front_mut() {
            let of_small = count.min(*place - self.at);
            self.at += of_small;
            count -= of_small;
            if count < bytes.len() {
                return bytes.advance(count);
            }
            count -= bytes.len();
            self.large.pop_front();
        }
        self.at += count;
        assert!(self.at <= self.small.len(), "invariant: nobody writes more than there is");
    }
}

/// Pieces of a [`Batch`], none of them empty.
pub(super) struct Slices<'a> {
    pieces: [IoSlice<'a>; SLICES],
    count: usize,
}

impl<'a> Slices<'a> {
    fn put(&mut self, piece: &'a [u8]) {
        if !piece.is_empty() && self.count < SLICES {
            self.pieces[self.count] = IoSlice::new(piece);
            self.count += 1;
        }
    }

    pub(super) fn filled(&self) -> &[IoSlice<'a>] {
        &self.pieces[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However much is taken at a time, and whenever it has to be kept.
        #[test]
        fn it_leaves_whole_and_in_order(
            pieces in proptest::collection::vec((any::<bool>(), 1..40_usize), 0..12),
            steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 1..60_usize), 1..20),
        ) {
            let (mut small, mut large, mut expected) = (Vec::new(), VecDeque::new(), Vec::new());
            for (number, (is_large, length)) in pieces.into_iter().enumerate() {
                let piece = vec![number as u8; length];
                expected.extend_from_slice(&piece);
                if is_large {
                    large.push_back((small.len(), Bytes::from(piece)));
                } else {
                    small.extend(piece);
                }
            }
            let mut batch = Batch::new(Bytes::from(small), large);
            let mut written = Vec::new();
            for (vectored, kept, most) in steps.into_iter().cycle() {
                prop_assert_eq!(batch.remaining(), expected.len() - written.len());
                if !batch.has_remaining() {
                    break;
                }
                let before = written.len();
                if vectored {
                    let slices = batch.slices();
                    slices.filled().iter().for_each(|slice| written.extend_from_slice(slice));
                } else {
                    written.extend_from_slice(batch.chunk());
                }
                written.truncate(before + most);
                batch.advance(written.len() - before);
                if kept {
                    batch = batch.into_owned();
                }
            }
            prop_assert_eq!(written, expected);
        }
    }
}
