use super::*;
use crate::test_util::TestClient;

const SCOPE: &[&str] = &["https://monitor.azure.com/.default"];
const AUDIENCE: &str = "https://monitor.azure.com";

struct Scene {
    identity: Identity,
    client: TestClient,
}

impl Scene {
    async fn new() -> Scene {
        let authority = Authority::new().unwrap();
        let identity = Identity::start(&authority, IdentitySettings::default()).await.unwrap();
        Scene { identity, client: TestClient::trusting(authority.pem()) }
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
async fn the_managed_identity_gets_a_token_with_its_expiry_as_text() {
    let scene = Scene::new().await;
    let answer = json(scene.managed(GOOD, "simulated-identity-header").await).await;
    assert!(answer["expires_on"].as_str().unwrap().parse::<i64>().is_ok());
    assert_eq!(answer["resource"], AUDIENCE);
    assert!(scene.identity.tokens().admits(answer["access_token"].as_str().unwrap(), AUDIENCE));
}

#[tokio::test]
async fn the_managed_identity_endpoint_checks_what_it_is_asked() {
    let scene = Scene::new().await;
    let header = "simulated-identity-header";
    let stranger = format!("{GOOD}&client_id=44444444-0000-4000-8000-000000000004");
    let known = format!("{GOOD}&client_id={}", scene.identity.settings().user_assigned_id);
    for (query, header, status) in [
        (GOOD, "wrong", 401),
        ("api-version=2017-09-01&resource=https%3A%2F%2Fmonitor.azure.com", header, 400),
        ("api-version=2019-08-01", header, 400),
        ("api-version=2019-08-01&resource=monitor", header, 400),
        (&stranger, header, 400),
        (&known, header, 200),
    ] {
        assert_eq!(scene.managed(query, header).await.status(), status, "{query}");
    }
    assert_eq!(scene.identity.counters(), IdentityCounters { requests: 6, issued: 1 });
}

#[tokio::test]
async fn entra_checks_what_it_is_asked() {
    let scene = Scene::new().await;
    let tenant = scene.identity.settings().tenant_id.clone();
    let client = scene.identity.settings().client_id.clone();
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
        let response = scene.entra(&tenant, &form(change)).await;
        assert_eq!(response.status(), status, "{change:?}");
        assert_eq!(json(response).await["error"], error);
    }
    assert_eq!(scene.entra("elsewhere", &form(("", ""))).await.status(), 400);
    assert_eq!(scene.entra(&tenant, &form(("", ""))).await.status(), 200);
}

#[tokio::test]
async fn failures_come_as_often_as_they_were_asked_for() {
    let scene = Scene::new().await;
    scene.identity.fail_next(2, StatusCode::SERVICE_UNAVAILABLE);
    for status in [503, 503, 200] {
        assert_eq!(scene.managed(GOOD, "simulated-identity-header").await.status(), status);
    }
}
