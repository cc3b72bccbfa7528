//! Signed tokens: the form in which API keys and licence keys leave the stand-in.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::random;

/// Signs with ES384. Nothing verifies these signatures later: the stand-in recognises a token by its hash.
pub(super) struct Signer {
    key: EcdsaKeyPair,
    key_id: String,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot make or use the key that signs tokens")]
pub(super) struct SignError;

impl Signer {
    pub(super) fn new() -> Result<Self, SignError> {
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(|_| SignError)?;
        Ok(Self { key, key_id: random::uuid() })
    }

    pub(super) fn sign(&self, claims: &Value) -> Result<String, SignError> {
        let header = json!({ "alg": "ES384", "kid": self.key_id, "typ": "JWT" });
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| SignError)?;
        Ok(format!("{signed}.{}", encode(signature)))
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The `jti` of something that looks like a JWT. Unverified: whoever asks compares the whole token's hash next.
pub(super) fn id_of(token: &str) -> Option<String> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    claims.get("jti")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts_and_carries_its_id() {
        let token = Signer::new().unwrap().sign(&json!({ "jti": "abc" })).unwrap();
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(id_of(&token).as_deref(), Some("abc"));
        assert_eq!(id_of("a.b"), None);
        assert_eq!(URL_SAFE_NO_PAD.decode(token.rsplit('.').next().unwrap()).unwrap().len(), 96);
    }
}
