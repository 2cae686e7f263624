//! A token that is already out of date when it is given is asked for once more.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;

/// A credential that asks again, once, where `inner` gives a token that is out of date. Hosts cache
/// tokens, and one was seen to give an old one. The second is taken as it is: this machine's clock
/// may be wrong, and the service that gets the token knows best.
#[derive(Debug)]
pub(super) struct Unexpired(pub(super) Arc<dyn TokenCredential>);

#[async_trait]
impl TokenCredential for Unexpired {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let token = self.0.get_token(scopes, options.clone()).await?;
        if token.expires_on > OffsetDateTime::now_utc() {
            return Ok(token);
        }
        tracing::info!(expires_on = %token.expires_on, "the token is already out of date, another one is asked for");
        self.0.get_token(scopes, options).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use azure_core::time::Duration;

    use super::*;

    /// Gives tokens with these lifetimes, in seconds, the last one again and again.
    #[derive(Debug)]
    struct Lifetimes(Mutex<Vec<i64>>);

    #[async_trait]
    impl TokenCredential for Lifetimes {
        async fn get_token(
            &self,
            _: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<AccessToken> {
            let mut lifetimes = self.0.lock().unwrap();
            let lifetime = match lifetimes.len() {
                1 => lifetimes[0],
                _ => lifetimes.remove(0),
            };
            let expires_on = OffsetDateTime::now_utc() + Duration::seconds(lifetime);
            Ok(AccessToken::new(format!("lives {lifetime} s"), expires_on))
        }
    }

    #[tokio::test]
    async fn a_token_out_of_date_is_asked_for_once_more() {
        for (lifetimes, given) in [
            (vec![3600], "lives 3600 s"),
            (vec![-60, 3600], "lives 3600 s"),
            (vec![-60, -30, 3600], "lives -30 s"),
        ] {
            let credential = Unexpired(Arc::new(Lifetimes(Mutex::new(lifetimes))));
            let token = credential.get_token(&["scope"], None).await.unwrap();
            assert_eq!(token.token.secret(), given);
        }
    }
}
