//! The resources and settings that azuredeploy.json deploys, as the platform resolves them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use proofpoint_sentinel::settings::Vars;
use serde_json::Value;

const CONFIG: &str = "Microsoft.Web/sites/config";
const CONTAINER: &str = "Microsoft.Storage/storageAccounts/blobServices/containers";
const SECRET: &str = "Microsoft.KeyVault/vaults/secrets";
const STORAGE_ACCOUNT: &str = "Microsoft.Storage/storageAccounts";

/// The resources of a deployment.
pub(crate) struct Deployed(Vec<Value>);

impl Deployed {
    /// The template, evaluated with `parameters`.
    pub(crate) fn with(parameters: &Value) -> Deployed {
        let template = evaluate(&["-"], parameters);
        let resources = template["resources"].as_array().expect("it has resources");
        Deployed(resources.clone())
    }

    /// The Function App's settings, as the template sets them.
    pub(crate) fn settings(&self) -> Vars {
        let config = self.of_type(CONFIG).next().expect("the app has settings");
        vars(&config["properties"])
    }

    /// The Function App's settings, as the platform hands them to the Functions host: references to
    /// secrets replaced by what the vault holds.
    pub(crate) fn environment(&self) -> Vars {
        let resolved = |(name, value): (String, String)| {
            let secret = secret_uri(&value).map(|uri| self.secret(uri));
            (name, secret.unwrap_or(value))
        };
        self.settings().into_iter().map(resolved).collect()
    }

    /// The values of all secrets.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.of_type(SECRET).map(|secret| text(&secret["properties"]["value"])).collect()
    }

    pub(crate) fn storage_account(&self) -> String {
        text(&self.of_type(STORAGE_ACCOUNT).next().expect("there is one")["name"])
    }

    /// The containers that the deployment makes.
    pub(crate) fn containers(&self) -> Vec<String> {
        let names = self.of_type(CONTAINER).map(|container| text(&container["name"]));
        let last = |name: String| name.rsplit('/').next().map(str::to_owned);
        names.map(|name| last(name).expect("a name is not empty")).collect()
    }

    fn secret(&self, uri: &str) -> String {
        let address = |secret: &&Value| {
            let name = text(&secret["name"]);
            let (vault, name) = name.split_once('/').expect("a secret is in a vault");
            format!("https://{vault}.vault.azure.net/secrets/{name}") == uri
        };
        let secret = self.of_type(SECRET).find(address);
        let secret = secret.unwrap_or_else(|| panic!("the deployment has no secret {uri}"));
        text(&secret["properties"]["value"])
    }

    fn of_type(&self, wanted: &'static str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |resource| resource["type"] == wanted)
    }
}

/// All deployments of the template's own tests.
pub(crate) fn all() -> Vec<Value> {
    match evaluate(&["--all"], &Value::Null) {
        Value::Array(all) => all,
        other => panic!("no list: {other}"),
    }
}

/// A JSON object of strings as settings.
#[track_caller]
pub(crate) fn vars(object: &Value) -> Vars {
    let members = object.as_object().expect("settings are an object");
    members.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn evaluate(arguments: &[&str], input: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/template/evaluate.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node can be run");
    let mut stdin = node.stdin.take().expect("it is piped");
    stdin.write_all(input.to_string().as_bytes()).expect("it reads its input");
    drop(stdin);
    let output = node.wait_with_output().expect("it can be waited for");
    assert!(output.status.success(), "azuredeploy.json can't be evaluated");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// The secret's URI, if the value refers to a secret.
fn secret_uri(value: &str) -> Option<&str> {
    value.strip_prefix("@Microsoft.KeyVault(SecretUri=")?.strip_suffix(')')
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
