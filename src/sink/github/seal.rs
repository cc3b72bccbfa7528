//! The box that a secret is sealed in, which only GitHub can open: libsodium's `crypto_box_seal`, that is X25519, BLAKE2b and
//! XSalsa20-Poly1305.

#[cfg(feature = "github-actions")]
pub(super) use self::built_in::seal;

/// Whether this program has what seals.
pub(super) const IS_BUILT_IN: bool = cfg!(feature = "github-actions");

#[cfg(not(feature = "github-actions"))]
pub(super) fn seal(_: [u8; 32], _: &[u8]) -> Option<Vec<u8>> {
    None
}

#[cfg(feature = "github-actions")]
mod built_in {
    use crypto_box::PublicKey;
    use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};

    /// Seals a payload for whoever has the other half of the key. `None`: there is no randomness.
    pub(in super::super) fn seal(key: [u8; 32], payload: &[u8]) -> Option<Vec<u8>> {
        let mut system = System { failed: false };
        let sealed = PublicKey::from(key).seal(&mut system, payload).ok()?;
        (!system.failed).then_some(sealed)
    }

    /// The system's source of randomness, as the library asks for it: it may not fail there, so that is remembered here.
    struct System {
        failed: bool,
    }

    impl RngCore for System {
        fn next_u32(&mut self) -> u32 {
            let mut bytes = [0; 4];
            self.fill_bytes(&mut bytes);
            u32::from_le_bytes(bytes)
        }

        fn next_u64(&mut self) -> u64 {
            let mut bytes = [0; 8];
            self.fill_bytes(&mut bytes);
            u64::from_le_bytes(bytes)
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            self.failed |= getrandom::fill(bytes).is_err();
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
            self.fill_bytes(bytes);
            Ok(())
        }
    }

    impl CryptoRng for System {}
}
