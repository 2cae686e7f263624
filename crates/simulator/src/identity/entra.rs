//! The token endpoint of Microsoft Entra, for an application's own identity (client credentials).

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use url::form_urlencoded;

use super::issuer::TokenIssuer;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An error of Entra: status, OAuth error, AADSTS number, text.
pub(super) struct EntraError(StatusCode, &'static str, u32, &'static str);

impl IntoResponse for EntraError {
    fn into_response(self) -> Response {
        let EntraError(status, error, code, text) = self;
        let body = json!({
            "error": error,
            "error_description": format!("AADSTS{code}: {text}"),
            "error_codes": [code],
        });
        (status, Json(body)).into_response()
    }
}

pub(super) async fn token(
    State(issuer): State<Arc<TokenIssuer>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, EntraError> {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    if tenant != issuer.settings.tenant_id {
        return Err(EntraError(BAD, "invalid_request", 90002, "Tenant not found"));
    }
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    if content_type != Some(b"application/x-www-form-urlencoded") {
        return Err(EntraError(BAD, "invalid_request", 900_144, "The body is not a form"));
    }
    let form: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    if field("grant_type") != "client_credentials" {
        return Err(EntraError(BAD, "unsupported_grant_type", 70003, "Unsupported grant type"));
    }
    if field("client_id") != issuer.settings.client_id {
        return Err(EntraError(BAD, "unauthorized_client", 700_016, "Application not found"));
    }
    authenticate(&issuer, &field)?;
    let audience = field("scope")
        .strip_suffix("/.default")
        .filter(|audience| audience.starts_with("https://") && !audience.contains(' '))
        .ok_or(EntraError(
            BAD,
            "invalid_scope",
            1_002_012,
            "The scope is not of the form x/.default",
        ))?;
    let (token, _) = issuer.issue(audience);
    let seconds = issuer.settings.lifetime.as_secs();
    Ok(Json(json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token,
    }))
    .into_response())
}

/// Checks the secret or the assertion of the application.
fn authenticate<'a>(
    issuer: &TokenIssuer,
    field: &impl Fn(&str) -> &'a str,
) -> Result<(), EntraError> {
    const DENIED: StatusCode = StatusCode::UNAUTHORIZED;
    let settings = &issuer.settings;
    if field("client_assertion_type") == ASSERTION_TYPE {
        if field("client_assertion") == settings.assertion.reveal() {
            return Ok(());
        }
        return Err(EntraError(DENIED, "invalid_client", 700_027, "Invalid client assertion"));
    }
    if field("client_secret") == settings.client_secret.reveal() {
        return Ok(());
    }
    Err(EntraError(DENIED, "invalid_client", 7_000_215, "Invalid client secret provided"))
}
