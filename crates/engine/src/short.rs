//! Bytes that are put together on the stack before they go where they belong.

/// Bytes of one item, up to `N`.
pub(crate) struct Short<const N: usize> {
    pub(crate) bytes: [u8; N],
    pub(crate) len: usize,
}

impl<const N: usize> Default for Short<N> {
    fn default() -> Self {
        Self { bytes: [0; N], len: 0 }
    }
}

impl<const N: usize> Short<N> {
    /// What was put together.
    pub(crate) fn written(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Puts the item at the end of `piece`. Copying a fixed length and cutting it off takes a
    /// fraction of copying as much as there is.
    #[inline(always)]
    pub(crate) fn put(&self, piece: &mut Vec<u8>) {
        let end = piece.len() + self.len;
        piece.extend_from_slice(&self.bytes);
        piece.truncate(end);
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Puts the first `len` of `bytes` at the end.
    #[inline(always)]
    pub(crate) fn fixed<const M: usize>(&mut self, bytes: [u8; M], len: usize) {
        self.bytes[self.len..self.len + M].copy_from_slice(&bytes);
        self.len += len;
    }

    #[inline(always)]
    pub(crate) fn all<const M: usize>(&mut self, bytes: [u8; M]) {
        self.fixed(bytes, M);
    }
}
