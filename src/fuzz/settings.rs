use std::collections::BTreeSet;
use std::fmt::Debug;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::Url;

use crate::settings::{
    BadSetting, BadSettings, DestinationSettings, HostSettings, NetSettings, Settings,
    SourceSettings, StateSettings, TapSettings, Vars,
};

/// A text that stands nowhere in the input, and in no message of the program.
const CANARY: &str = "hunter2-7c0ffee";

const PROXIES: [&str; 3] = ["ProofpointProxy", "HTTPS_PROXY", "https_proxy"];

/// How many secrets of an input a canary is put into.
const MOST_SECRETS: usize = 12;

/// Settings, given as lines of `name=value`, are read the same each time. What is taken is within
/// its bounds; what is refused is named, the same by each reader of a part; and nothing of a
/// secret is ever told.
pub fn settings(lines: &[u8]) {
    let Ok(lines) = std::str::from_utf8(lines) else { return };
    if lines.contains(CANARY) {
        return;
    }
    let pairs = lines.split('\n').filter_map(|line| line.split_once('='));
    let vars: Vars = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();

    let read = Settings::read(&vars);
    assert_eq!(format!("{read:?}"), format!("{:?}", Settings::read(&vars)));
    let all = faults(&read);
    // Beside TAP, faults of the clusters do not stop a run.
    let needs_clusters = read.as_ref().map_or(true, |settings| !has_tap(settings));
    let of_clusters = faults(&SourceSettings::read(&vars));
    let parts = [
        if needs_clusters { of_clusters } else { Vec::new() },
        faults(&StateSettings::read(&vars)),
        faults(&NetSettings::read(&vars)),
    ];
    assert!(parts.iter().flatten().all(|fault| all.contains(fault)), "{all:?} {parts:?}");
    faults(&HostSettings::read(&vars));
    if let Ok(settings) = &read {
        assert!(has_tap(settings) || !settings.source.clusters.is_empty());
        source_is_sound(&settings.source);
        settings.tap.iter().for_each(tap_is_sound);
        destination_is_sound(&settings.destination);
        state_is_sound(&settings.state);
    }
    for (name, value) in vars.iter().filter(|(name, _)| holds_a_secret(name)).take(MOST_SECRETS) {
        for planted in with_canary(value) {
            nothing_is_told_of(name, &planted, &vars);
        }
    }
}

/// What an error names; nothing where there is none.
fn faults<T: Debug>(read: &Result<T, BadSettings>) -> Vec<BadSetting> {
    let Err(error) = read else { return Vec::new() };
    let message = error.to_string();
    assert!(!error.faults.is_empty(), "refused without a reason");
    for BadSetting { setting, found, expected, .. } in &error.faults {
        assert!(!expected.is_empty());
        assert!(message.contains(&format!("{setting}: found {found}, expected {expected}")));
    }
    error.faults.clone()
}

fn has_tap(settings: &Settings) -> bool {
    settings.tap.as_ref().is_some_and(|tap| !tap.accounts.is_empty())
}

fn holds_a_secret(name: &str) -> bool {
    name.starts_with("ProofpointToken")
        || name.starts_with("TapSecret")
        || ["WorkspaceKey", "AZURE_CLIENT_SECRET", "AzureWebJobsStorage", "StateStorage"]
            .contains(&name)
        || PROXIES.contains(&name)
}

/// `value` with the canary before it, behind it, and in its middle.
fn with_canary(value: &str) -> [String; 3] {
    let (start, end) = value.split_at(value.floor_char_boundary(value.len() / 2));
    [format!("{CANARY}{value}"), format!("{value}{CANARY}"), format!("{start}{CANARY}{end}")]
}

fn nothing_is_told_of(name: &str, secret: &str, vars: &Vars) {
    if name == "StateStorage" && is_plain_address(secret) {
        return;
    }
    let mut vars = vars.clone();
    vars.insert(name.to_owned(), secret.to_owned());
    match Settings::read(&vars) {
        Err(error) => assert!(!format!("{error} {error:?}").contains(CANARY), "{error}"),
        // An address is no secret, nor is a proxy's user.
        Ok(_) if name == "StateStorage" || PROXIES.contains(&name) => {}
        Ok(settings) => assert!(!format!("{settings:?}").contains(CANARY), "{settings:?}"),
    }
}

