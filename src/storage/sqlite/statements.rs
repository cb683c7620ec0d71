//! One statement for several rows: each that is sent by itself is a round trip to the connection's thread.

use std::sync::OnceLock;

/// Into how many rows [`batches`] divides. Each number has a text of its own, which a connection keeps prepared.
const BATCHES: [usize; 5] = [256, 64, 16, 4, 1];

/// Divides rows into as few statements as may be, for each of which [`Batched`] has a text.
pub(super) fn batches<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let count = BATCHES.into_iter().find(|count| *count <= rows.len())?;
        let (batch, rest) = rows.split_at(count);
        rows = rest;
        Some(batch)
    })
}

/// Statements for several rows at once.
pub(super) struct Batched {
    make: fn(usize) -> String,
    texts: OnceLock<[String; BATCHES.len()]>,
}

impl Batched {
    /// `make` writes it for so many rows.
    pub(super) const fn new(make: fn(usize) -> String) -> Self {
        Self { make, texts: OnceLock::new() }
    }

    /// The text for as many rows as one of [`batches`] has.
    pub(super) fn of(&self, count: usize) -> &str {
        let place = BATCHES.iter().position(|size| *size == count).expect("only batches are asked for");
        &self.texts.get_or_init(|| BATCHES.map(self.make))[place]
    }
}
