//! Secrets that the operator chooses and not the platform, made of the operating system's random bytes.

use anyhow::{Context, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use starrocks_offboard::secret::Secret;

/// A source of random bytes: fills the slice.
pub type Random<'r> = &'r mut dyn FnMut(&mut [u8]) -> anyhow::Result<()>;

/// Fills the slice with random bytes of the operating system.
///
/// # Errors
///
/// If the operating system has none.
pub fn operating_system(bytes: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(bytes)
        .map_err(|error| anyhow!("{error}"))
        .context("the operating system gives no random bytes; no secret was made")
}

/// The form of a secret that is made here. Every form has at least 95 random bits, and no character that means anything in single
/// quotes of a shell or in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretForm {
    /// 64 hexadecimal digits.
    Hex,
    /// The base64 of 32 bytes.
    Base64,
    /// `Bearer ` and the base64 of 32 bytes: a whole `Authorization` header.
    BearerHeader,
    /// `whsec_` and the base64 of 32 bytes, as Standard Webhooks writes keys.
    Whsec,
    /// 16 letters and digits, which is what Huawei OneAccess takes.
    Letters,
}

impl SecretForm {
    /// Makes a secret.
    ///
    /// # Errors
    ///
    /// If `random` fails.
    pub fn make(self, random: Random<'_>) -> anyhow::Result<Secret> {
        let made = match self {
            Self::Hex => hex::encode(key(random)?),
            Self::Base64 => STANDARD.encode(key(random)?),
            Self::BearerHeader => format!("Bearer {}", STANDARD.encode(key(random)?)),
            Self::Whsec => format!("whsec_{}", STANDARD.encode(key(random)?)),
            Self::Letters => letters(random)?,
        };
        Secret::new(made).context("no secret was made")
    }
}

/// Draws a key of 256 bits.
fn key(random: Random<'_>) -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    random(&mut key)?;
    Ok(key)
}

/// Draws 16 letters and digits, each as likely as any other.
fn letters(random: Random<'_>) -> anyhow::Result<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    // The largest multiple of 62 in a byte: what is above it would make the first letters likelier.
    const FAIR: u8 = 248;
    let mut drawn = String::new();
    while drawn.len() < 16 {
        let mut byte = [0];
        random(&mut byte)?;
        let [byte] = byte;
        if byte < FAIR {
            drawn.push(char::from(ALPHABET[usize::from(byte) % ALPHABET.len()]));
        }
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up from `first`, one byte after the other.
    fn counting(first: u8) -> impl FnMut(&mut [u8]) -> anyhow::Result<()> {
        let mut next = first;
        move |bytes| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(1);
            }
            Ok(())
        }
    }

    #[test]
    fn each_form_is_made_of_the_random_bytes() {
        let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        for (form, expected) in [
            (SecretForm::Hex, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".to_owned()),
            (SecretForm::Base64, base64.to_owned()),
            (SecretForm::BearerHeader, format!("Bearer {base64}")),
            (SecretForm::Whsec, format!("whsec_{base64}")),
            (SecretForm::Letters, "ABCDEFGHIJKLMNOP".to_owned()),
        ] {
            assert_eq!(form.make(&mut counting(0)).unwrap().expose(), expected, "{form:?}");
        }
    }

    /// 248 to 255 are not drawn: the alphabet begins anew after 0.
    #[test]
    fn no_letter_is_likelier_than_another() {
        assert_eq!(SecretForm::Letters.make(&mut counting(246)).unwrap().expose(), "89ABCDEFGHIJKLMN");
    }

    #[test]
    fn two_secrets_of_the_operating_system_differ() {
        for form in [SecretForm::Hex, SecretForm::Letters] {
            let [one, other] = [(), ()].map(|()| form.make(&mut operating_system).unwrap());
            assert_ne!(one.expose(), other.expose());
        }
    }

    #[test]
    fn no_secret_is_made_without_random_bytes() {
        let mut none = |_: &mut [u8]| -> anyhow::Result<()> { Err(anyhow!("none")) };
        assert_eq!(SecretForm::Hex.make(&mut none).unwrap_err().to_string(), "none");
        assert_eq!(SecretForm::Letters.make(&mut none).unwrap_err().to_string(), "none");
    }
}
