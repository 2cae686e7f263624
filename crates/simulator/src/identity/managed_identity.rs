//! The managed identity endpoint of App Service, protocol version 2019-08-01.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::issuer::TokenIssuer;

#[derive(Deserialize)]
pub(super) struct TokenRequest {
    #[serde(rename = "api-version")]
    api_version: Option<String>,
    resource: Option<String>,
    client_id: Option<String>,
}

/// Without `client_id`, the request is for the system-assigned identity, which always exists.
pub(super) async fn token(
    State(issuer): State<Arc<TokenIssuer>>,
    headers: HeaderMap,
    Query(request): Query<TokenRequest>,
) -> Response {
    let header = headers.get("x-identity-header").map(|value| value.as_bytes());
    if header != Some(issuer.settings.identity_header.reveal().as_bytes()) {
        return refused(StatusCode::UNAUTHORIZED, "X-IDENTITY-HEADER is missing or wrong");
    }
    if request.api_version.as_deref() != Some("2019-08-01") {
        return refused(StatusCode::BAD_REQUEST, "api-version must be 2019-08-01");
    }
    let Some(resource) = request.resource.filter(|resource| resource.starts_with("https://"))
    else {
        return refused(StatusCode::BAD_REQUEST, "resource is missing or no URI");
    };
    if request.client_id.as_ref().is_some_and(|id| *id != issuer.settings.user_assigned_id) {
        return refused(StatusCode::BAD_REQUEST, "No User Assigned IdentityProvider found");
    }
    let (token, expires) = issuer.issue(&resource);
    Json(json!({
        "access_token": token,
        "expires_on": expires.as_second().to_string(),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": request.client_id.unwrap_or_default(),
    }))
    .into_response()
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"statusCode": status.as_u16(), "message": message}))).into_response()
}
