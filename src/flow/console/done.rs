//! What the reader has just done: a form is answered with a redirect, and the page behind it says what came of the form.

use http::StatusCode;
use http::header::LOCATION;

use crate::config::Config;
use crate::console::href;
use crate::console::view::{Act, Done};
use crate::flow::console::headers;
use crate::flow::console::people::{account_of_row, person};
use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::console::became::what_became;
use crate::operations::console::who::Who;
use crate::operations::report::Refusal;
use crate::outcome::{Denied, Outcome};
use crate::reply::Rendered;
use crate::request::actor::Actor;
use crate::request::strict::Fields;

/// The parameters of the page behind a form.
const DONE: &str = "done";
const ACT: &str = "act";

/// The names of what forms do, in addresses.
const ACTS: [(&str, Act); 5] = [
    ("ask", Act::Ask),
    ("approve", Act::Approve),
    ("deny", Act::Deny),
    ("confirm", Act::Confirm),
    ("cancel", Act::Cancel),
];

/// What a form does, by its name.
pub(super) fn act(name: &str) -> Option<Act> {
    ACTS.into_iter().find(|(known, _)| *known == name).map(|(_, act)| act)
}

/// The answer to a form: a redirect to *Waiting*, which then says what became of the row with this id. `None` if the form came to
/// nothing, which a page of its own says.
pub(super) fn redirect(outcome: &Outcome, act: Act, id: &str) -> Option<Rendered> {
    if is_without_effect(outcome) {
        return None;
    }
    let name = ACTS.into_iter().find(|(_, known)| *known == act).map_or("", |(name, _)| name);
    let rendered = Rendered::of("text/plain; charset=utf-8", StatusCode::SEE_OTHER, String::new());
    let to = href::with_query(href::WAITING, &[(DONE, id), (ACT, name)]);
    Some(headers::of_a_page(Rendered { headers: vec![(LOCATION, to)], ..rendered }, None))
}

/// Whether an outcome is a refusal of the form, which changes no row.
fn is_without_effect(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Refused(_) | Outcome::NotSent(_) | Outcome::InProgress => true,
        Outcome::Denied(denied) => !matches!(denied, Denied::ConfigurationChanged),
        _ => false,
    }
}

/// What the address says that the reader has done, as the ledger has it now; nothing of rows that the reader may not see.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn of_address<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    fields: &Fields,
    reader: &Actor,
) -> Result<Option<Done>, Refusal<'c>> {
    let act = fields.value(ACT).and_then(act);
    let Some((id, act)) = fields.value(DONE).zip(act) else { return Ok(None) };
    let row = what_became(ctx, id).await?;
    Ok(row.and_then(|row| done(&ctx.app.config, reader, &row, act)))
}

fn done(config: &Config, reader: &Actor, row: &RemovalRow, act: Act) -> Option<Done> {
    let reader = config.person(&reader.principal);
    let approvals = row.approvals().count();
    let required = row.instance.as_deref().and_then(|name| config.instance(name).ok());
    let required = required.map_or(0, |instance| config.approvals.required(&instance.environment));
    let is_decision = matches!(act, Act::Approve | Act::Deny);
    let has_decided = row.votes.iter().any(|vote| config.person(&vote.actor) == reader);
    let last = row.votes.iter().max_by_key(|vote| vote.at).filter(|_| is_decision && !has_decided);
    let faster = last.map(|vote| person(Who::of(config, &vote.actor)));
    Some(Done {
        act,
        account: account_of_row(config, row)?,
        id: row.id.as_str().to_owned(),
        state: row.state,
        at: row.ended_at.unwrap_or(row.asked_at),
        missing: required.saturating_sub(u32::try_from(approvals).unwrap_or(u32::MAX)),
        message: row.message.clone(),
        faster,
    })
}
