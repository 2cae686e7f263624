//! Dead letters in storage: put, listed, read and deleted by their names.

use std::fmt;
use std::str::FromStr;

use proofpoint_sentinel_core::feed::Feed;

use super::dead_letter::{DeadLetter, DeadLetterReason, NotADeadLetter, StoredDeadLetter};
use super::error::StateError;
use super::object::Condition;
use super::store::State;
use crate::error_code;

const FOLDER: &str = "dead-letters/";

/// How many hexadecimal digits of the event's hash are in the name.
const HASH_DIGITS: usize = 32;

/// The name of a dead letter, `dead-letters/<reason>/<feed>/<hash>.json`. In storage it can name
/// nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadLetterName {
    text: String,
    reason: DeadLetterReason,
    feed: Feed,
}

impl DeadLetterName {
    /// Why the event could not be delivered.
    pub fn reason(&self) -> DeadLetterReason {
        self.reason
    }

    /// Where the event came from.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }
}

impl fmt::Display for DeadLetterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text can't be a dead letter's name.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not the name of a dead letter, which is written \
     dead-letters/<reason>/<feed>/<32 hexadecimal digits>.json"
)]
pub struct NotADeadLetterName(String);

impl FromStr for DeadLetterName {
    type Err = NotADeadLetterName;

    fn from_str(text: &str) -> Result<DeadLetterName, NotADeadLetterName> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let parsed = || {
            let (reason, rest) = text.strip_prefix(FOLDER)?.split_once('/')?;
            let (feed, file) = rest.split_once('/')?;
            let hash = file.strip_suffix(".json")?;
            let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(is_digit);
            let (reason, feed) = (reason.parse().ok()?, feed.parse().ok()?);
            is_hash.then(|| DeadLetterName { text: text.to_owned(), reason, feed })
        };
        parsed().ok_or_else(|| NotADeadLetterName(text.to_owned()))
    }
}

impl State {
    /// Keeps an event that can't be delivered, and tells under which name. The same event put
    /// again replaces itself.
    pub async fn put_dead_letter(&self, letter: &DeadLetter<'_>) -> Result<String, StateError> {
        let name = letter.name();
        self.objects.put(&name, letter.encode().into(), Condition::Any).await?;
        Ok(name)
    }

    /// The names of all dead letters, by reason and feed. Whatever else lies among them is told
    /// in the log and left alone.
    pub async fn list_dead_letters(&self) -> Result<Vec<DeadLetterName>, StateError> {
        let names = self.objects.list(FOLDER).await?;
        let parsed = names.iter().filter_map(|name| match name.parse() {
            Ok(name) => Some(name),
            Err(_) => {
                tracing::warn!(code = %error_code::STRANGER_AMONG_DEAD_LETTERS, name, "an object among the dead letters is not a dead letter");
                None
            }
        });
        Ok(parsed.collect())
    }

    /// Reads a dead letter; `None` where there is none of that name.
    ///
    /// # Errors
    /// [`StateError::DeadLetter`] where what is stored is damaged, or belongs under another name.
    pub async fn read_dead_letter(
        &self,
        name: &DeadLetterName,
    ) -> Result<Option<StoredDeadLetter>, StateError> {
        let Some((bytes, _)) = self.objects.get(&name.text).await? else { return Ok(None) };
        match DeadLetter::parse(&bytes) {
            Ok(letter) if belongs(name, &letter) => Ok(Some(letter)),
            Ok(_) => Err(damaged(name, NotADeadLetter::Name)),
            Err(reason) => Err(damaged(name, reason)),
        }
    }

    /// Deletes a dead letter. It is fine where there is none.
    pub async fn delete_dead_letter(&self, name: &DeadLetterName) -> Result<(), StateError> {
        self.objects.delete(&name.text).await
    }
}

fn belongs(name: &DeadLetterName, letter: &StoredDeadLetter) -> bool {
    let StoredDeadLetter { reason, detail, event, at, .. } = letter;
    let again = DeadLetter { reason: *reason, feed: &name.feed, detail, event, at: *at };
    letter.feed == name.feed.to_string() && again.name() == name.text
}

fn damaged(name: &DeadLetterName, reason: NotADeadLetter) -> StateError {
    StateError::DeadLetter { name: name.text.clone(), reason }
}

#[cfg(test)]
mod tests;
