//! Compression of whole batches.

use std::cell::RefCell;

use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};

/// The fastest level that compresses. A function's CPU costs more than its network to a workspace in
/// the same cloud.
const LEVEL: i32 = 1;

thread_local! {
    static ENCODER: RefCell<Encoder> = RefCell::new(Encoder::new());
}

/// A compressor, and memory for the longest gzip so far. One for each thread: fresh memory for every
/// batch costs more than the checksum.
struct Encoder {
    compressor: Compressor,
    gzip: Vec<u8>,
}

impl Encoder {
    fn new() -> Encoder {
        let level = CompressionLvl::new(LEVEL).expect("the level is one of 0 to 12");
        Encoder { compressor: Compressor::new(level), gzip: Vec::new() }
    }

    fn encode(&mut self, bytes: &[u8]) -> Bytes {
        let longest = self.compressor.gzip_compress_bound(bytes.len());
        if self.gzip.len() < longest {
            self.gzip.resize(longest, 0);
        }
        let written = self.compressor.gzip_compress(bytes, &mut self.gzip);
        let length = written.expect("there is room for the longest gzip of so many bytes");
        Bytes::copy_from_slice(&self.gzip[..length])
    }
}

/// `bytes` as gzip. A megabyte takes about two milliseconds, so this does not need a thread of its
/// own.
pub fn gzip(bytes: &[u8]) -> Bytes {
    ENCODER.with_borrow_mut(|encoder| encoder.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::gzip;

    fn unzipped(gzip: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        GzDecoder::new(gzip).read_to_end(&mut bytes).unwrap();
        bytes
    }

    proptest! {
        /// Long before short as well, so that nothing of a longer gzip is sent with a shorter one.
        #[test]
        fn what_is_unzipped_is_what_was_zipped(
            texts in prop::collection::vec(prop::collection::vec(0..9u8, 0..3_000), 1..4),
        ) {
            for text in texts {
                prop_assert_eq!(unzipped(&gzip(&text)), text);
            }
        }
    }

    #[test]
    fn rows_become_much_shorter() {
        let json = br#"[{"a":1},{"a":2}]"#.repeat(1000);
        assert!(gzip(&json).len() < json.len() / 10);
    }
}
