//! Public keys, to verify signatures with: Ed25519, ECDSA on P-256 with SHA-256, RSA PKCS#1 v1.5 with SHA-256.
//!
//! A key is read from a JWK (RFC 7517, RFC 7518 section 6, RFC 8037 section 2), from the PEM of a SubjectPublicKeyInfo
//! (RFC 7468 section 13, RFC 5280 section 4.1.2.7) or, for Ed25519, from its 32 bytes. The key decides the algorithm: what a
//! message says about its own algorithm can be compared with the key's, and selects nothing.
//!
//! Refused beyond the specifications:
//!
//! - Ed25519: keys of small order, under which a signature fits many messages, and signatures whose R is of small order
//!   (`verify_strict`, <https://docs.rs/ed25519-dalek/3.0.0/ed25519_dalek/struct.VerifyingKey.html#method.verify_strict>);
//! - RSA: a modulus under 2048 bits (RFC 7518 section 3.3) or over 4096, which costs more than a signature is worth; an
//!   exponent under 65537 (FIPS 186-5, appendix A.1.1).
//!
//! An ECDSA signature has a twin that verifies too (`s` and `n - s`), and neither RFC 7518 nor RFC 9421 forbids it: a
//! delivery ID must not be derived from the bytes of a signature.
//!
//! Not supported: other curves, RSA-PSS, certificates.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa;
use p256::ecdsa::signature::Verifier;
use rsa::pkcs8::Document;
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use rsa::{BoxedUint, Pkcs1v15Sign, pkcs1};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Whether `signature` is the Ed25519 signature of the concatenated parts under this public key. Keys of small order and
/// malleable signatures are refused (RFC 8032, section 5.1.7).
pub(crate) fn ed25519_is(key: &[u8; 32], parts: &[&[u8]], signature: &[u8; 64]) -> bool {
    PublicKey::ed25519(key).is_ok_and(|key| key.verify(&parts.concat(), signature))
}

/// The accepted sizes of an RSA modulus, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// The smallest accepted RSA exponent, which nearly all keys have.
const SMALLEST_EXPONENT: u64 = 65537;

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA on P-256 with SHA-256; a signature is `r` and `s`, 32 bytes each (RFC 7518 section 3.4).
    EcdsaP256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2).
    Rsa,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ed25519, Self::EcdsaP256, Self::Rsa];
}

/// A usable public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Key);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Ed25519(ed25519_dalek::VerifyingKey),
    EcdsaP256(ecdsa::VerifyingKey),
    Rsa(rsa::PublicKey),
}

/// Why a text is not a usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Its type or curve is not supported.
    Unsupported,
    /// It is not the PEM of a SubjectPublicKeyInfo.
    NotPem,
    /// A member of the JWK is missing or is not written as its specification says.
    Member(&'static str),
    /// It has a private half, which only its owner may have.
    Private,
    /// It is not a point of its curve, or is one of small order.
    Point,
    /// The RSA modulus is not odd, or not of 2048 to 4096 bits.
    Modulus,
    /// The RSA exponent is even, under 65537 or over 33 bits.
    Exponent,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str("it is not an Ed25519, P-256 or RSA key"),
            Self::NotPem => f.write_str("it is not a public key in PEM, `-----BEGIN PUBLIC KEY-----`"),
            Self::Member(name) => {
                write!(f, "`{name}` is missing, or is not unpadded base64url of the right length")
            }
            Self::Private => f.write_str("it has a private half, `d`, which belongs to its owner alone"),
            Self::Point => f.write_str("it is not a point of its curve, or one that proves nothing"),
            Self::Modulus => f.write_str("its RSA modulus is not an odd number of 2048 to 4096 bits"),
            Self::Exponent => f.write_str("its RSA exponent is not an odd number of 65537 or more"),
        }
    }
}

impl std::error::Error for KeyError {}

