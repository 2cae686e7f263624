//! All services that the Function App talks to, under their real names: it reaches them through the
//! company's proxy, and each has a certificate of the company's authority.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hyper::http::Request;
use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{StateSettings, Vars};
use proofpoint_sentinel::state::{Checkpoint, State};
use proofpoint_sentinel_core::clock::Clock;
use proofpoint_sentinel_core::feed::Feed;
use proofpoint_sentinel_core::secret::Secret;
use proofpoint_sentinel_simulator::certificates::CertificateAuthority as SimulatedAuthority;
use proofpoint_sentinel_simulator::identity::{IdentityProvider, IdentitySettings};
use proofpoint_sentinel_simulator::pod::{EventSource, Pod, PodCluster, PodSettings};
use proofpoint_sentinel_simulator::workspace::{Workspace, WorkspaceSettings};
use tempfile::TempDir;

use crate::deployed::company_authority::CompanyAuthority;
use crate::deployed::identity::{ManagedIdentity, TokenRequest};
use crate::deployed::template::Deployed;
use crate::deployed::tls_front::{Backend, TlsFront};
use crate::soon;
use crate::support::azurite::{Azurite, KEY};
use crate::support::http;
use crate::support::proxy::{ConnectProxy, Routes};

/// Proofpoint's Log API.
pub(crate) const LOG_API: &str = "logstream.proofpoint.com";

/// The workspace, for the Data Collector API.
pub(crate) const WORKSPACE_ID: &str = "66666666-0000-4000-8000-000000000006";
pub(crate) const WORKSPACE_KEY: &str = "a2V5IG9mIHRoZSBkZXBsb3llZCB3b3Jrc3BhY2U=";

const USER: &str = "ann";
pub(crate) const PASSWORD: &str = "hunter2/@:";
const PASSWORD_ESCAPED: &str = "hunter2%2F%40%3A";

/// The company's network, which exists before the deployment.
pub(crate) struct Company {
    authority: CompanyAuthority,
    proxy: ConnectProxy,
    routes: Routes,
}

impl Company {
    pub(crate) async fn new() -> Company {
        let routes = Routes::default();
        let proxy = ConnectProxy::with_routes(USER, PASSWORD, Some(Arc::clone(&routes))).await;
        Company { authority: CompanyAuthority::new(), proxy, routes }
    }

    /// The proxy's address, with user and password.
    pub(crate) fn proxy(&self) -> String {
        format!("http://{USER}:{PASSWORD_ESCAPED}@{}", self.proxy.address())
    }

    /// The certificate of the company's authority, as PEM.
    pub(crate) fn certificate(&self) -> &str {
        self.authority.pem()
    }
}

/// The deployed services.
pub(crate) struct Azure {
    pub workspace: Workspace,
    company: Company,
    account: String,
    azurite: Azurite,
    net: Net,
    issuer: IdentityProvider,
    identity: ManagedIdentity,
    _pod: Pod,
    _fronts: Vec<TlsFront>,
    _directory: TempDir,
}

impl Azure {
    /// `source` has the events of `clusters`. `ingestion` is the host name of the API that takes rows;
    /// `rule` is the id of the data collection rule, if one is deployed.
    pub(crate) async fn start(
        company: Company,
        deployed: &Deployed,
        clusters: Vec<PodCluster>,
        source: Arc<dyn EventSource>,
        ingestion: &str,
        rule: Option<&String>,
    ) -> Azure {
        let directory = tempfile::tempdir().unwrap();
        let simulated = SimulatedAuthority::new().unwrap();
        let issuer =
            IdentityProvider::start(&simulated, IdentitySettings::default()).await.unwrap();
        let identity = ManagedIdentity::before(issuer.endpoint()).await;
        let settings = WorkspaceSettings::new(Clock::system(), issuer.tokens().clone());
        let workspace = Workspace::start(WorkspaceSettings {
            dcr_immutable_id: rule.cloned().unwrap_or_default(),
            workspace_id: WORKSPACE_ID.to_owned(),
            workspace_key: Secret::new(WORKSPACE_KEY),
            ..settings
        });
        let workspace = workspace.await.unwrap();
        let settings = PodSettings::new(Clock::system(), clusters, source);
        let pod = Pod::start(&simulated, settings).await.unwrap();

        let account = deployed.storage_account();
        let blob_service = format!("{account}.blob.core.windows.net");
        let azurite = start_azurite(&company.authority, &account, &blob_service, directory.path());
        let simulated_pem = directory.path().join("simulated.pem");
        simulated.write_pem(&simulated_pem).unwrap();
        let trusting = Net::new(Some(&simulated_pem)).unwrap();
        let log_api = Backend::Tls(pod.uri().port().unwrap(), trusting);
        let rows = Backend::Plain(workspace.uri().parse::<url::Url>().unwrap().port().unwrap());
        let mut fronts = Vec::new();
        let mut routes: BTreeMap<String, SocketAddr> =
            [(format!("{blob_service}:443"), azurite.authority().parse().unwrap())].into();
        for (name, backend) in [(LOG_API, log_api), (ingestion, rows)] {
            let config = company.authority.certify(&[name]).server_config();
            let front = TlsFront::before(backend, config).await;
            routes.insert(format!("{name}:443"), front.address());
            fronts.push(front);
        }
        *company.routes.lock().unwrap() = routes;

        let pem = directory.path().join("company.pem");
        std::fs::write(&pem, company.certificate()).unwrap();
        let net = Net::new(Some(&pem)).unwrap();
        let azure = Azure {
            workspace,
            company,
            account,
            azurite,
            net,
            issuer,
            identity,
            _pod: pod,
            _fronts: fronts,
            _directory: directory,
        };
        for container in deployed.containers() {
            azure.make_container(&container).await;
        }
        azure
    }

