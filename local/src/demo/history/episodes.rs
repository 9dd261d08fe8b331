//! What happened in the four weeks before the demonstration, as data.

use super::calendar::When::{self, LastWorkingHour, MinutesAgo, WorkingDay};
use crate::simulator::demo::{INSTANCE_ID as ANALYTICS, PRODUCTION_INSTANCE_ID as WAREHOUSE};

/// The Slack ID of Dana, who is in team dba.
const DANA: &str = "U2CERLKJA";
/// The Slack ID of Priya, who is in team dba.
const PRIYA: &str = "U7PR1YA02";
/// The Slack ID of a person without a team.
const STRANGER: &str = "U0STRANGER";

/// Accounts beside those that each simulated instance begins with: of people who work here, of people who left, of programs.
pub(super) const ACCOUNTS: [(&str, &[&str]); 2] = [
    (
        ANALYTICS,
        &[
            "ci_runner_7",
            "dana",
            "jtan",
            "kchen",
            "legacy_app",
            "loadtest",
            "mberg",
            "old_export",
            "pat",
            "rkumar",
            "tnguyen",
        ],
    ),
    (
        WAREHOUSE,
        &[
            "ahassan",
            "bi_export",
            "bwong",
            "dana",
            "etl_nightly",
            "jkowal",
            "kchen",
            "loadtest",
            "mberg",
            "priya",
            "rkumar_ro",
            "sbauer",
        ],
    ),
];

/// Requests that belong together, and how the last one ended.
pub(super) struct Episode {
    pub(super) when: When,
    pub(super) acts: &'static [Act],
    /// The code of the last answer; `None` if it has none.
    pub(super) code: Option<&'static str>,
}

/// One thing that happens.
pub(super) enum Act {
    /// A person writes a slash command. `{reference}` stands for the reference in the answer before.
    Slack(&'static str, &'static str),
    /// The HR system sends a webhook: the instance, and the text.
    Webhook(&'static str, &'static str),
    /// The portal removes an account of analytics.
    Portal(&'static str),
    /// The directory creates a person of this user name.
    Joins(&'static str),
    /// The directory deactivates a person.
    Leaves(&'static str),
    /// An account is created on an instance.
    Appears(&'static str, &'static str),
    /// The simulated cloud fails by this rule until the episode ends.
    Fault(&'static str),
    /// Minutes pass.
    Later(i64),
}

use Act::{Appears, Fault, Joins, Later, Leaves, Portal, Slack, Webhook};

const fn episode(when: When, acts: &'static [Act], code: Option<&'static str>) -> Episode {
    Episode { when, acts, code }
}

const REMOVED: Option<&str> = Some("SUCCESS");

/// In the order of time.
pub(super) const EPISODES: &[Episode] = &[
    episode(
        WorkingDay(20, 8, 0),
        &[
            Joins("ahassan@example.com"),
            Joins("kchen@example.com"),
            Joins("mberg@example.com"),
            Joins("mlee@example.com"),
            Joins("rkumar@example.com"),
            Joins("pat@example.com"),
            // Another person whose user name makes the same account name.
            Joins("pat@partner.example"),
        ],
        None,
    ),
    episode(
        WorkingDay(19, 10, 5),
        &[
            Slack(DANA, "jkowal warehouse left the company, HR-20811"),
            Slack(DANA, "confirm {reference}"),
            Later(26),
            Slack(PRIYA, "approve {reference}"),
        ],
        REMOVED,
    ),
    episode(
        WorkingDay(17, 13, 40),
        &[Webhook("analytics", "tnguyen left the company"), Later(2 * 24 * 60), Appears(ANALYTICS, "tnguyen")],
        REMOVED,
    ),
    episode(WorkingDay(16, 11, 20), &[Portal("ci_runner_7")], REMOVED),
    episode(
        WorkingDay(15, 9, 12),
        &[
            Slack(PRIYA, "sbauer warehouse left the company, HR-20870"),
            Slack(PRIYA, "confirm {reference}"),
            Later(95),
            Slack(DANA, "deny {reference} handover until the end of the month"),
        ],
        Some("OFFBOARD.40305"),
    ),
    episode(
        WorkingDay(13, 15, 30),
        &[Slack(DANA, "kchen analytics moved to finance"), Later(3), Slack(DANA, "cancel {reference}")],
        Some("OFFBOARD.40905"),
    ),
    episode(
        WorkingDay(12, 16, 45),
        &[
            Slack(PRIYA, "rkumar_ro warehouse replaced by single sign-on"),
            Slack(PRIYA, "confirm {reference}"),
            Later(25 * 60),
            // The first look at what waits ends what has waited too long.
            Slack(DANA, "pending"),
        ],
        None,
    ),
    episode(WorkingDay(11, 10, 30), &[Webhook("analytics", "ghost left the company")], Some("DBS.200824")),
    episode(WorkingDay(10, 14, 0), &[Slack(STRANGER, "report_reader analytics")], Some("OFFBOARD.40301")),
    episode(WorkingDay(9, 8, 30), &[Webhook("warehouse", "etl_nightly left the company")], Some("OFFBOARD.40303")),
    episode(WorkingDay(8, 21, 10), &[Slack(DANA, "bi_export warehouse no longer used")], Some("OFFBOARD.40301")),
    episode(WorkingDay(7, 11, 0), &[Fault("status=400*1"), Portal("legacy_app")], Some("DBS.280001")),
    episode(WorkingDay(6, 9, 45), &[Slack(DANA, "loadtest analytics --dry-run")], Some("DRY_RUN")),
    episode(WorkingDay(5, 10, 20), &[Leaves("mlee@example.com"), Appears(WAREHOUSE, "mlee")], Some("NO_ACCOUNT")),
    episode(WorkingDay(4, 10, 20), &[Leaves("rkumar@example.com"), Appears(WAREHOUSE, "rkumar")], None),
    episode(
        WorkingDay(3, 10, 10),
        &[Webhook("warehouse", "bwong left the company"), Later(58), Slack(DANA, "approve {reference}")],
        REMOVED,
    ),
    episode(
        WorkingDay(2, 13, 20),
        &[Fault("reset-after*1"), Fault("list:wrong-json"), Portal("old_export")],
        Some("OFFBOARD.50202"),
    ),
    // Whose account `pat` is, a person has to say: at any hour, because policy closes production only.
    episode(MinutesAgo(190), &[Leaves("pat@example.com")], Some("OFFBOARD.40908")),
    episode(
        LastWorkingHour,
        &[Slack(PRIYA, "ahassan warehouse left the company, HR-20931"), Slack(PRIYA, "confirm {reference}")],
        Some("OFFBOARD.40904"),
    ),
    // What waits for a confirmation does so for five minutes only.
    episode(MinutesAgo(1), &[Slack(DANA, "jtan analytics left the company, HR-20944")], Some("OFFBOARD.40903")),
];
