//! What the documents say of the repository, its settings and its home is true.

use std::collections::{BTreeMap, BTreeSet};

use proofpoint_sentinel::settings::{is_of_the_app, may_be_shown};
use serde_json::Value;

mod codes;

use crate::support::markdown;
use crate::support::repository::{TextFile, read, resolve, root, text_files};

/// Where the project is published: `https://github.com/<owner>/<name>`.
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// The host reads it, and takes it from this file alone.
const LOCAL_ONLY: &str = "FUNCTIONS_WORKER_RUNTIME";

/// Stands between the template's address and its form's, in an address of the portal.
const FORM: &str = "/createUIDefinitionUri/";

/// A cluster or TAP account beyond the first has these with a suffix, as in `ProofpointToken_emea`.
const SUFFIXED: [&str; 4] =
    ["ProofpointClusterID_", "ProofpointToken_", "TapServicePrincipal_", "TapSecret_"];

#[track_caller]
fn assert_none(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn links_between_documents_lead_somewhere() {
    let files = text_files();
    let documents: Vec<&TextFile> =
        files.iter().filter(|file| file.path.ends_with(".md")).collect();
    assert!(documents.iter().any(|file| file.path == "README.md"), "README.md is missing");
    let mut faults = Vec::new();
    for TextFile { path, text } in documents {
        for link in markdown::links(text) {
            let elsewhere = link.contains("://") || link.starts_with("mailto:");
            if let (false, Err(reason)) = (elsewhere, follow(path, text, &link)) {
                faults.push(format!("{path}: the link to {link} {reason}"));
            }
        }
    }
    assert_none(faults);
}

#[test]
fn the_readme_leads_to_every_page() {
    let links = markdown::links(&read("README.md"));
    let files = text_files().into_iter().map(|file| file.path);
    let pages = files.filter(|path| path.starts_with("docs/") && path.ends_with(".md"));
    let lonely = pages.filter(|page| !links.contains(page));
    assert_none(lonely.map(|page| format!("README.md has no link to {page}")).collect());
}

fn follow(from: &str, text: &str, link: &str) -> Result<(), String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    if path.is_empty() {
        return find_anchor(text, anchor);
    }
    let target = resolve(from, &path.replace("%20", " ")).ok_or("leaves the repository")?;
    if !target.exists() {
        return Err("leads to nothing".to_owned());
    }
    if anchor.is_empty() || !path.ends_with(".md") {
        return Ok(());
    }
    let text = std::fs::read_to_string(target).map_err(|error| error.to_string())?;
    find_anchor(&text, anchor)
}

fn find_anchor(text: &str, anchor: &str) -> Result<(), String> {
    match markdown::anchors(text).contains(anchor) {
        true => Ok(()),
        false => Err(format!("has no heading for #{anchor}")),
    }
}

#[test]
fn own_addresses_are_at_home_and_lead_somewhere() {
    let mut faults = Vec::new();
    for TextFile { path, text } in text_files() {
        for url in own_urls(&text) {
            match in_repository(&url) {
                Err(Homeless) => faults.push(format!("{path}: {url} is not under {HOME}")),
                Ok(Some(file)) if !root().join(&file).exists() => {
                    faults.push(format!("{path}: {url} needs a file {file}"));
                }
                Ok(_) => {}
            }
        }
    }
    assert_none(faults);
}

/// The address names this project, but at another owner or host.
#[derive(Debug, PartialEq)]
struct Homeless;

/// GitHub addresses of projects with this one's name, also where they are escaped in another.
fn own_urls(text: &str) -> Vec<String> {
    let text = text.replace("%3A", ":").replace("%2F", "/");
    let text = text.replace("%3a", ":").replace("%2f", "/");
    // The portal takes two addresses in one.
    let text = text.replace(FORM, " ");
    let ends = |c: char| c.is_whitespace() || "\"'`<>()[]{}\\|,;".contains(c);
    let urls = text.match_indices("https://").map(|(start, _)| {
        let url = text[start..].split(ends).next().unwrap_or_default();
        url.trim_end_matches(['.', ':'])
    });
    let own = urls.filter(|url| {
        let mut segments = url.split(['/', '?', '#']);
        let name = env!("CARGO_PKG_NAME");
        url.contains("github") && segments.any(|part| part.trim_end_matches(".git") == name)
    });
    own.map(str::to_owned).collect()
}

