//! Signatures, tokens and encryption. Everything here computes with libraries; nothing is our own.

pub mod aes_cbc;
pub mod aes_gcm;
pub mod jwks;
pub mod jwt;
pub mod mac;
pub mod public_key;
pub mod sdk_hmac;
pub mod seal;
