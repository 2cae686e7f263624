//! The workspace: a token, and a post without rows to each table.

use std::collections::BTreeSet;

use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::tables::{Table, connector_table, table, tap_table};
use proofpoint_sentinel_core::tap_kind::TapKind;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::finding::{Finding, Mark};
use super::limit::{LIMIT, in_time};
use crate::destination::Destination;
use crate::error_code;
use crate::lease_scope::LeaseScope;
use crate::net::Net;
use crate::settings::{ConnectorTable, Credential, DestinationSettings, Settings};

pub(super) async fn check(
    settings: &Settings,
    net: &Net,
    clock: &Clock,
    tell: &mut impl FnMut(Finding),
) {
    let destination = match Destination::new(&settings.destination, net, clock.clone()) {
        Ok(destination) => destination,
        Err(error) => return tell(Finding::failed("workspace", "settings", &error)),
    };
    if let DestinationSettings::LogsIngestion { identity, .. } = &settings.destination {
        let who = who(&identity.credential);
        if let Err(reason) = destination.prepare(Instant::now() + LIMIT / 2).await {
            return tell(Finding::failed("token", who, &reason));
        }
        tell(Finding::passed("token", who, "it gets a token for the workspace"));
    }
    for table in tables(settings) {
        let scope = LeaseScope::new(&CancellationToken::new(), Instant::now() + LIMIT / 2);
        let probe = in_time(destination.probe(table, &scope)).await;
        let subject = match &settings.destination {
            DestinationSettings::LogsIngestion { .. } => format!("stream {}", table.stream),
            DestinationSettings::DataCollector { .. } => format!("table {}_CL", table.log_type),
        };
        tell(match probe {
            Ok(Ok(())) => Finding::passed("workspace", subject, "it takes a post without rows"),
            // Events go on without it.
            Ok(Err(reason)) if table == connector_table() => {
                Finding::new("workspace", subject, Mark::Attention, reason.to_string())
                    .with_code(error_code::CONNECTOR_TABLE)
            }
            Ok(Err(reason)) => Finding::failed("workspace", subject, &reason),
            Err(late) => Finding::skipped("workspace", subject, late),
        });
    }
}

/// The tables of what is read, and the connector's own.
fn tables(settings: &Settings) -> Vec<&'static Table> {
    let source = &settings.source;
    let has_clusters = !source.clusters.is_empty() || !source.unusable_clusters.is_empty();
    let types: BTreeSet<_> = source.event_types.iter().copied().filter(|_| has_clusters).collect();
    let kinds = TapKind::ALL.into_iter().filter(|_| settings.tap.is_some());
    let is_told = settings.connector_table == ConnectorTable::On;
    let own = is_told.then(connector_table);
    types.into_iter().map(table).chain(kinds.map(tap_table)).chain(own).collect()
}

/// The identity, without its secret.
fn who(credential: &Credential) -> String {
    match credential {
        Credential::ManagedIdentity { client_id: None } => "the app's managed identity".to_owned(),
        Credential::ManagedIdentity { client_id: Some(id) } => {
            format!("the managed identity {id}")
        }
        Credential::WorkloadIdentity { client_id, tenant_id, .. } => {
            format!("the workload identity {client_id} of the tenant {tenant_id}")
        }
        Credential::ClientSecret { client_id, tenant_id, .. } => {
            format!("the service principal {client_id} of the tenant {tenant_id}")
        }
    }
}
