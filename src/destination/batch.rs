//! Packs rows into batches: JSON arrays whose size is counted in exactly the bytes that are sent.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use tokio::time::Instant;

/// How long a batch may be, in bytes of JSON before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A batch is closed before it grows longer than this.
    pub batch: usize,
    /// The longest batch of a single row. At least `batch`: a row between the two is sent alone.
    pub single: usize,
}

/// A row that fits in no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the row is {bytes} bytes long, and the workspace takes rows of at most {limit}")]
pub struct RowTooLong {
    /// Its length.
    pub bytes: usize,
    /// The longest row that fits.
    pub limit: usize,
}

/// Packs rows into batches, in order. `T` is a tag that the caller gets back with each row's outcome.
#[derive(Debug)]
pub struct Packer<T> {
    limits: Limits,
    /// `[row,row`, and behind it perhaps a row that is begun; empty where there is neither.
    body: Vec<u8>,
    ends: Vec<usize>,
    tags: Vec<T>,
    since: Option<Instant>,
    /// The bodies of the last batches, the newest first. Once such a batch is dropped, its memory is used again.
    bodies: VecDeque<Bytes>,
}

impl<T> Packer<T> {
    /// An empty packer.
    pub fn new(limits: Limits) -> Packer<T> {
        let (body, ends, tags) = (Vec::new(), Vec::new(), Vec::new());
        Packer { limits, body, ends, tags, since: None, bodies: VecDeque::new() }
    }

    /// Appends `row`, the bytes of a JSON object. Returns the batch that had to be closed to make room
    /// for it, if any.
    ///
    /// # Errors
    /// If the row fits in no batch. The packer is unchanged.
    pub fn push(&mut self, row: &[u8], tag: T) -> Result<Option<Batch<T>>, RowTooLong> {
        self.begin_row().extend_from_slice(row);
        self.end_row(tag)
    }

    /// Begins a row. It is appended to what is returned, and counts once [`end_row`](Self::end_row)
    /// is called. If something else is called instead, the row is dropped.
    pub fn begin_row(&mut self) -> &mut Vec<u8> {
        self.drop_begun_row();
        self.body.push(if self.tags.is_empty() { b'[' } else { b',' });
        &mut self.body
    }

    /// How many bytes the row that was begun has so far.
    pub fn row_bytes(&self) -> usize {
        self.body.len() - self.ends.last().map_or(0, |end| *end)
    }

    /// Ends the row that was begun, as [`push`](Self::push) does.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn end_row(&mut self, tag: T) -> Result<Option<Batch<T>>, RowTooLong> {
        let start = self.ends.last().map_or(0, |end| *end) + SEPARATOR;
        let bytes = self.body.len() - start;
        let longest = self.limits.single.saturating_sub(BRACKETS);
        if bytes > longest {
            self.drop_begun_row();
            return Err(RowTooLong { bytes, limit: longest });
        }
        let closing_bracket = 1;
        let mut full = None;
        if !self.tags.is_empty() && self.body.len() + closing_bracket > self.limits.batch {
            let mut next = self.free_body();
            next.push(b'[');
            next.extend_from_slice(&self.body[start..]);
            full = self.finish();
            self.body = next;
        }
        self.ends.push(self.body.len());
        self.tags.push(tag);
        self.since.get_or_insert_with(Instant::now);
        Ok(full)
    }

    /// Closes the batch of the rows that wait; `None` where no row waits.
    pub fn finish(&mut self) -> Option<Batch<T>> {
        self.drop_begun_row();
        if self.tags.is_empty() {
            return None;
        }
        self.since = None;
        let mut body = std::mem::take(&mut self.body);
        body.push(b']');
        // The next batch will probably have as many rows as this one.
        let rows = self.tags.len();
        let ends = std::mem::replace(&mut self.ends, Vec::with_capacity(rows));
        let tags = std::mem::replace(&mut self.tags, Vec::with_capacity(rows));
        let is_usual = body.capacity() <= self.limits.batch.saturating_mul(2);
        let body = Bytes::from(body);
        if is_usual {
            self.bodies.truncate(MAX_BODIES - 1);
            self.bodies.push_front(body.clone());
        }
        Some(Batch { body, ends, tags })
    }

    /// Memory for a body: that of an earlier one, if it is free again.
    fn free_body(&mut self) -> Vec<u8> {
        let free = self.bodies.iter().position(Bytes::is_unique);
        let free = free.and_then(|position| self.bodies.remove(position));
        let Some(Ok(mut free)) = free.map(Bytes::try_into_mut) else {
            return Vec::with_capacity(self.limits.batch + ROOM_FOR_A_ROW);
        };
        free.clear();
        free.into()
    }

    fn drop_begun_row(&mut self) {
        self.body.truncate(self.ends.last().map_or(0, |end| *end));
    }

    /// How many rows wait.
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// Whether no row waits.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// When the first row that waits was pushed.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.since
    }
}

