//! Random requests, tokens and webhooks: what the vendors' own libraries in Python sign, we take and sign in the same way, and
//! what is altered we refuse as they do. Where we are stricter (or, in two rows, laxer) than they are, a table says so and
//! why; a row that no case needs any more fails the test.
//!
//! Every run has a seed of its own, which it prints; `DIFFERENTIAL_SEED` sets it, and with it every case is the same again.
//! `DIFFERENTIAL_CASES` is how many cases there are in percent of the usual number.

mod requests;
pub(crate) mod shared;
mod tokens;
mod webhooks;
