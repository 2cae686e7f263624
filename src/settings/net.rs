//! How peers are reached.

use std::path::PathBuf;

use super::proxy::{self, ProxySettings};
use super::reader::{BadSettings, SettingsReader, Vars};

/// How peers are reached, all of them.
#[derive(Clone, Debug, Default)]
pub struct NetSettings {
    /// `SSL_CERT_FILE`: roots to trust beside the system's.
    pub extra_roots: Option<PathBuf>,
    /// The proxy that connections go through.
    pub proxy: Option<ProxySettings>,
}

impl NetSettings {
    /// Reads only what concerns connections.
    ///
    /// # Errors
    /// Every one of these settings that can't be used, in one error.
    pub fn read(vars: &Vars) -> Result<NetSettings, BadSettings> {
        let mut reader = SettingsReader::new(vars);
        let net = NetSettings::read_with(&mut reader);
        reader.finish(net)
    }

    pub(super) fn read_with(reader: &mut SettingsReader<'_>) -> Option<NetSettings> {
        let extra_roots = reader.text("SSL_CERT_FILE").map(PathBuf::from);
        Some(NetSettings { extra_roots, proxy: proxy::read(reader)? })
    }
}
