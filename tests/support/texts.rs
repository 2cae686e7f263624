//! The texts in the program's source that somebody may get to read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, ItemFn, ItemImpl, ItemMod, Lit, LitStr, Macro};

/// Macros that write to the log.
const LOGS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// The texts of the crate that begins at `file` (such as `src/lib.rs`), each with a file that has
/// it. Modules for tests are left out, and so is what lies in the folders `but`.
///
/// A text counts as shown to somebody if it has more than one word, wherever it stands, and
/// otherwise if it is printed right there: in an `#[error]`, in a macro that writes to the log, or
/// in an implementation of `Display`.
pub(crate) fn texts_of(root: &Path, file: &str, but: &[&str]) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut files = vec![file.to_owned()];
    while let Some(file) = files.pop() {
        if but
            .iter()
            .any(|folder| file == format!("{folder}.rs") || file.starts_with(&format!("{folder}/")))
        {
            continue;
        }
        let source = std::fs::read_to_string(root.join(&file))
            .unwrap_or_else(|error| panic!("{file} can't be read: {error}"));
        let Scan { found, modules, .. } = scan(&source);
        files.extend(modules.iter().map(|module| file_of(root, &file, module)));
        texts.extend(found.into_iter().map(|text| (text, file.clone())));
    }
    texts
}

/// Where the module that `parent` declares has its own file.
fn file_of(root: &Path, parent: &str, module: &str) -> String {
    let (folder, name) = parent.rsplit_once('/').unwrap_or(("", parent));
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        name => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    let flat = format!("{folder}/{module}.rs");
    if root.join(&flat).exists() { flat } else { format!("{folder}/{module}/mod.rs") }
}

#[derive(Default)]
struct Scan {
    found: BTreeSet<String>,
    /// Modules with files of their own.
    modules: Vec<String>,
    /// Whether what is looked at is printed as it stands.
    printed: bool,
}

fn scan(source: &str) -> Scan {
    let mut scan = Scan::default();
    let file = syn::parse_file(source).unwrap_or_else(|error| panic!("no Rust: {error}"));
    scan.visit_file(&file);
    scan
}

impl Scan {
    fn note(&mut self, literal: &str) {
        let text = shown(literal);
        let has_letters = text.chars().any(char::is_alphabetic);
        if has_letters && (self.printed || text.contains(' ')) {
            self.found.insert(text);
        }
    }

    fn within(&mut self, printed: bool, look: impl FnOnce(&mut Scan)) {
        let before = self.printed;
        self.printed |= printed;
        look(self);
        self.printed = before;
    }

    fn tokens(&mut self, tokens: &TokenStream) {
        for token in tokens.clone() {
            match token {
                TokenTree::Group(group) => self.tokens(&group.stream()),
                TokenTree::Literal(literal) => {
                    if let Lit::Str(text) = Lit::new(literal) {
                        self.note(&text.value());
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        self.note(&literal.value());
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.segments.last().map(|segment| segment.ident.to_string());
        let logs = name.is_some_and(|name| LOGS.contains(&name.as_str()));
        self.within(logs, |scan| scan.tokens(&call.tokens));
    }

    // Of attributes, documentation among them, only errors are shown.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if attribute.path().is_ident("error")
            && let Ok(list) = attribute.meta.require_list()
        {
            self.within(true, |scan| scan.tokens(&list.tokens));
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let of = item.trait_.as_ref().and_then(|(of, _)| of.segments.last());
        let displays = of.is_some_and(|name| name.ident == "Display");
        self.within(displays, |scan| visit::visit_item_impl(scan, item));
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        match &item.content {
            _ if is_for_tests(&item.attrs) => {}
            Some(_) => visit::visit_item_mod(self, item),
            None => self.modules.push(item.ident.to_string()),
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }
}

/// Whether `#[cfg(...)]` names `test`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    fn names_test(tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(name) => name == "test",
            TokenTree::Group(group) => names_test(group.stream()),
            TokenTree::Literal(_) | TokenTree::Punct(_) => false,
        })
    }
    let mut conditions = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.any(|it| it.meta.require_list().is_ok_and(|it| names_test(it.tokens.clone())))
}

/// A text as a page shows it: `…` for each part that differs, all on one line, and no backticks.
fn shown(literal: &str) -> String {
    let mut shown = String::new();
    let mut characters = literal.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '{' | '}' if characters.next_if_eq(&character).is_some() => shown.push(character),
            '{' => {
                while characters.next().is_some_and(|character| character != '}') {}
                if !shown.ends_with('…') {
                    shown.push('…');
                }
            }
            '`' => {}
            character => shown.push(character),
        }
    }
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_shown_to_somebody_is_found() {
    let source = r##"
//! no documentation
mod other;
#[cfg(all(test, unix))]
mod tests;
/// no documentation
#[derive(thiserror::Error)]
enum Fault {
    #[error("broken: {0}{}", end(*.1))]
    Broken(String),
    #[error(transparent)]
    Other(#[from] Inner),
}
const TEXT: &str = "two words, \
                    and more";
const NAME: &str = "name";
impl Display for Fault {
    fn fmt(&self) { write!(f, "one {{}}"); f.write_str("quiet") }
}
fn f() {
    tracing::warn!(%error, name = "field", "shown");
    let _ = format!("a `{name}`\n{other:>9}b {}{}", vec!["in a macro".to_owned()]);
    let _ = (format!("{a} {b}"), format!("path/{a}"), b"no text", 'c', tracing::info_span!("span"));
}
#[cfg(test)]
fn g() { let _ = "only for tests"; }
#[cfg(test)]
mod inline { const TEXT: &str = "only for tests"; }
"##;
    let Scan { found, modules, .. } = scan(source);
    let expected = [
        "a … …b …",
        "broken: …",
        "field",
        "in a macro",
        "one {}",
        "quiet",
        "shown",
        "two words, and more",
    ];
    assert_eq!(found, BTreeSet::from(expected.map(str::to_owned)));
    assert_eq!(modules, ["other"]);
}