/// The file of this repository that the address points at, where it points at one.
fn in_repository(url: &str) -> Result<Option<String>, Homeless> {
    let home = HOME.strip_prefix("https://github.com").ok_or(Homeless)?;
    let raw = format!("https://raw.githubusercontent.com{home}/");
    if let Some(rest) = url.strip_prefix(&raw) {
        return Ok(file_of(rest));
    }
    let is_part = |rest: &str| rest.is_empty() || rest.starts_with(['/', '.', '?', '#']);
    if let Some(rest) = url.strip_prefix(HOME).filter(|rest| is_part(rest)) {
        let kinds = ["/blob/", "/raw/", "/tree/"];
        return Ok(kinds.iter().find_map(|kind| file_of(rest.strip_prefix(kind)?)));
    }
    // Badges and the portal have the project's home in the path of an address of theirs.
    let elsewhere = ["https://github.com/", "https://raw.githubusercontent.com/"];
    let in_path = url.split_once(home).is_some_and(|(_, rest)| is_part(rest));
    match in_path && !elsewhere.iter().any(|host| url.starts_with(host)) {
        true => Ok(None),
        false => Err(Homeless),
    }
}

/// `<branch or tag>/<path>`, with what a page adds behind it. A branch may be `refs/heads/main`.
fn file_of(rest: &str) -> Option<String> {
    let rest = rest.strip_prefix("refs/heads/").or(rest.strip_prefix("refs/tags/")).unwrap_or(rest);
    let (_, path) = rest.split_once('/')?;
    path.split(['?', '#']).next().map(|path| path.trim_end_matches('/').to_owned())
}

#[test]
fn own_addresses_are_told_from_others() {
    let name = env!("CARGO_PKG_NAME");
    let home = HOME.trim_start_matches("https://github.com");
    let raw = format!("https://raw.githubusercontent.com{home}/main/host.json");
    let escaped = raw.replace(':', "%3A").replace('/', "%2F");
    let portal = format!("https://portal.azure.com/#create/Microsoft.Template/uri/{escaped}");
    let portal = format!("{portal}{FORM}{escaped}");
    let badge = format!("https://img.shields.io/github/v/release{home}");
    let page = format!("{HOME}/blob/main/src/lib.rs#L3");
    let text = format!("[x]({page}) {HOME}.git, {HOME}/releases. [![]({badge})]({portal})");
    let found: Vec<_> = own_urls(&text).iter().map(|url| in_repository(url)).collect();
    let (file, other) = (|path: &str| Ok(Some(path.to_owned())), Ok(None));
    let host_json = || file("host.json");
    let expected =
        [file("src/lib.rs"), other, Ok(None), Ok(None), Ok(None), host_json(), host_json()];
    assert_eq!(found, expected);

    let stranger = format!("https://github.com/somebody/{name}/releases");
    assert_eq!(own_urls(&format!("see {stranger}.")), [stranger.as_str()]);
    assert_eq!(in_repository(&stranger), Err(Homeless));
    assert_eq!(in_repository(&format!("{HOME}-fork")), Err(Homeless));
    assert_eq!(own_urls("https://github.com/Azure/azurite and https://example.com"), [""; 0]);
}

#[test]
fn the_buttons_lead_to_the_template_and_its_form_in_each_cloud() {
    let home = HOME.trim_start_matches("https://github.com");
    let escaped = |file: &str| {
        let raw = format!("https://raw.githubusercontent.com{home}/main/{file}");
        raw.replace(':', "%3A").replace('/', "%2F")
    };
    let (template, form) = (escaped("azuredeploy.json"), escaped("createUiDefinition.json"));
    let mut faults = Vec::new();
    let pages = ["README.md", "docs/deploy.md"].map(|page| (page, read(page)));
    let card = "sentinel/connector/ProofpointSentinel.json";
    let json: Value = serde_json::from_str(&read(card)).expect("it is JSON");
    let mut of_card = Vec::new();
    texts_in(&json, &mut of_card);
    for (page, text) in pages.into_iter().chain([(card, of_card.join("\n"))]) {
        let links = markdown::links(&text);
        for portal in ["portal.azure.com", "portal.azure.us", "portal.azure.cn"] {
            let button =
                format!("https://{portal}/#create/Microsoft.Template/uri/{template}{FORM}{form}");
            if !links.contains(&button) {
                faults.push(format!("{page} has no link to {button}"));
            }
        }
    }
    assert_none(faults);
}

/// Every text of a JSON value.
fn texts_in<'a>(json: &'a Value, texts: &mut Vec<&'a str>) {
    match json {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts_in(value, texts)),
        Value::Object(members) => members.values().for_each(|value| texts_in(value, texts)),
        _ => {}
    }
}

