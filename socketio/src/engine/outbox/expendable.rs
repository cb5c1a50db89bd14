//! `Expendable`: which of the frames that wait may be dropped for newer ones, and dropping them, whole bundles at a time.
//!
//! Frames are known by where they stand, which holds until the reader takes them all. What the reader has taken is on its way.

use crate::engine::proto::Frame;
use std::{collections::VecDeque, sync::Arc};

#[derive(Debug)]
struct Entry {
    /// Where its first frame stands.
    at: usize,
    frames: usize,
    bytes: usize,
    /// Of the same key, only the newest is worth sending.
    key: Option<Arc<str>>,
}

/// The bundles that may be dropped, oldest first.
#[derive(Debug, Default)]
pub(super) struct Expendable {
    entries: VecDeque<Entry>,
}

impl Expendable {
    /// These frames, which are about to be queued, may be dropped.
    pub(super) fn note(&mut self, at: usize, frames: usize, bytes: usize, key: Option<&Arc<str>>) {
        self.entries.push_back(Entry { at, frames, bytes, key: key.cloned() });
    }

    /// The reader has taken all frames.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Drops the bundle with this key, of which there is at most one. Returns its bytes. The time grows with what waits, which
    /// is little where this is used.
    pub(super) fn drop_key(&mut self, frames: &mut VecDeque<Frame>, key: &str) -> usize {
        let Some(found) = self.entries.iter().position(|entry| entry.key.as_deref() == Some(key)) else { return 0 };
        let Some(entry) = self.entries.remove(found) else { return 0 };
        frames.drain(entry.at..entry.at + entry.frames);
        self.entries.iter_mut().skip(found).for_each(|later| later.at -= entry.frames);
        entry.bytes
    }

    /// Drops the oldest bundles until so many bytes are free, or none is left. Returns how many are.
    pub(super) fn drop_oldest(&mut self, frames: &mut VecDeque<Frame>, wanted_bytes: usize) -> usize {
        let (mut bytes, mut dropped) = (0, VecDeque::new());
        while bytes < wanted_bytes {
            let Some(entry) = self.entries.pop_front() else { break };
            bytes += entry.bytes;
            dropped.push_back(entry);
        }
        let count: usize = dropped.iter().map(|entry| entry.frames).sum();
        let mut at = 0;
        frames.retain(|_| {
            while dropped.front().is_some_and(|entry| entry.at + entry.frames <= at) {
                dropped.pop_front();
            }
            let goes = dropped.front().is_some_and(|entry| entry.at <= at);
            at += 1;
            !goes
        });
        self.entries.iter_mut().for_each(|later| later.at -= count);
        bytes
    }
}