/// Whether `text` is an address in which neither a password nor a signature can stand.
fn is_plain_address(text: &str) -> bool {
    Url::parse(text.trim()).is_ok_and(|url| url.scheme() == "https")
        && !text.contains(['@', '?', '#'])
}

fn source_is_sound(source: &SourceSettings) {
    assert!(!source.event_types.is_empty());
    let ids: BTreeSet<_> = source.clusters.iter().map(|cluster| &cluster.id).collect();
    assert_eq!(ids.len(), source.clusters.len(), "a cluster is there twice");
    let types: BTreeSet<_> = source.event_types.iter().collect();
    assert_eq!(types.len(), source.event_types.len(), "an event type is there twice");
    for cluster in &source.unusable_clusters {
        assert!(!cluster.name.is_empty() && !cluster.faults.is_empty());
        assert!(cluster.id.as_ref().is_none_or(|id| !ids.contains(id)));
    }
    for cluster in &source.clusters {
        assert!(!cluster.name.is_empty() && !cluster.id.is_empty());
        assert!(!cluster.id.contains(char::is_whitespace));
        let token = cluster.token.reveal();
        assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    assert!((1..=719).contains(&source.initial_lookback_hours));
    for wait in [source.archive_delay, source.empty_hour_retry] {
        assert!(wait.as_secs() <= 86_400 && wait.as_secs().is_multiple_of(60));
    }
    assert!((1..=280).contains(&source.live_quiet.as_secs()));
    let second_read = source.second_read.map(|after| after.as_secs());
    assert!(second_read.is_none_or(|seconds| (3600..=48 * 3600).contains(&seconds)));
    is_base(&source.log_stream_uri, "wss");
    if let Some(proxy) = &source.net.proxy {
        assert!(!proxy.host.is_empty() && proxy.port > 0);
    }
}

fn tap_is_sound(tap: &TapSettings) {
    assert!(!tap.accounts.is_empty() || !tap.unusable_accounts.is_empty());
    let principals: BTreeSet<_> = tap.accounts.iter().map(|account| &account.principal).collect();
    assert_eq!(principals.len(), tap.accounts.len(), "a principal is there twice");
    for account in &tap.accounts {
        for text in [&account.principal, account.secret.reveal()] {
            assert!(!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        assert!(!account.name.is_empty() && !account.principal.contains(':'));
    }
    for account in &tap.unusable_accounts {
        assert!(!account.name.is_empty() && !account.faults.is_empty());
    }
    assert!((60..=3_600).contains(&tap.interval.as_secs()));
    assert!((1..=167).contains(&tap.initial_lookback_hours));
    is_base(&tap.base_uri, "https");
}

fn destination_is_sound(destination: &DestinationSettings) {
    match destination {
        DestinationSettings::LogsIngestion { endpoint, dcr_immutable_id, .. } => {
            is_base(endpoint, "https");
            assert_eq!(dcr_immutable_id.len(), 36);
        }
        DestinationSettings::DataCollector { workspace_id, workspace_key, uri } => {
            is_base(uri, "https");
            assert_eq!(workspace_id.len(), 36);
            assert!(BASE64_STANDARD.decode(workspace_key.reveal()).is_ok());
        }
    }
}

fn state_is_sound(state: &StateSettings) {
    let container = match state {
        StateSettings::Directory(path) => return assert!(path.is_absolute()),
        StateSettings::ConnectionString { container, .. } => container,
        StateSettings::Identity { blob_service_uri, container, .. } => {
            is_base(blob_service_uri, "https");
            container
        }
    };
    assert!((3..=63).contains(&container.len()) && !container.contains("--"));
    assert!(container.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
}

/// The address of a peer, and nothing else. Plain HTTP is for this machine alone.
fn is_base(url: &Url, scheme: &str) {
    let host = url.host_str().expect("a peer has a host");
    let is_here = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    assert!(url.scheme() == scheme || (scheme == "https" && url.scheme() == "http" && is_here));
    let bare = url.port().map_or(String::new(), |port| format!(":{port}"));
    assert_eq!(url.as_str(), format!("{}://{host}{bare}/", url.scheme()));
}