#[test]
fn the_deployment_page_lists_every_parameter_and_no_other() {
    let page = "docs/deploy.md";
    let text = read(page);
    let mut listed = BTreeMap::new();
    for cells in markdown::rows(&text, "parameter") {
        let default = markdown::code(cells[2]).next();
        listed.extend(markdown::code(cells[0]).map(|name| (name, default.clone())));
    }
    let template: Value = serde_json::from_str(&read("azuredeploy.json")).expect("it is JSON");
    let parameters = template["parameters"].as_object().expect("it has parameters");
    let mut faults = Vec::new();
    for (name, parameter) in parameters {
        // Defaults that are empty or computed are told in words.
        let default = match &parameter["defaultValue"] {
            Value::String(text) if text.is_empty() || text.starts_with('[') => continue,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        if default.is_some() && listed.get(name) != Some(&default) {
            faults.push(format!("{page} does not list {name} with its default {default:?}"));
        }
    }
    for cells in markdown::rows(&text, "parameter") {
        let name = markdown::code(cells[0]).next().expect("the first cell has the name");
        let Some(values) =
            parameters.get(&name).and_then(|known| known["allowedValues"].as_array())
        else {
            continue;
        };
        let plain = |value: &Value| value.to_string().trim_matches('"').to_owned();
        if !markdown::code(cells[3]).eq(values.iter().map(plain)) {
            faults.push(format!("{page} does not list what {name} may be"));
        }
    }
    let named: BTreeSet<_> = parameters.keys().collect();
    let listed: BTreeSet<_> = listed.keys().collect();
    let differ = named.symmetric_difference(&listed);
    faults.extend(differ.map(|name| format!("{page} or the template lacks the parameter {name}")));
    assert_none(faults);
}

#[test]
fn the_deployment_page_lists_every_form_field_and_no_other() {
    let page = "docs/deploy.md";
    let text = read(page);
    let listed: BTreeSet<&str> =
        markdown::rows(&text, "field").into_iter().map(|cells| cells[0]).collect();
    let form: Value = serde_json::from_str(&read("createUiDefinition.json")).expect("it is JSON");
    let mut labels = BTreeSet::new();
    labels_in(&form["parameters"], &mut labels);
    let steps = form["parameters"]["steps"].as_array().expect("it has steps");
    let pages: BTreeSet<&str> = steps.iter().filter_map(|step| step["label"].as_str()).collect();
    let headings = markdown::anchors(&text);
    let mut faults = Vec::new();
    for label in pages.iter().filter(|label| !headings.contains(&markdown::slug(label))) {
        faults.push(format!("{page} has no heading for the form's page {label}"));
    }
    let fields: BTreeSet<&str> = labels.difference(&pages).copied().collect();
    let differ = fields.symmetric_difference(&listed);
    faults.extend(differ.map(|label| format!("{page} or the form lacks the field {label}")));
    assert_none(faults);
}

/// What stands beside the fields of a form. A password is asked for twice; the second is left out.
fn labels_in<'a>(form: &'a Value, labels: &mut BTreeSet<&'a str>) {
    match form {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("label", Value::String(label)) => drop(labels.insert(label.as_str())),
                    ("label", Value::Object(twice)) => labels.extend(twice["password"].as_str()),
                    // Choices of a field have labels of their own.
                    ("constraints" | "options", _) => {}
                    _ => labels_in(value, labels),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| labels_in(value, labels)),
        _ => {}
    }
}

#[test]
fn the_page_of_settings_lists_every_setting_and_no_other() {
    let page = "docs/settings.md";
    let listed: BTreeSet<String> = markdown::code_in_first_column(&read(page), "setting")
        .into_iter()
        .filter(|name| !is_suffixed(name))
        .collect();
    assert!(!listed.is_empty(), "{page} has no table whose first column is headed `setting`");
    let known = known_settings();
    let unlisted = known.difference(&listed).map(|name| format!("{page} does not list {name}"));
    let unread = listed.difference(&known).map(|name| format!("{page} lists {name}, unread"));
    assert_none(unlisted.chain(unread).collect());
}

/// So that a support bundle lists it, and leaves out its value unless that is known to be harmless.
#[test]
fn every_setting_is_known_to_be_one_of_the_app() {
    let unknown = known_settings().into_iter().filter(|name| !is_of_the_app(name));
    assert_none(
        unknown.map(|name| format!("src/settings/exposure.rs does not know {name}")).collect(),
    );
    for secret in
        ["ProofpointToken", "ProofpointToken_emea", "TapSecret", "WorkspaceKey", "IDENTITY_HEADER"]
    {
        assert!(!may_be_shown(secret), "{secret}");
    }
}

