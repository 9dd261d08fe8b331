//! The secrets of callers, read from Spin variables for each request that needs them, so that a rotation needs no restart.
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
///
/// # Errors
///
/// [`ProofError::SecretUnset`] if none is.
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
    if active.is_empty() { Err(ProofError::SecretUnset) } else { Ok(active) }
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

/// Returns the variables of all callers whose text has not the form of their kind's secrets.
pub(super) async fn of_wrong_form<'c, H: Host>(host: &H, config: &'c Config) -> Vec<&'c str> {
    let mut wrong = Vec::new();
    for caller in config.callers() {
        let Some(kind) = callers::kind(&caller.kind) else { continue };
        for (part, variable) in caller.keys.iter().flat_map(|key| &key.variables) {
            if let Err(Unusable::Form(_)) = read(host, kind, part, variable).await {
                wrong.push(variable.as_str());
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
