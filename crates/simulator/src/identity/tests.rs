use super::*;
use crate::test_util::TestClient;

const SCOPE: &[&str] = &["https://monitor.azure.com/.default"];
const AUDIENCE: &str = "https://monitor.azure.com";

struct IdentityTest {
    identity: IdentityProvider,
    client: TestClient,
}

impl IdentityTest {
    async fn new() -> IdentityTest {
        let authority = CertificateAuthority::new().unwrap();
        let identity =
            IdentityProvider::start(&authority, IdentitySettings::default()).await.unwrap();
        IdentityTest { identity, client: TestClient::trusting(authority.pem()) }
    }

    async fn managed(&self, query: &str, header: &str) -> reqwest::Response {
        let url = format!("{}?{query}", self.identity.endpoint());
        self.client.http.get(url).header("x-identity-header", header).send().await.unwrap()
    }

    async fn entra(&self, tenant: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let url = self.identity.authority_host().join(&format!("/{tenant}/oauth2/v2.0/token"));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form.iter().copied())
            .finish();
        let post = self.client.http.post(url.unwrap());
        let post = post.header("content-type", "application/x-www-form-urlencoded");
        post.body(body).send().await.unwrap()
    }
}

const GOOD: &str = "api-version=2019-08-01&resource=https%3A%2F%2Fmonitor.azure.com";

async fn json(response: reqwest::Response) -> serde_json::Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_managed_identity_token_has_its_expiry_as_text() {
    let test = IdentityTest::new().await;
    let answer = json(test.managed(GOOD, "simulated-identity-header").await).await;
    assert!(answer["expires_on"].as_str().unwrap().parse::<i64>().is_ok());
    assert_eq!(answer["resource"], AUDIENCE);
    assert!(test.identity.tokens().accepts(answer["access_token"].as_str().unwrap(), AUDIENCE));
}

#[tokio::test]
async fn the_managed_identity_endpoint_checks_its_requests() {
    let test = IdentityTest::new().await;
    let header = "simulated-identity-header";
    let stranger = format!("{GOOD}&client_id=44444444-0000-4000-8000-000000000004");
    let known = format!("{GOOD}&client_id={}", test.identity.settings().user_assigned_id);
    for (query, header, status) in [
        (GOOD, "wrong", 401),
        ("api-version=2017-09-01&resource=https%3A%2F%2Fmonitor.azure.com", header, 400),
        ("api-version=2019-08-01", header, 400),
        ("api-version=2019-08-01&resource=monitor", header, 400),
        (&stranger, header, 400),
        (&known, header, 200),
    ] {
        assert_eq!(test.managed(query, header).await.status(), status, "{query}");
    }
    assert_eq!(test.identity.counters(), IdentityCounters { requests: 6, issued: 1 });
}

#[tokio::test]
async fn entra_checks_its_requests() {
    let test = IdentityTest::new().await;
    let tenant = test.identity.settings().tenant_id.clone();
    let client = test.identity.settings().client_id.clone();
    let form = |change: (&'static str, &'static str)| {
        [
            ("grant_type", "client_credentials"),
            ("client_id", client.as_str()),
            ("client_secret", "simulated-client-secret"),
            ("scope", SCOPE[0]),
        ]
        .map(|field| if field.0 == change.0 { change } else { field })
    };
    for (change, status, error) in [
        (("grant_type", "password"), 400, "unsupported_grant_type"),
        (("client_id", "nobody"), 400, "unauthorized_client"),
        (("client_secret", "guess"), 401, "invalid_client"),
        (("scope", AUDIENCE), 400, "invalid_scope"),
    ] {
        let response = test.entra(&tenant, &form(change)).await;
        assert_eq!(response.status(), status, "{change:?}");
        assert_eq!(json(response).await["error"], error);
    }
    assert_eq!(test.entra("elsewhere", &form(("", ""))).await.status(), 400);
    assert_eq!(test.entra(&tenant, &form(("", ""))).await.status(), 200);
}

#[tokio::test]
async fn fail_next_fails_the_given_number_of_requests() {
    let test = IdentityTest::new().await;
    test.identity.fail_next(2, StatusCode::SERVICE_UNAVAILABLE);
    for status in [503, 503, 200] {
        assert_eq!(test.managed(GOOD, "simulated-identity-header").await.status(), status);
    }
}
