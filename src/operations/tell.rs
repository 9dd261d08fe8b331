//! Who is told of a removal: the column `notify` of its row, from which the ledger makes messages as the row changes its state
//! (`ledger::outbox_schema`). Nothing where no `[[notify]]` matches.

use crate::app::App;
use crate::config::Config;
use crate::config::notify::{NotifyEvent, NotifySubject};
use crate::ledger::row::RemovalRow;
use crate::outcome::{Denied, NotSent, Outcome};
use crate::request::removal::RemovalRequest;

/// When a message goes out, as the ledger's triggers read it.
const WAIT: &str = "wait";
const UNKNOWN: &str = "unknown";
const END: &str = "end";
const TOLD: &str = "told";

/// `[phase, event, target]`
type Entry<'a> = (&'static str, &'static str, &'a str);

/// Who is told that a removal waits for approval, and of its end.
pub(super) fn of_waiting(config: &Config, removal: &RemovalRequest<'_>) -> Option<String> {
    column(&waiting(config, &subject(removal)))
}

/// Who is told of the outcome of a removal, if there is more to tell than the row says already.
pub(super) fn of_outcome(
    app: &App,
    removal: &RemovalRequest<'_>,
    row: Option<&RemovalRow>,
    outcome: &Outcome,
) -> Option<String> {
    if app.config.notify.is_empty() || removal.dry_run {
        return None;
    }
    let subject = subject(removal);
    // Only what waited for approval has votes when it is sent.
    let has_waited = row.is_some_and(|row| row.approvals().next().is_some());
    let event = match outcome {
        Outcome::Unknown(_) if has_waited => return None,
        Outcome::Unknown(_) => return column(&unknown(&app.config, &subject)),
        outcome if is_of_credentials(outcome) => NotifyEvent::RefusedCredentials,
        outcome if is_of_brake(app, outcome) => NotifyEvent::Brake,
        _ => return None,
    };
    let targets = app.config.notify.iter().filter(|target| target.takes(event, &subject));
    let alarms: Vec<Entry<'_>> = targets.map(|target| (END, event.as_str(), target.name.as_str())).collect();
    match has_waited && !alarms.is_empty() {
        true => column(&[waiting(&app.config, &subject), alarms].concat()),
        false => column(&alarms),
    }
}

fn subject<'a>(removal: &'a RemovalRequest<'_>) -> NotifySubject<'a> {
    NotifySubject {
        environment: &removal.instance.environment,
        instance: &removal.instance.name,
        caller: &removal.actor.caller,
    }
}

fn waiting<'c>(config: &'c Config, subject: &NotifySubject<'_>) -> Vec<Entry<'c>> {
    let mut entries = Vec::new();
    for target in &config.notify {
        let name = target.name.as_str();
        let (waits, decided, unknown) = (
            target.takes(NotifyEvent::Waiting, subject),
            target.takes(NotifyEvent::Decided, subject),
            target.takes(NotifyEvent::Unknown, subject),
        );
        // Those who are added later are told of the end only if they were.
        let is_added_later = waits && target.after.is_some();
        if waits && !is_added_later {
            entries.push((WAIT, NotifyEvent::Waiting.as_str(), name));
        }
        if unknown || (decided && !is_added_later) {
            entries.push((UNKNOWN, NotifyEvent::Unknown.as_str(), name));
        }
        if decided && !is_added_later {
            entries.push((END, NotifyEvent::Decided.as_str(), name));
        } else if decided || unknown {
            entries.push((TOLD, NotifyEvent::Decided.as_str(), name));
        }
    }
    entries
}

/// Who is told of an unknown outcome, and then of how it was settled.
fn unknown<'c>(config: &'c Config, subject: &NotifySubject<'_>) -> Vec<Entry<'c>> {
    let targets = config.notify.iter().filter(|target| target.takes(NotifyEvent::Unknown, subject));
    let entries = targets.flat_map(|target| {
        let name = target.name.as_str();
        [(UNKNOWN, NotifyEvent::Unknown.as_str(), name), (TOLD, NotifyEvent::Decided.as_str(), name)]
    });
    entries.collect()
}

fn column(entries: &[Entry<'_>]) -> Option<String> {
    (!entries.is_empty()).then(|| serde_json::to_string(entries).ok()).flatten()
}

/// Whether TaurusDB or IAM refused the gateway's credentials, or they are not set.
fn is_of_credentials(outcome: &Outcome) -> bool {
    let is_not_sent = matches!(outcome, Outcome::NotSent(NotSent::CredentialsUnset | NotSent::CredentialsRefused));
    // TaurusDB's API gateway: a wrong signature, a locked key, a token that is not good.
    is_not_sent || outcome.code().starts_with("APIGW.030")
}

/// Whether a policy that counts stopped it.
fn is_of_brake(app: &App, outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Denied(Denied::Removal(denial)) => denial.policies().iter().any(|id| app.policies.is_brake(id)),
        _ => false,
    }
}
