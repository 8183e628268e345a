//! The messages by which features talk. A message lives for the batch it was written in.

use bevy_ecs::prelude::*;

/// Messages of one kind, in the order they were written.
#[derive(Resource)]
pub(crate) struct Stream<M: Send + Sync + 'static>(Vec<M>);

/// What a system reads.
pub(crate) type Reader<'w, M> = Res<'w, Stream<M>>;

/// What a system writes.
pub(crate) type Writer<'w, M> = ResMut<'w, Stream<M>>;

/// Room that a stream keeps from batch to batch, in bytes: the largest batches (a round of a whole
/// branch is graded) must not decide for ever what a branch takes in memory.
const KEPT_BYTES: usize = 64 * 1_024;

impl<M: Send + Sync + 'static> Default for Stream<M> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<M: Send + Sync + 'static> Stream<M> {
    pub(crate) fn write(&mut self, message: M) {
        self.0.push(message);
    }

    pub(crate) fn write_batch(&mut self, messages: impl IntoIterator<Item = M>) {
        self.0.extend(messages);
    }

    /// Lends the messages out, to be written to while the world is read; see [`Stream::take_back`].
    pub(crate) fn lend(&mut self) -> Vec<M> {
        std::mem::take(&mut self.0)
    }

    /// Has lent messages back, in place of any.
    pub(crate) fn take_back(&mut self, messages: Vec<M>) {
        self.0 = messages;
    }

    /// Takes messages back that nobody has read yet.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&M) -> bool) {
        self.0.retain(keep);
    }

    pub(crate) fn read(&self) -> std::slice::Iter<'_, M> {
        self.0.iter()
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[M] {
        &self.0
    }

    /// Forgets the messages of a batch that is over.
    pub(crate) fn sweep(&mut self) {
        if self.0.capacity() * size_of::<M>() > KEPT_BYTES {
            self.0 = Vec::new();
        } else {
            self.0.clear();
        }
    }
}
