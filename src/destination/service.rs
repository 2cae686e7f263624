//! The two services that take rows, as the client sees them.

use bytes::Bytes;
use hyper::http::Request;
use jiff::Timestamp;
use proofpoint_sentinel_core::tables::Table;
use tokio::time::Instant;

use super::answer::Answer;
use super::batch::Limits;
use super::data_collector::{self, request::DataCollector};
use super::error::TokenError;
use super::logs_ingestion::{self, request::LogsIngestion, request::compressed, token::Token};
use super::verdict::{RowRefusal, Verdict};

/// The service that takes the rows.
pub(super) enum Service {
    LogsIngestion(LogsIngestion),
    DataCollector(DataCollector),
}

impl Service {
    /// How long its batches may be.
    pub(super) fn limits(&self) -> Limits {
        match self {
            Service::LogsIngestion(_) => logs_ingestion::config::LIMITS,
            Service::DataCollector(_) => data_collector::config::LIMITS,
        }
    }

    /// The bytes that are sent for a batch.
    pub(super) fn encode(&self, json: &Bytes) -> Result<Bytes, RowRefusal> {
        match self {
            Service::LogsIngestion(_) => compressed(json),
            Service::DataCollector(_) => Ok(json.clone()),
        }
    }

    /// Makes sure that there is a token, if the service has tokens.
    pub(super) async fn prepare(&self, deadline: Instant) -> Result<(), TokenError> {
        match self {
            Service::LogsIngestion(service) => service.tokens.token(deadline).await.map(drop),
            Service::DataCollector(_) => Ok(()),
        }
    }

    /// A request that posts `body`, rows of `table`, and the token in it where there is one. Every
    /// try needs a request of its own.
    pub(super) async fn request(
        &self,
        table: &'static Table,
        body: Bytes,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<(Request<Bytes>, Option<Token>), TokenError> {
        match self {
            Service::LogsIngestion(service) => {
                let token = service.tokens.token(deadline).await?;
                let request = service
                    .request(table, body, &token.text)
                    .map_err(|_| service.tokens.unusable())?;
                Ok((request, Some(token)))
            }
            Service::DataCollector(service) => Ok((service.request(table, body, now), None)),
        }
    }

    /// What to do after `answer` to a post of rows of `table`.
    pub(super) fn classify(&self, table: &'static Table, answer: Answer) -> Verdict {
        match self {
            Service::LogsIngestion(_) => logs_ingestion::classify::classify(table, answer),
            Service::DataCollector(_) => data_collector::classify::classify(table, answer),
        }
    }

    /// Makes sure that the next request carries another token than `refused`. Says whether this
    /// service has tokens at all.
    pub(super) fn renew_token(&self, refused: Option<&Token>) -> Result<bool, TokenError> {
        match (self, refused) {
            (Service::LogsIngestion(service), Some(refused)) => {
                service.tokens.renew(refused).map(|()| true)
            }
            _ => Ok(false),
        }
    }
}
