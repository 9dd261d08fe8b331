//! What the demonstration works on. The keys open nothing but this simulation.

/// The project of the API page's example.
pub const PROJECT_ID: &str = "23a50154cf494ec9ad6883979a12db0a";
/// A StarRocks instance.
pub const INSTANCE_ID: &str = "54e42160670e48e789af7075e1efea1fin17";
/// Another one, for production.
pub const PRODUCTION_INSTANCE_ID: &str = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17";
/// The id of a permanent access key.
pub const ACCESS_KEY: &str = "HPUADEMOACCESSKEY00";
/// Its secret key.
pub const SECRET_KEY: &str = "demo-secret-key";
/// A token that is accepted in `X-Auth-Token`.
pub const TOKEN: &str = "demo-token";
/// The name of an IAM user who may work in the project.
pub const IAM_USER: &str = "demo-offboarding";
/// Its password.
pub const IAM_PASSWORD: &str = "demo-password";
/// The name of the account that the user belongs to.
pub const IAM_DOMAIN: &str = "demo-account";
/// The id of that account.
pub const IAM_DOMAIN_ID: &str = "d78cbac186b744899480f25bd022f468";
/// The name of an agency that may work in the project.
pub const AGENCY: &str = "demo-agency";
/// The name of the account that the agency belongs to.
pub const AGENCY_DOMAIN: &str = "demo-customer";
/// The id of that account.
pub const AGENCY_DOMAIN_ID: &str = "a2cd82a33fb043dc9304bf72a0f38f00";
/// The accounts at the start, the reserved ones included.
pub const ACCOUNTS: [&str; 10] =
    ["alice", "bob", "carol", "dave", "etl_loader", "report_reader", "user_test", "root", "rdsAdmin", "rdsMetric"];
