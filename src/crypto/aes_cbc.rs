//! AES-256-CBC (NIST SP 800-38A, section 6.2) with the padding of PKCS #7 (RFC 5652, section 6.3), as chat platforms encrypt
//! their bodies.
//!
//! CBC keeps a text secret and does not authenticate it: a changed ciphertext decrypts to a changed text. A caller kind verifies
//! a signature over the ciphertext before it uses the text.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};

/// Decrypts. `pad_to` is the block length of the padding: 16 on most platforms, 32 on some.
///
/// Returns `None` if the ciphertext does not consist of whole blocks, or the padding is malformed.
pub(crate) fn decrypt(key: &[u8; 32], iv: &[u8; 16], ciphertext: &[u8], pad_to: u8) -> Option<Vec<u8>> {
    let cipher = cbc::Decryptor::<Aes256>::new(key.into(), iv.into());
    let mut plain = cipher.decrypt_padded_vec::<NoPadding>(ciphertext).ok()?;
    let padding = *plain.last()?;
    let kept = plain.len().checked_sub(usize::from(padding))?;
    let good = (1..=pad_to).contains(&padding) && plain.get(kept..)?.iter().all(|byte| *byte == padding);
    plain.truncate(kept);
    good.then_some(plain)
}

/// Encrypts, with padding to a multiple of `pad_to`.
pub(crate) fn encrypt(key: &[u8; 32], iv: &[u8; 16], plain: &[u8], pad_to: u8) -> Vec<u8> {
    let over =
        plain.len().checked_rem(usize::from(pad_to)).and_then(|over| u8::try_from(over).ok()).unwrap_or_default();
    let padding = pad_to.saturating_sub(over);
    let padded = [plain, &vec![padding; usize::from(padding)]].concat();
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into()).encrypt_padded_vec::<NoPadding>(&padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];
    const IV: [u8; 16] = [9; 16];

    #[test]
    fn decrypting_returns_the_encrypted_text() {
        for pad_to in [16, 32] {
            for length in 0..100 {
                let plain = vec![b'a'; length];
                let ciphertext = encrypt(&KEY, &IV, &plain, pad_to);
                assert_eq!(ciphertext.len() % usize::from(pad_to), 0);
                assert_eq!(decrypt(&KEY, &IV, &ciphertext, pad_to), Some(plain));
            }
        }
    }

    /// NIST SP 800-38A, F.2.6, its first block.
    #[test]
    fn published_block() {
        let hex = |text: &str| hex::decode(text).unwrap();
        let key: [u8; 32] = hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4").try_into().unwrap();
        let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let ciphertext = encrypt(&key, &iv, &hex("6bc1bee22e409f96e93d7e117393172a"), 16);
        assert_eq!(hex::encode(&ciphertext[..16]), "f58c4c04d6e5f1ba779eabfb5f7bfbd6");
    }

    #[test]
    fn malformed_padding_is_refused() {
        let padded = |tail: &[u8]| {
            let plain = [&vec![b'a'; 32 - tail.len()], tail].concat();
            // `encrypt` adds a block of padding, which is cut off again.
            let mut ciphertext = encrypt(&KEY, &IV, &plain, 16);
            ciphertext.truncate(32);
            decrypt(&KEY, &IV, &ciphertext, 16)
        };
        assert_eq!(padded(&[2, 2]), Some(vec![b'a'; 30]));
        for tail in [&[0][..], &[1, 2], &[17; 17], &[32; 32], &[255]] {
            assert_eq!(padded(tail), None, "{tail:?}");
        }
        for length in [0, 1, 15, 17] {
            assert_eq!(decrypt(&KEY, &IV, &vec![0; length], 16), None);
        }
    }
}
