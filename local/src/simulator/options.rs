//! The options of a simulated cloud: its instances, keys, users and agencies at the start.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::demo;

/// How long a token is valid by default.
const TOKEN_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The content of a simulated cloud, and its address.
///
/// It has no `Debug`, because it contains secrets.
#[derive(Clone)]
pub struct SimulatorOptions {
    /// The address to listen on; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The instances at the start.
    pub instances: Vec<SimulatedInstance>,
    /// The access keys whose signatures are accepted.
    pub access_keys: Vec<AccessKey>,
    /// The tokens that are accepted in `X-Auth-Token` at any time and in every project.
    pub tokens: Vec<String>,
    /// The users who can get tokens with their passwords.
    pub users: Vec<IamUser>,
    /// The agencies that other accounts can get tokens for.
    pub agencies: Vec<Agency>,
    /// How long a token of IAM is valid.
    pub token_lifetime: Duration,
    /// Whether the list call ignores `user_name` in its query.
    pub list_ignores_filter: bool,
    /// The clock that signatures and tokens are checked against.
    pub clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl SimulatorOptions {
    /// Returns the data of [`demo`], on a free port.
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
            clock: Arc::new(SystemTime::now),
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
/// It has no `Debug`, because it contains secrets.
#[derive(Clone)]
pub struct AccessKey {
    /// The ID, which is part of the signature header.
    pub id: String,
    /// The secret key, which signs.
    pub secret: String,
    /// The token of a temporary key, which has to be sent and signed as `X-Security-Token`. A permanent key has none.
    pub security_token: Option<String>,
}
/// A user with a password.
///
/// It has no `Debug`, because it contains a secret.
#[derive(Clone)]
pub struct IamUser {
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The name of the user's Huawei Cloud account, which IAM calls a domain.
    pub domain: String,
    /// The ID of that Huawei Cloud account.
    pub domain_id: String,
    /// The IDs of the projects that the user has access to. In this simulation the name of a project is its ID.
    pub projects: Vec<String>,
}

/// An agency: access that one Huawei Cloud account gives to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agency {
    /// The name.
    pub name: String,
    /// The name of the Huawei Cloud account that owns it.
    pub domain_name: String,
    /// The ID of that Huawei Cloud account.
    pub domain_id: String,
    /// The IDs of the projects that it has access to, which are their names, too.
    pub projects: Vec<String>,
}
