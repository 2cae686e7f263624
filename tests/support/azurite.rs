//! Azurite as the blob service and the queue service of a test process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::Url;

/// The account that every Azurite has, and its published key.
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A running Azurite, in memory. It ends with this process, because its standard input does.
pub(crate) struct Azurite {
    /// Such as `http://127.0.0.1:43533`.
    origin: String,
    account: String,
    _child: Child,
    _stdin: ChildStdin,
}

impl Azurite {
    /// The one of this test process.
    pub(crate) fn shared() -> &'static Azurite {
        static SHARED: OnceLock<Azurite> = OnceLock::new();
        SHARED.get_or_init(|| Azurite::start(ACCOUNT, &[]))
    }

    /// The queue service of this test process.
    pub(crate) fn queues() -> &'static Azurite {
        static QUEUES: OnceLock<Azurite> = OnceLock::new();
        QUEUES.get_or_init(|| Azurite::serve("queue", ACCOUNT, &[]))
    }

    /// With one account, whose key is [`KEY`], and with more options.
    pub(crate) fn start(account: &str, options: &[&str]) -> Azurite {
        Azurite::serve("blob", account, options)
    }

    fn serve(service: &str, account: &str, options: &[&str]) -> Azurite {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/azurite");
        assert!(
            directory.join("node_modules/azurite").is_dir(),
            "Azurite is not installed. Run: npm ci --prefix tests/azurite"
        );
        let mut child = Command::new("node")
            .current_dir(&directory)
            .args(["serve.js", &format!("--{service}Host"), "127.0.0.1"])
            .args([&format!("--{service}Port"), "0"])
            .env("AZURITE_SERVICE", service)
            // Azurite 3.35 knows no service version as new as the SDK's.
            .args(["--skipApiVersionCheck", "--disableTelemetry"])
            .args(["--inMemoryPersistence", "--silent"])
            .args(options)
            .env("AZURITE_ACCOUNTS", format!("{account}:{KEY}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node can be run");
        let stdin = child.stdin.take().expect("it is piped");
        let origin = origin_from(child.stdout.take().expect("it is piped"));
        Azurite { origin, account: account.to_owned(), _child: child, _stdin: stdin }
    }

    /// Host and port, for who wants to stand in between.
    pub(crate) fn authority(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Opens everything with the account's key.
    pub(crate) fn connection_string(&self) -> String {
        connection_string(self.authority(), KEY)
    }

    /// Grants `permissions` on `resources` with a shared access signature.
    pub(crate) fn connection_string_with_sas(&self, permissions: &str, resources: &str) -> String {
        let Azurite { origin, account, .. } = self;
        let sas = signature(account, "b", permissions, resources);
        format!("BlobEndpoint={origin}/{account};SharedAccessSignature={sas}")
    }

    /// The address of a blob that allows everything, for looking and meddling from outside.
    pub(crate) fn blob(&self, container: &str, name: &str) -> Url {
        let mut url = self.container(container);
        url.path_segments_mut().expect("http has segments").push(name);
        url
    }

    /// The same for a container.
    pub(crate) fn container(&self, name: &str) -> Url {
        let Azurite { origin, account, .. } = self;
        let sas = signature(account, "b", "rwdlac", "sco");
        format!("{origin}/{account}/{name}?{sas}").parse().expect("it is an address")
    }

    /// The address of the queue service's account, with a signature that allows everything.
    pub(crate) fn queue_account(&self) -> Url {
        let Azurite { origin, account, .. } = self;
        let sas = signature(account, "q", "rwdlacup", "sco");
        format!("{origin}/{account}?{sas}").parse().expect("it is an address")
    }
}

/// A connection string for an Azurite at `authority`.
pub(crate) fn connection_string(authority: &str, key: &str) -> String {
    format!("AccountName={ACCOUNT};AccountKey={key};BlobEndpoint=http://{authority}/{ACCOUNT}")
}

/// Waits for the line that says where it listens, and keeps reading so that it never blocks.
fn origin_from(stdout: ChildStdout) -> String {
    let (found, wait) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, origin)) = line.split_once("successfully listens on ") {
                // Nobody waits any more where the wait was too long.
                let _ = found.send(origin.to_owned());
            }
        }
    });
    wait.recv_timeout(Duration::from_secs(60)).expect("Azurite starts within a minute")
}

/// An [account SAS](https://learn.microsoft.com/rest/api/storageservices/create-account-sas).
fn signature(account: &str, service: &str, permissions: &str, resources: &str) -> String {
    let (version, expiry) = ("2021-12-02", "2099-01-01T00:00:00Z");
    let text = format!(
        "{account}\n{permissions}\n{service}\n{resources}\n\n{expiry}\n\nhttps,http\n{version}\n\n"
    );
    let key = BASE64.decode(KEY).expect("the key is base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("sv", version), ("ss", service), ("srt", resources), ("sp", permissions)])
        .extend_pairs([("se", expiry), ("spr", "https,http")])
        .append_pair("sig", &BASE64.encode(mac.finalize().into_bytes()))
        .finish()
}