/// How many bodies are looked at. More batches of one packer are not in flight.
const MAX_BODIES: usize = 5;
/// A row is written before it is known whether it still fits.
const ROOM_FOR_A_ROW: usize = 16 << 10;
/// `[` and `]`.
const BRACKETS: usize = 2;
/// `,` before every row but the first, which has `[` before it.
const SEPARATOR: usize = 1;

/// The rows of one post, at least one.
#[derive(Debug)]
pub struct Batch<T> {
    /// `[row,row,...]`.
    body: Bytes,
    /// Where each row ends in the body.
    ends: Vec<usize>,
    tags: Vec<T>,
}

impl<T> Batch<T> {
    /// How many rows there are.
    #[allow(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.tags.len()
    }

    /// The JSON array of the rows. A clone shares the bytes.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Each row's bytes and tag, in order.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], &T)> {
        let rows = (0..self.len()).map(|row| &self.body[self.span(row..row + 1)]);
        rows.zip(&self.tags)
    }

    /// The tags of the rows, in order.
    pub fn tags(&self) -> &[T] {
        &self.tags
    }

    /// As [`tags`](Self::tags), without the rows.
    pub fn into_tags(self) -> Vec<T> {
        self.tags
    }

    /// Two batches of half the rows each, or the tag of the row where there is only one.
    ///
    /// Every row is copied once, because each half needs its own brackets.
    pub fn split(mut self) -> Result<(Batch<T>, Batch<T>), T> {
        if self.len() == 1 {
            return Err(self.tags.remove(0));
        }
        let middle = self.len() / 2;
        let tags = self.tags.split_off(middle);
        let right = self.part(middle..self.ends.len(), tags);
        let tags = std::mem::take(&mut self.tags);
        let left = self.part(0..middle, tags);
        Ok((left, right))
    }

    fn part(&self, rows: Range<usize>, tags: Vec<T>) -> Batch<T> {
        let span = self.span(rows.clone());
        let moved = span.start - 1;
        let mut body = Vec::with_capacity(span.len() + BRACKETS);
        body.push(b'[');
        body.extend_from_slice(&self.body[span]);
        body.push(b']');
        let ends = self.ends[rows].iter().map(|end| end - moved).collect();
        Batch { body: body.into(), ends, tags }
    }

    /// Where `rows`, at least one, lie in the body, with the commas between them.
    fn span(&self, rows: Range<usize>) -> Range<usize> {
        let before = rows.start.checked_sub(1).map_or(0, |row| self.ends[row]);
        before + 1..self.ends[rows.end - 1]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(length: usize) -> Vec<u8> {
        assert!(length >= 2);
        let mut row = vec![b' '; length];
        row[0] = b'{';
        row[length - 1] = b'}';
        row
    }

    fn pack(limits: Limits, rows: &[Vec<u8>]) -> (Vec<Batch<usize>>, Vec<usize>) {
        let mut packer = Packer::new(limits);
        let (mut batches, mut refused) = (Vec::new(), Vec::new());
        for (index, row) in rows.iter().enumerate() {
            let waiting = packer.len();
            match packer.push(row, index) {
                Ok(full) => batches.extend(full),
                Err(error) => {
                    assert_eq!(error.bytes, row.len());
                    assert_eq!(packer.len(), waiting);
                    refused.push(index);
                }
            }
        }
        batches.extend(packer.finish());
        assert!(packer.finish().is_none());
        (batches, refused)
    }

    fn array_of(rows: &[&[u8]]) -> Vec<u8> {
        [b"[".as_slice(), &rows.join(b",".as_slice()), b"]"].concat()
    }

    fn assert_is_whole(batch: &Batch<usize>, all: &[Vec<u8>]) {
        let rows: Vec<&[u8]> = batch.rows().map(|(row, _)| row).collect();
        assert_eq!(rows.len(), batch.len());
        assert_eq!(batch.body(), &array_of(&rows));
        assert!(batch.rows().all(|(row, tag)| row == all[*tag]));
    }

    fn all_rows() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec((2usize..120).prop_map(row), 0..60)
    }

    proptest! {
        #[test]
        fn every_row_is_in_one_batch_in_order_or_refused(
            rows in all_rows(),
            batch in 4usize..130,
            above in prop_oneof![Just(0usize), 0usize..50],
        ) {
            let limits = Limits { batch, single: batch + above };
            let (batches, refused) = pack(limits, &rows);
            let mut seen = Vec::new();
            for batch in &batches {
                assert_is_whole(batch, &rows);
                let limit = if batch.len() == 1 { limits.single } else { limits.batch };
                prop_assert!(batch.body().len() <= limit);
                seen.extend(batch.rows().map(|(_, tag)| *tag));
            }
            let fits = |index: &usize| rows[*index].len() + 2 <= limits.single;
            let (expected, too_long): (Vec<_>, Vec<_>) = (0..rows.len()).partition(fits);
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(refused, too_long);
        }

        #[test]
        fn a_batch_is_closed_only_when_the_next_row_does_not_fit(rows in all_rows()) {
            let limits = Limits { batch: 150, single: 150 };
            let (batches, _) = pack(limits, &rows);
            for pair in batches.windows(2) {
                let first_of_next = pair[1].rows().next().unwrap().0.len();
                prop_assert!(pair[0].body().len() + 1 + first_of_next > limits.batch);
            }
        }

        #[test]
        fn halves_joined_are_the_whole_batch_in_order(rows in all_rows()) {
            let (batches, _) = pack(Limits { batch: 10_000, single: 10_000 }, &rows);
            let mut pieces: Vec<_> = batches.into_iter().rev().collect();
            let mut seen = Vec::new();
            while let Some(piece) = pieces.pop() {
                assert_is_whole(&piece, &rows);
                let whole = piece.len();
                match piece.split() {
                    Ok((left, right)) => {
                        prop_assert_eq!(left.len() + right.len(), whole);
                        prop_assert!(left.len().abs_diff(right.len()) <= 1);
                        pieces.extend([right, left]);
                    }
                    Err(tag) => seen.push(tag),
                }
            }
            prop_assert_eq!(seen, (0..rows.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_batch_may_be_exactly_as_long_as_the_limit() {
        let rows = [row(10), row(10)];
        let exact = 1 + 10 + 1 + 10 + 1;
        assert_eq!(pack(Limits { batch: exact, single: exact }, &rows).0.len(), 1);
        assert_eq!(pack(Limits { batch: exact - 1, single: exact }, &rows).0.len(), 2);
    }

    #[test]
    fn a_row_over_the_batch_limit_goes_alone_up_to_the_row_limit() {
        let limits = Limits { batch: 20, single: 30 };
        let (batches, refused) = pack(limits, &[row(5), row(28), row(5), row(29)]);
        assert_eq!(batches.iter().map(Batch::len).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(refused, [3]);
        let error = Packer::new(limits).push(&row(29), ()).unwrap_err();
        assert_eq!(error, RowTooLong { bytes: 29, limit: 28 });
    }

    #[test]
    fn memory_of_a_batch_is_used_again_once_it_is_dropped() {
        // Two rows do not fit into a batch, but into its memory, which so never has to move.
        let limits = Limits { batch: 40_000, single: 40_000 };
        let mut packer = Packer::new(limits);
        let mut next = |length| packer.push(&row(length), ()).unwrap();
        assert!(next(25_000).is_none());
        let held = next(25_001).unwrap();
        let dropped = next(25_002).unwrap();
        let address = dropped.body().as_ptr();
        drop(dropped);
        // Takes what the allocator would otherwise give.
        let other = vec![0u8; limits.batch + ROOM_FOR_A_ROW];
        assert!(next(25_003).is_some());
        let again = next(25_004).unwrap();
        assert_eq!(again.body().as_ptr(), address);
        assert_eq!(held.body().len(), 25_002);
        assert_eq!(again.body(), &array_of(&[&row(25_003)]));
        assert_eq!(other.len(), limits.batch + ROOM_FOR_A_ROW);
    }

    #[test]
    fn a_row_that_is_begun_and_not_ended_is_in_no_batch() {
        let mut packer = Packer::new(Limits { batch: 100, single: 100 });
        packer.begin_row().extend_from_slice(b"{dropped");
        assert!(packer.is_empty() && packer.finish().is_none());
        packer.push(b"{}", 1).unwrap();
        packer.begin_row().extend_from_slice(b"{dropped");
        packer.begin_row().extend_from_slice(b"{3}");
        packer.end_row(3).unwrap();
        packer.begin_row().extend_from_slice(b"{dropped");
        assert_eq!(packer.len(), 2);
        let batch = packer.finish().unwrap();
        assert_eq!(
            (batch.body().as_ref(), batch.tags()),
            (b"[{},{3}]".as_slice(), [1, 3].as_slice())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_waits_since_its_first_row() {
        let mut packer = Packer::new(Limits { batch: 100, single: 100 });
        assert_eq!(packer.waiting_since(), None);
        let start = Instant::now();
        packer.push(b"{}", ()).unwrap();
        tokio::time::advance(std::time::Duration::from_secs(3)).await;
        packer.push(b"{}", ()).unwrap();
        assert_eq!(packer.waiting_since(), Some(start));
        packer.finish();
        assert_eq!(packer.waiting_since(), None);
    }
}
