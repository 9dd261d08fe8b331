//! Signatures, tokens and encryption. Everything here is a pure function of its arguments, and every algorithm is a library's.
//!
//! Nothing here reads a clock, a variable or a request; keys, times and random numbers are arguments.

pub mod aes_cbc;
pub mod aes_gcm;
pub mod jwks;
pub mod jwt;
pub(crate) mod key_text;
pub mod mac;
pub mod public_key;
pub mod sdk_hmac;
pub mod seal;
pub(crate) mod unique_json;
