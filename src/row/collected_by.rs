//! How an event was collected, as the row says it.

/// The value of the column `CollectedBy`.
///
/// Analytic rules treat all alike except `Backfill`: an operator chose those hours, which may be long
/// past, while the others are news, however late an outage made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CollectedBy {
    /// The live stream.
    Live,
    /// A run of the Function App, from the archive.
    Archive,
    /// The command `collect`.
    Backfill,
    /// The command `deadletter resend`.
    Resend,
}

impl CollectedBy {
    /// All values.
    pub const ALL: [CollectedBy; 4] =
        [CollectedBy::Live, CollectedBy::Archive, CollectedBy::Backfill, CollectedBy::Resend];

    /// The value in a row.
    pub const fn as_str(self) -> &'static str {
        match self {
            CollectedBy::Live => "live",
            CollectedBy::Archive => "archive",
            CollectedBy::Backfill => "backfill",
            CollectedBy::Resend => "resend",
        }
    }
}
