//! A decision about a request that waits: the same command as a click in a chat, or `POST /approvals/{id}`.

use crate::callers::console::guard::Fingerprint;
use crate::flow::console::done::act;
use crate::flow::console::form_sent::{FormSent, Visited};
use crate::flow::console::visit::Visit;
use crate::flow::console::waiting::DECIDE;
use crate::host::Host;
use crate::operations::console::became::fingerprint_of;
use crate::operations::report::Refusal;
use crate::outcome::language::Localized;
use crate::request::command::ApprovalAction;
use crate::request::error::RequestError;
use crate::request::reason::Reason;

/// Reads the form about the request under `reference`.
///
/// # Errors
///
/// If the form was not made for this person and this request, or the request is not the one any more that the page showed; if a field is
/// wrong, or the ledger cannot be used.
pub(super) async fn decision<'c, H: Host>(visit: &Visit<'_, 'c, H>, reference: &str) -> Result<Visited, Refusal<'c>> {
    let shown = fingerprint_of(visit.ctx, reference).await?.unwrap_or_default();
    visit.check_token(DECIDE, reference, &Fingerprint::of(&[&shown]))?;
    let given = visit.fields.required("decision")?;
    let decision = ApprovalAction::parse(given).zip(act(given));
    let expected =
        Localized { en: "`approve`, `deny`, `confirm` or `cancel`", zh: "`approve`、`deny`、`confirm` 或 `cancel`" };
    let (action, act) = decision.ok_or_else(|| RequestError::invalid("decision", given, expected))?;
    let reason = Reason::parse(visit.value("reason"))?;
    Ok(Visited::Form(FormSent::Decision { reference: reference.to_owned(), action, reason }, act))
}
