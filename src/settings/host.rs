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
    /// If the program was not started by a host.
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

/// The folder of the app, as the Functions host or the console of the Function App names it.
pub fn app_root(vars: &Vars) -> Option<PathBuf> {
    let named = ["FUNCTIONS_APP_ROOT_PATH", "AzureWebJobsScriptRoot"];
    let named = named.into_iter().find_map(|name| vars.get(name));
    let of_home = || vars.get("HOME").map(|home| PathBuf::from(home).join("site/wwwroot"));
    let here = Some(PathBuf::from("."));
    let folders = [named.map(PathBuf::from), of_home().filter(|it| it.exists()), here];
    folders.into_iter().flatten().next()
}

/// The plan on which the app runs, such as `Dynamic` for Consumption or `FlexConsumption`, where the
/// platform says so.
pub fn plan(vars: &Vars) -> Option<&str> {
    vars.get("WEBSITE_SKU").map(String::as_str).filter(|plan| !plan.is_empty())
}
