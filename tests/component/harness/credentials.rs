//! The kinds of credentials for TaurusDB that offboard.toml can name, for tests that must hold with each of them.

use local::simulator::demo;

use crate::harness::setup::Setup;

const SECURITY_TOKEN: &str = "gQpjbi1ub3J0aC00-security-token-of-a-temporary-key";

/// What the gateway proves itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    Aksk,
    TemporaryAksk,
    Token,
    Password,
    AgencyOnAksk,
    AgencyOnPassword,
}

impl Credentials {
    pub(crate) const ALL: [Self; 6] =
        [Self::Aksk, Self::TemporaryAksk, Self::Token, Self::Password, Self::AgencyOnAksk, Self::AgencyOnPassword];

    /// Those whose tokens come from IAM.
    pub(crate) const FROM_IAM: [Self; 3] = [Self::Password, Self::AgencyOnAksk, Self::AgencyOnPassword];

    /// A gateway that has them.
    pub(crate) fn setup(self) -> Setup {
        let agency = |on| {
            let (name, domain) = (demo::AGENCY, demo::AGENCY_DOMAIN);
            format!("\"agency\"\nagency = {{ name = \"{name}\", domain_name = \"{domain}\", on = \"{on}\" }}")
        };
        let setup = Setup::default();
        match self {
            Self::Aksk => setup,
            Self::TemporaryAksk => {
                let setup = setup.variable("huaweicloud_security_token", SECURITY_TOKEN);
                Setup { security_token: Some(SECURITY_TOKEN.into()), ..setup }
            }
            Self::Token => setup.credentials("\"token\"").variable("huaweicloud_token", demo::TOKEN),
            Self::Password => setup.credentials("\"password\""),
            Self::AgencyOnAksk => setup.credentials(&agency("aksk")),
            Self::AgencyOnPassword => setup.credentials(&agency("password")),
        }
    }

    /// How many calls to IAM a first removal takes.
    pub(crate) fn token_calls(self) -> usize {
        match self {
            Self::Aksk | Self::TemporaryAksk | Self::Token => 0,
            Self::Password | Self::AgencyOnAksk => 1,
            // The user's own token, and with it the agency's.
            Self::AgencyOnPassword => 2,
        }
    }

    /// What its calls to TaurusDB carry, as [`support::case::credentials`] says it.
    pub(crate) fn carried(self) -> &'static str {
        match self {
            Self::Aksk => "aksk",
            Self::TemporaryAksk => "temporary aksk",
            Self::Token | Self::Password | Self::AgencyOnAksk | Self::AgencyOnPassword => "token",
        }
    }
}