impl PublicKey {
    /// Reads a JWK by its `kty` and `crv`. Members about its use (`use`, `key_ops`, `alg`) are left to the calling function.
    ///
    /// # Errors
    ///
    /// [`KeyError::Unsupported`] if type or curve are not supported, which is no fault of the JWK; another [`KeyError`] if the
    /// JWK is malformed.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let text = |name| jwk.get(name).and_then(Value::as_str);
        let bytes = |name| {
            let text = text(name).ok_or(KeyError::Member(name))?;
            URL_SAFE_NO_PAD.decode(text).map_err(|_| KeyError::Member(name))
        };
        let coordinate = |name| <[u8; 32]>::try_from(bytes(name)?).map_err(|_| KeyError::Member(name));
        let read = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => Self::ed25519(&coordinate("x")?),
            (Some("EC"), Some("P-256")) => Self::p256(&[[4].as_slice(), &coordinate("x")?, &coordinate("y")?].concat()),
            (Some("RSA"), _) => {
                // RFC 7518 section 2 asks for the fewest bytes; some providers write the leading zero of a signed number.
                let number =
                    |name| bytes(name).map(|n| n.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>());
                Self::rsa(&number("n")?, &number("e")?)
            }
            (None, _) => Err(KeyError::Member("kty")),
            _ => Err(KeyError::Unsupported),
        };
        if read.is_ok() && jwk.contains_key("d") { Err(KeyError::Private) } else { read }
    }

    /// Reads a PEM text, `-----BEGIN PUBLIC KEY-----`.
    ///
    /// # Errors
    ///
    /// A [`KeyError`] if the text is no such PEM, or its key is unsupported or unusable.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, document) = Document::from_pem(pem.trim()).map_err(|_| KeyError::NotPem)?;
        if label != "PUBLIC KEY" {
            return Err(KeyError::NotPem);
        }
        let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes()).map_err(|_| KeyError::NotPem)?;
        if info.algorithm.oid == ed25519_dalek::pkcs8::ALGORITHM_OID {
            let key = ed25519_dalek::pkcs8::PublicKeyBytes::try_from(info).map_err(|_| KeyError::NotPem)?;
            Self::ed25519(&key.0)
        } else if info.algorithm.oid == p256::elliptic_curve::ALGORITHM_OID {
            if info.algorithm.parameters_oid() != Ok(<p256::NistP256 as p256::pkcs8::AssociatedOid>::OID) {
                return Err(KeyError::Unsupported);
            }
            Self::p256(info.subject_public_key.as_bytes().ok_or(KeyError::NotPem)?)
        } else if info.algorithm == pkcs1::ALGORITHM_ID {
            let key = info.subject_public_key.as_bytes().and_then(|key| pkcs1::RsaPublicKeyRef::from_der(key).ok());
            let key = key.ok_or(KeyError::NotPem)?;
            Self::rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
        } else {
            Err(KeyError::Unsupported)
        }
    }

    /// Reads an Ed25519 key from its 32 bytes.
    ///
    /// # Errors
    ///
    /// [`KeyError::Point`] if the bytes are not a point of the curve, or are one of small order.
    pub fn ed25519(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        match ed25519_dalek::VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() => Ok(Self(Key::Ed25519(key))),
            _ => Err(KeyError::Point),
        }
    }

    /// Reads SEC 1's octets; the library refuses points that are not on the curve.
    fn p256(octets: &[u8]) -> Result<Self, KeyError> {
        ecdsa::VerifyingKey::from_sec1_bytes(octets).map(|key| Self(Key::EcdsaP256(key))).map_err(|_| KeyError::Point)
    }

    fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        // Sizes first: an outside number must not make the arithmetic below expensive.
        if modulus.len().saturating_mul(8) > *RSA_BITS.end() {
            return Err(KeyError::Modulus);
        }
        let exponent = match exponent {
            [] => return Err(KeyError::Exponent),
            bytes if bytes.len() > 8 => return Err(KeyError::Exponent),
            bytes => bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte)),
        };
        if exponent < SMALLEST_EXPONENT {
            return Err(KeyError::Exponent);
        }
        let modulus = BoxedUint::from_be_slice_vartime(modulus);
        rsa::PublicKey::new_with_size_limits(modulus, BoxedUint::from(exponent), RSA_BITS)
            .map(|key| Self(Key::Rsa(key)))
            .map_err(|error| match error {
                rsa::Error::InvalidExponent | rsa::Error::PublicExponentTooLarge => KeyError::Exponent,
                _ => KeyError::Modulus,
            })
    }

    /// The algorithm that this key verifies.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Key::Ed25519(_) => Algorithm::Ed25519,
            Key::EcdsaP256(_) => Algorithm::EcdsaP256,
            Key::Rsa(_) => Algorithm::Rsa,
        }
    }

    /// Whether `signature` was made for exactly this message with the private half of this key.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Key::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            // `r` and `s`, not DER: JOSE and RFC 9421 both say so.
            Key::EcdsaP256(key) => {
                ecdsa::Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
            Key::Rsa(key) => key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(message), signature).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ED25519: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn jwk(value: &Value) -> Result<PublicKey, KeyError> {
        PublicKey::from_jwk(value.as_object().unwrap())
    }

    fn vectors() -> Vec<Value> {
        let file: Value = serde_json::from_str(include_str!("../../tests/fixtures/vectors/callers.json")).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    /// See `tests/fixtures/vectors`: Wycheproof's Ed25519 and what RFC 9421 signs with a public key.
    #[test]
    fn published_vectors() {
        use base64::engine::general_purpose::STANDARD;
        let mut ran = 0;
        for vector in vectors() {
            let (inputs, id) = (&vector["inputs"], vector["id"].as_str().unwrap());
            let text = |name: &str| inputs[name].as_str().unwrap_or_else(|| panic!("{id}: {name}"));
            let (key, message, signature) = match vector["scheme"].as_str().unwrap() {
                "ed25519-raw" => {
                    let key: [u8; 32] = hex::decode(text("public_key_hex")).unwrap().try_into().unwrap();
                    let [message, signature] =
                        ["message_hex", "signature_hex"].map(|name| hex::decode(text(name)).unwrap());
                    (PublicKey::ed25519(&key), message, signature)
                }
                "rfc9421-ed25519" => {
                    let key = jwk(&json!({"kty": "OKP", "crv": "Ed25519", "x": text("public_key_base64url")}));
                    (key, text("signature_base").into(), STANDARD.decode(vector["expected"].as_str().unwrap()).unwrap())
                }
                "rfc9421-ecdsa-p256-sha256" => {
                    let key = PublicKey::from_pem(text("public_key_pem"));
                    (key, text("signature_base").into(), STANDARD.decode(vector["expected"].as_str().unwrap()).unwrap())
                }
                _ => continue,
            };
            let key = key.unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(key.verify(&message, &signature), vector["valid"].as_bool().unwrap(), "{id}");
            if vector["valid"].as_bool().unwrap() {
                assert!(!key.verify(&[&message, b".".as_slice()].concat(), &signature), "{id}");
                assert!(!key.verify(&message, &signature[1..]), "{id}");
                assert!(!key.verify(&message, &[&signature, b"\0".as_slice()].concat()), "{id}");
            }
            ran += 1;
        }
        assert_eq!(ran, 15);
    }

    /// A key of small order: with it, the signature of all zeros but R fits every message to a lenient verifier.
    #[test]
    fn keys_that_prove_nothing() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let order_eight = hex::decode("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa").unwrap();
        for bytes in [neutral, [0; 32], order_eight.try_into().unwrap()] {
            assert_eq!(PublicKey::ed25519(&bytes), Err(KeyError::Point), "{bytes:?}");
        }
        // Not on the curve at all.
        let mut two = [0; 32];
        two[0] = 2;
        assert_eq!(PublicKey::ed25519(&two), Err(KeyError::Point));
    }

    #[test]
    fn a_jwk_has_one_spelling() {
        let ed = |x: &str| jwk(&json!({"kty": "OKP", "crv": "Ed25519", "x": x}));
        assert_eq!(ed(ED25519).unwrap().algorithm(), Algorithm::Ed25519);
        for x in [
            "",
            "AA",
            &format!("{ED25519}="),
            &format!("{ED25519}A"),
            // The last character has two bits left over.
            &ED25519.replace("URo", "URp"),
            &ED25519.replace('_', "/"),
        ] {
            assert_eq!(ed(x), Err(KeyError::Member("x")), "{x}");
        }
        let (x, y) = ("04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY", "UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw");
        let ec = |crv: &str, x: &str, y: &str| jwk(&json!({"kty": "EC", "crv": crv, "x": x, "y": y}));
        assert_eq!(ec("P-256", x, y).unwrap().algorithm(), Algorithm::EcdsaP256);
        assert_eq!(ec("P-256", y, x), Err(KeyError::Point));
        assert_eq!(ec("P-256", x, "AA"), Err(KeyError::Member("y")));
        for curve in ["P-384", "P-521", "secp256k1", "p-256", "Ed25519"] {
            assert_eq!(ec(curve, x, y), Err(KeyError::Unsupported), "{curve}");
        }
        for (value, why) in [
            (json!({}), KeyError::Member("kty")),
            (json!({"kty": 1}), KeyError::Member("kty")),
            (json!({"kty": "oct", "k": "AA"}), KeyError::Unsupported),
            (json!({"kty": "OKP", "crv": "X25519", "x": ED25519}), KeyError::Unsupported),
            (json!({"kty": "OKP", "crv": "Ed25519"}), KeyError::Member("x")),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": [ED25519]}), KeyError::Member("x")),
            (json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519, "d": ED25519}), KeyError::Private),
        ] {
            assert_eq!(jwk(&value), Err(why), "{value}");
        }
    }

    #[test]
    fn f21_rsa_keys_have_a_size_and_may_have_a_leading_zero() {
        let rsa = |n: &[u8], e: &[u8]| {
            let [n, e] = [n, e].map(|number| URL_SAFE_NO_PAD.encode(number));
            jwk(&json!({"kty": "RSA", "n": n, "e": e})).map(|key| key.algorithm())
        };
        const USUAL: &[u8] = &[1, 0, 1];
        let odd = |bytes: usize, first: u8| {
            let mut n = vec![0xff; bytes];
            n[0] = first;
            n
        };
        for (n, e, read) in [
            (odd(256, 0xff), USUAL, Ok(Algorithm::Rsa)),
            (odd(256, 0x80), USUAL, Ok(Algorithm::Rsa)),
            (odd(512, 0xff), USUAL, Ok(Algorithm::Rsa)),
            (odd(256, 0x7f), USUAL, Err(KeyError::Modulus)),
            (odd(128, 0xff), USUAL, Err(KeyError::Modulus)),
            (odd(513, 0x01), USUAL, Err(KeyError::Modulus)),
            (odd(4096, 0xff), USUAL, Err(KeyError::Modulus)),
            // The leading zero of a signed number.
            (odd(257, 0x00), USUAL, Ok(Algorithm::Rsa)),
            ([odd(255, 0xff), vec![0xfe]].concat(), USUAL, Err(KeyError::Modulus)),
            (vec![], USUAL, Err(KeyError::Modulus)),
            (odd(256, 0xff), &[3], Err(KeyError::Exponent)),
            (odd(256, 0xff), &[1], Err(KeyError::Exponent)),
            (odd(256, 0xff), &[], Err(KeyError::Exponent)),
            (odd(256, 0xff), &[1, 0, 2], Err(KeyError::Exponent)),
            (odd(256, 0xff), &[1, 0, 3], Ok(Algorithm::Rsa)),
            (odd(256, 0xff), &[0, 1, 0, 1], Ok(Algorithm::Rsa)),
            (odd(256, 0xff), &[0xff; 5], Err(KeyError::Exponent)),
            (odd(256, 0xff), &[0xff; 9], Err(KeyError::Exponent)),
        ] {
            assert_eq!(rsa(&n, e), read, "{} bytes, {e:?}", n.len());
        }
    }

    #[test]
    fn pem() {
        let case = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
        let keys = case(include_str!("../../tests/fixtures/callers/http-signature/caller.toml"));
        let variable = |name: &str| keys["variables"][name].as_str().unwrap().to_owned();
        let (ed, ec) = (variable("http_signature_secret"), variable("http_signature_p256"));
        let algorithm = |pem: &str| PublicKey::from_pem(pem).map(|key| key.algorithm());
        assert_eq!(algorithm(&ed), Ok(Algorithm::Ed25519));
        assert_eq!(algorithm(&ec), Ok(Algorithm::EcdsaP256));
        assert_eq!(algorithm(ed.trim_end()), Ok(Algorithm::Ed25519));
        let rsa_pss = "-----BEGIN PUBLIC KEY-----\nMC4wCwYJKoZIhvcNAQEKAx8AMBwCFQDxxxxxxxxxxxxxxxxxxxxxxxxxxwIDAQAB\n-----END PUBLIC KEY-----";
        for text in [
            "",
            "-----BEGIN PUBLIC KEY-----",
            keys["secret"]["private_key"].as_str().unwrap(),
            &ed.replace("PUBLIC KEY", "CERTIFICATE"),
            &ed.replace("MCowBQYDK2VwAyEA", "MCowBQYDK2VuAyEA"),
            &ed.repeat(2),
            rsa_pss,
        ] {
            assert!(PublicKey::from_pem(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_signature_is_refused(
            message in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
            signature in proptest::collection::vec(proptest::num::u8::ANY, 0..80),
        ) {
            let key = jwk(&json!({"kty": "OKP", "crv": "Ed25519", "x": ED25519})).unwrap();
            proptest::prop_assert!(!key.verify(&message, &signature));
        }

        #[test]
        fn any_text_is_no_pem(text in ".{0,100}") {
            let _ = PublicKey::from_pem(&text);
            let _ = PublicKey::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"));
        }
    }
}
