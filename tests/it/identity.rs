//! The official credentials against the simulated token services.

use proofpoint_sentinel::net::Net;
use proofpoint_sentinel::settings::{AzureIdentity, Cloud, Credential};
use proofpoint_sentinel_simulator::certificates::CertificateAuthority;
use proofpoint_sentinel_simulator::identity::{IdentityProvider, IdentitySettings};

#[tokio::test]
async fn the_official_credentials_get_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let authority = CertificateAuthority::new().unwrap();
    let pem = directory.path().join("ca.pem");
    authority.write_pem(&pem).unwrap();
    let net = Net::new(Some(&pem)).unwrap();
    let identity = IdentityProvider::start(&authority, IdentitySettings::default()).await.unwrap();
    let settings = identity.settings();
    let token_file = directory.path().join("assertion");
    std::fs::write(&token_file, settings.assertion.reveal()).unwrap();

    let credentials = [
        Credential::ClientSecret {
            tenant_id: settings.tenant_id.clone(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
        },
        Credential::WorkloadIdentity {
            tenant_id: settings.tenant_id.clone(),
            client_id: settings.client_id.clone(),
            token_file,
        },
    ];
    for credential in credentials {
        let authority_host = Some(identity.authority_host());
        let azure = AzureIdentity { credential, cloud: Cloud::Public, authority_host };
        let credential = azure.credential(&net).unwrap();
        let token =
            credential.get_token(&["https://monitor.azure.com/.default"], None).await.unwrap();
        assert!(identity.tokens().accepts(token.token.secret(), "https://monitor.azure.com"));
    }
}
