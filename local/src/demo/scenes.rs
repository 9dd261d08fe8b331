//! The scenes of the demonstration: requests, and how each should end.

use http::StatusCode;

use super::demo_caller::DemoCaller;
use super::{api, slack, standard_webhooks};

/// The instance of all scenes.
pub(super) const INSTANCE: &str = "analytics";

/// Stands for the reference that the scene before got.
const REFERENCE: &str = "{reference}";

/// One request, and how it should end.
pub(super) struct Scene {
    pub(super) title: &'static str,
    pub(super) caller: DemoCaller,
    /// The requester, if it is not the demo caller's own ID.
    id: Option<&'static str>,
    text: &'static str,
    pub(super) account: &'static str,
    pub(super) expected: Expected,
}

pub(super) struct Expected {
    pub(super) status: StatusCode,
    pub(super) policies: &'static [&'static str],
    /// Why the account stays; `None` if it is removed, by one DELETE.
    pub(super) code: Option<&'static str>,
}

impl Scene {
    /// Returns the ID of the requester; empty if the caller acts under its own name.
    pub(super) fn requester_id(&self) -> &'static str {
        self.id.or(self.caller.id).unwrap_or_default()
    }

    /// Returns the text of the request, with the reference that the scene before got.
    pub(super) fn text(&self, reference: &str) -> String {
        self.text.replace(REFERENCE, reference)
    }
}

impl Expected {
    const fn removed() -> Self {
        Self { status: StatusCode::OK, policies: &["dba-removes-on-staging"], code: None }
    }

    /// No removal is sent before a confirmation.
    const fn waits(code: &'static str) -> Self {
        Self { status: StatusCode::OK, policies: &["dba-removes-on-staging"], code: Some(code) }
    }

    const fn refused(status: StatusCode, code: &'static str) -> Self {
        Self { status, policies: &[], code: Some(code) }
    }
}

pub(super) const SCENES: [Scene; 6] = [
    Scene {
        title: "A member of the database team, in Slack: /offboard alice analytics left the company",
        caller: slack::CALLER,
        id: None,
        text: "alice analytics left the company",
        account: "alice",
        // The requester in a chat has to confirm.
        expected: Expected::waits("OFFBOARD.40903"),
    },
    Scene {
        title: "The same person, in Slack: /offboard confirm and the reference (or the button below the message)",
        caller: slack::CALLER,
        id: None,
        text: "confirm {reference}",
        account: "alice",
        expected: Expected::removed(),
    },
    Scene {
        title: "The HR system, by webhook: bob on analytics",
        caller: standard_webhooks::CALLER,
        id: None,
        text: "bob left the company",
        account: "bob",
        expected: Expected::removed(),
    },
    Scene {
        title: "A portal, by TaurusDB's own API with an access key of the gateway: carol on analytics",
        caller: api::CALLER,
        id: None,
        text: "carol",
        account: "carol",
        expected: Expected::removed(),
    },
    Scene {
        title: "A person without a team, in Slack: /offboard dave analytics",
        caller: slack::CALLER,
        id: Some("U0STRANGER"),
        text: "dave analytics",
        account: "dave",
        // Slack does not show answers with a status other than 200.
        expected: Expected::refused(StatusCode::OK, "OFFBOARD.40301"),
    },
    Scene {
        title: "The HR system again, with an account that offboard.toml protects: etl_loader on analytics",
        caller: standard_webhooks::CALLER,
        id: None,
        text: "etl_loader left the company",
        account: "etl_loader",
        expected: Expected::refused(StatusCode::FORBIDDEN, "OFFBOARD.40303"),
    },
];