    /// The settings that the platform adds for an app with an identity.
    pub(crate) fn identity_settings(&self) -> Vars {
        let header = self.issuer.settings().identity_header.reveal().to_owned();
        let endpoint = ("IDENTITY_ENDPOINT".to_owned(), self.identity.endpoint());
        [endpoint, ("IDENTITY_HEADER".to_owned(), header)].into()
    }

    /// The token requests so far.
    pub(crate) fn tokens(&self) -> BTreeSet<TokenRequest> {
        self.identity.asked()
    }

    /// The peers of the proxy's tunnels. The proxy must have refused nothing.
    pub(crate) fn peers(&self) -> BTreeSet<String> {
        let proxy = &self.company.proxy;
        assert_eq!(proxy.answers().keys().collect::<Vec<_>>(), [&200]);
        proxy.tunnels().into_keys().collect()
    }

    /// The host name of the storage account's blob service.
    pub(crate) fn blob_service(&self) -> String {
        format!("{}.blob.core.windows.net", self.account)
    }

    /// The checkpoint of a feed in a container of the storage account.
    pub(crate) async fn checkpoint(&self, container: &str, feed: &Feed) -> Option<Checkpoint> {
        let (account, authority) = (&self.account, self.azurite.authority());
        let connection_string = Secret::new(format!(
            "AccountName={account};AccountKey={KEY};BlobEndpoint=https://{authority}/{account}"
        ));
        let container = container.to_owned();
        let settings = StateSettings::ConnectionString { connection_string, container };
        let state = soon(State::open(&settings, &self.net)).await.unwrap();
        let read = soon(state.read_checkpoint(feed)).await.unwrap();
        read.map(|(checkpoint, _)| checkpoint)
    }

    /// The containers of the storage account.
    pub(crate) async fn containers(&self) -> BTreeSet<String> {
        let mut url = self.azurite.container("");
        url.query_pairs_mut().append_pair("comp", "list");
        let listed = soon(http::send(&self.net, Request::get(url.as_str()), "")).await;
        assert_eq!(listed.status(), 200);
        let xml = String::from_utf8(listed.into_body().into()).unwrap();
        let names = xml.split("<Name>").skip(1);
        names.map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect()
    }

    async fn make_container(&self, name: &str) {
        let mut url = self.azurite.container(name);
        url.query_pairs_mut().append_pair("restype", "container");
        let made = soon(http::send(&self.net, Request::put(url.as_str()), "")).await;
        assert_eq!(made.status(), 201);
    }
}

/// A blob service under its real name that accepts the tokens of identities.
fn start_azurite(
    authority: &CompanyAuthority,
    account: &str,
    name: &str,
    directory: &Path,
) -> Azurite {
    let certified = authority.certify(&[name, "127.0.0.1"]);
    let (certificate, key) = (directory.join("blob.pem"), directory.join("blob.key"));
    std::fs::write(&certificate, certified.certificate_pem).unwrap();
    std::fs::write(&key, certified.key_pem).unwrap();
    let paths = [&certificate, &key].map(|path| path.to_str().expect("it is UTF-8"));
    Azurite::start(account, &["--oauth", "basic", "--cert", paths[0], "--key", paths[1]])
}
