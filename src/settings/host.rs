//! What the Functions host tells its handler.

use std::path::PathBuf;

use super::reader::{BadSettings, SettingsReader, Vars, quoted};

/// Where to listen, and where the app is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSettings {
    /// `FUNCTIONS_CUSTOMHANDLER_PORT`.
    pub port: u16,
    /// `FUNCTIONS_APP_ROOT_PATH`, where host.json is; the working directory where it is not set.
    pub app_root: PathBuf,
}

impl HostSettings {
    /// Reads what the host set.
    ///
    /// # Errors
    /// Where the program was not started by a host.
    pub fn read(vars: &Vars) -> Result<HostSettings, BadSettings> {
        let mut reader = SettingsReader::new(vars);
        let name = "FUNCTIONS_CUSTOMHANDLER_PORT";
        let expected = "the port that the Functions host chose; `func start` sets it";
        let port = match reader.required(name, expected) {
            Some(text) => {
                let port = text.parse().ok().filter(|port| *port > 0);
                if port.is_none() {
                    reader.invalid(name, quoted(text), expected);
                }
                port
            }
            None => None,
        };
        let app_root = reader.text("FUNCTIONS_APP_ROOT_PATH").unwrap_or(".").into();
        let settings = port.map(|port| HostSettings { port, app_root });
        reader.finish(settings)
    }
}
