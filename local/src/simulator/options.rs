//! What a simulated cloud knows at its start.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use super::demo;

/// How long a token is accepted, unless the options say otherwise.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// What a simulated cloud knows, and where it listens.
///
/// There is no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct SimulatorOptions {
    /// Where to listen; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The instances at the start.
    pub instances: Vec<SimulatedInstance>,
    /// The keys whose signatures are accepted.
    pub access_keys: Vec<AccessKey>,
    /// The tokens that are accepted in `X-Auth-Token`, for ever and in every project.
    pub tokens: Vec<String>,
    /// The users who get tokens for their passwords.
    pub users: Vec<IamUser>,
    /// The agencies that others get tokens for.
    pub agencies: Vec<Agency>,
    /// How long a token is accepted that IAM issues.
    pub token_lifetime: Duration,
    /// Whether the list call does as if there was no `user_name` in its query.
    pub list_ignores_filter: bool,
    /// The clock that signatures and tokens are judged by.
    pub clock: fn() -> SystemTime,
}

impl SimulatorOptions {
    /// The data of [`demo`], on a free port.
    pub fn demo() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            instances: [demo::INSTANCE_ID, demo::PRODUCTION_INSTANCE_ID]
                .map(|instance_id| SimulatedInstance {
                    project_id: demo::PROJECT_ID.to_owned(),
                    instance_id: instance_id.to_owned(),
                    accounts: demo::ACCOUNTS.map(str::to_owned).into(),
                })
                .into(),
            access_keys: vec![AccessKey {
                id: demo::ACCESS_KEY.to_owned(),
                secret: demo::SECRET_KEY.to_owned(),
                security_token: None,
            }],
            tokens: vec![demo::TOKEN.to_owned()],
            users: vec![IamUser {
                name: demo::IAM_USER.to_owned(),
                password: demo::IAM_PASSWORD.to_owned(),
                domain: demo::IAM_DOMAIN.to_owned(),
                domain_id: demo::IAM_DOMAIN_ID.to_owned(),
                projects: vec![demo::PROJECT_ID.to_owned()],
            }],
            agencies: vec![Agency {
                name: demo::AGENCY.to_owned(),
                domain_name: demo::AGENCY_DOMAIN.to_owned(),
                domain_id: demo::AGENCY_DOMAIN_ID.to_owned(),
                projects: vec![demo::PROJECT_ID.to_owned()],
            }],
            token_lifetime: TOKEN_LIFETIME,
            list_ignores_filter: false,
            clock: SystemTime::now,
        }
    }
}

/// A StarRocks instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedInstance {
    /// 32 letters and digits.
    pub project_id: String,
    /// 36 letters and digits.
    pub instance_id: String,
    /// The names of its accounts.
    pub accounts: BTreeSet<String>,
}

/// An access key.
///
/// There is no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct AccessKey {
    /// Its id, which is sent.
    pub id: String,
    /// Its secret key, which signs.
    pub secret: String,
    /// A temporary key's token, which has to be sent and signed as `X-Security-Token`. A permanent key has none.
    pub security_token: Option<String>,
}
/// A user who has a password.
///
/// There is no `Debug`: it holds a secret.
#[derive(Clone)]
pub struct IamUser {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: String,
    /// The name of the account (IAM calls it domain) that it belongs to.
    pub domain: String,
    /// The id of that account.
    pub domain_id: String,
    /// The ids of the projects that it may work in. A project's name is its id, as this simulation knows no other.
    pub projects: Vec<String>,
}

/// What an account lets other accounts do in its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// Its name.
    pub name: String,
    /// The name of the account that it belongs to.
    pub domain_name: String,
    /// The id of that account.
    pub domain_id: String,
    /// The ids of the projects that it may work in, which are their names too.
    pub projects: Vec<String>,
}