#[test]
fn every_fault_is_shown_by_tests_that_are_there() {
    let page = "docs/faults.md";
    let text = read(page);
    let tables = text.lines().filter(|line| line.starts_with("| fault |")).count();
    assert_eq!(tables, 3, "{page} has a table for each part");
    let mut faults = Vec::new();
    for cells in markdown::rows(&text, "fault") {
        let shown_by: Vec<String> =
            cells.get(3).map_or(vec![], |cell| markdown::code(cell).collect());
        if shown_by.is_empty() || cells.len() != 4 {
            faults.push(format!("{page}: no fourth column names a test for: {}", cells[0]));
        }
        let missing = shown_by.iter().filter(|test| !is_test(test));
        faults.extend(missing.map(|test| format!("{page}: there is no test {test}")));
    }
    assert_none(faults);
}

/// Whether a test such as `tests/it/docs.rs::a_name` is there.
fn is_test(test: &str) -> bool {
    let Some((path, name)) = test.split_once("::") else { return false };
    let source = std::fs::read_to_string(root().join(path)).unwrap_or_default();
    source.contains(&format!("fn {name}("))
}

#[test]
fn the_example_of_local_settings_has_only_settings() {
    let example = "local.settings.json.example";
    let json: Value = serde_json::from_str(&read(example)).expect("it is JSON");
    assert_eq!(json["IsEncrypted"], false, "{example}");
    let values = json["Values"].as_object().expect("its Values are an object");
    assert_eq!(values.get(LOCAL_ONLY), Some(&Value::from("custom")), "{example}");
    let known = known_settings();
    let faults = values.iter().filter_map(|(name, value)| {
        let is_known = known.contains(name) || is_suffixed(name) || name == LOCAL_ONLY;
        (!is_known || !value.is_string()).then(|| format!("{example}: {name}: {value}"))
    });
    assert_none(faults.collect());
}

fn is_suffixed(name: &str) -> bool {
    SUFFIXED.iter().any(|prefix| name.starts_with(prefix))
}

/// Settings that `src/settings` reads, and those by which the functions are bound.
fn known_settings() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for TextFile { path, text } in text_files() {
        if (path == "src/settings.rs" || path.starts_with("src/settings/"))
            && !path.ends_with("tests.rs")
            // It lists settings, and reads none.
            && !path.ends_with("exposure.rs")
        {
            names.extend(identifiers_in_quotes(&text));
        } else if path.ends_with("/function.json") {
            let function: Value = serde_json::from_str(&text).expect("it is JSON");
            let bindings = function["bindings"].as_array().expect("it has bindings");
            names.extend(bindings.iter().filter_map(|binding| {
                let schedule = binding["schedule"].as_str()?.strip_prefix('%')?;
                schedule.strip_suffix('%').map(str::to_owned)
            }));
        }
    }
    // These are set by the host and its platform, not by the operator.
    let platform = ["FUNCTIONS_", "WEBSITE_", "HOME", "AzureWebJobsScriptRoot"];
    names.retain(|name| !platform.iter().any(|prefix| name.starts_with(prefix)));
    assert!(!names.is_empty(), "no setting's name was found");
    names
}

/// Literals such as `"StateStorage"`. Values, unlike names, have no capitals there.
fn identifiers_in_quotes(source: &str) -> impl Iterator<Item = String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let parts = code.flat_map(|line| line.split('"').skip(1));
    let names = parts.filter(|part| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.bytes().any(|byte| byte.is_ascii_uppercase())
    });
    names.map(str::to_owned)
}

#[test]
fn files_name_no_package_host_and_no_folder_of_one_machine() {
    // Spelt in pieces, so that this file has none of them.
    let hosts = [
        concat!("registry.npm", "js.org"),
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("pypi", ".org"),
        concat!("files.python", "hosted.org"),
    ];
    let folders = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
    let mut faults = Vec::new();
    for TextFile { path, text } in text_files() {
        for (number, line) in text.lines().enumerate() {
            let host = hosts.iter().find(|host| line.contains(*host));
            let folder = folders.iter().find(|folder| begins_path(line, folder));
            for word in host.into_iter().chain(folder) {
                faults.push(format!("{path}:{}: {word}", number + 1));
            }
        }
    }
    assert_none(faults);
}

/// Whether an absolute path in `line` begins with `folder`.
fn begins_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"._-*})".contains(before))
    })
}
