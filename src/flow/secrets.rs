//! The secrets of callers, read from Spin variables when a request needs them, so that a rotation needs no restart.
//!
//! White space at the ends of a variable is no part of a secret. A secret of another form than its kind's proves nothing; the log
//! names its variable, never its text, and `/healthz` counts it.

use crate::callers;
use crate::callers::kind::CallerKind;
use crate::callers::proof::{ActiveSecret, ProofError};
use crate::config::Config;
use crate::config::callers::Key;
use crate::host::Host;
use crate::secret::Secret;

/// Why a variable holds no usable secret.
enum Unusable {
    /// It is not set, or is white space.
    Unset,
    /// Its text is none of the kind's secrets, which have this form.
    Form(&'static str),
}

/// Returns the usable secrets. A key of several parts counts with those that are usable; its kind says which it cannot do without.
/// Of access keys there may be none: their kind refuses the request then as it does with a key of no caller, and the log and
/// `/healthz` say why.
///
/// # Errors
///
/// [`ProofError::SecretUnset`] if none is, and the keys have no ids that a stranger could try.
pub(super) async fn load<H: Host>(
    host: &H,
    kind: &dyn CallerKind,
    keys: &[&Key],
) -> Result<Vec<ActiveSecret>, ProofError> {
    let mut active = Vec::new();
    for key in keys {
        let mut parts = Vec::new();
        for (part, variable) in &key.variables {
            match read(host, kind, part, variable).await {
                Ok(secret) => parts.push((*part, secret)),
                Err(Unusable::Unset) => host.log(&format!("caller: variable `{variable}` is not set")),
                Err(Unusable::Form(expected)) => {
                    host.log(&format!(
                        "caller: variable `{variable}` holds no secret of kind `{}`; use {expected}",
                        kind.shape().name
                    ));
                }
            }
        }
        active.extend(ActiveSecret::new(key.id.clone(), parts));
    }
    let has_ids = keys.iter().any(|key| key.id.is_some());
    if active.is_empty() && !has_ids { Err(ProofError::SecretUnset) } else { Ok(active) }
}

/// Returns the secrets that follow-up addresses of a kind are sealed with: the caller's own, or those of the credentials for TaurusDB
/// if the caller's are public keys.
pub(super) async fn sealing<H: Host>(
    host: &H,
    config: &Config,
    kind: &dyn CallerKind,
    own: Vec<Secret>,
) -> Vec<Secret> {
    if !kind.shape().has_public_keys {
        return own;
    }
    let mut secrets = Vec::new();
    for instance in config.instances().iter().take(1) {
        secrets.extend(host.variable(instance.credentials.secret_variable()).await);
    }
    secrets
}

/// Returns the variables of all callers whose text has not the form of their kind's secrets, and those of access keys that are not
/// set: the answers to their requests do not say so.
pub(super) async fn unusable<'c, H: Host>(host: &H, config: &'c Config) -> Vec<&'c str> {
    let mut wrong = Vec::new();
    for caller in config.callers() {
        let Some(kind) = callers::kind(&caller.kind) else { continue };
        for key in &caller.keys {
            for (part, variable) in &key.variables {
                match read(host, kind, part, variable).await {
                    Err(Unusable::Form(_)) => wrong.push(variable.as_str()),
                    Err(Unusable::Unset) if key.id.is_some() => wrong.push(variable.as_str()),
                    Err(Unusable::Unset) | Ok(_) => {}
                }
            }
        }
    }
    wrong
}

async fn read<H: Host>(host: &H, kind: &dyn CallerKind, part: &str, variable: &str) -> Result<Secret, Unusable> {
    let secret = host.variable(variable).await.and_then(|secret| secret.trimmed()).ok_or(Unusable::Unset)?;
    (kind.shape().secret_form)(part, &secret).map_err(Unusable::Form)?;
    Ok(secret)
}
