//! Lists what waits, newest first: the requests of the reader, and those that the reader may approve.
//!
//! What the reader may not see is passed over while the ledger is read, page after page, so that no number of other people's
//! requests hides one that is for the reader.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use crate::callers::chat::format::ChatFormat;
use crate::callers::chat::message::ChatMessage;
use crate::config::Config;
use crate::host::Host;
use crate::ledger::row::RemovalRow;
use crate::operations::authorize::policy_context;
use crate::operations::decide_approval::request_from_row;
use crate::operations::report::{Content, Refusal};
use crate::operations::{Ctx, content};
use crate::outcome::language::Language;
use crate::outcome::message::Message;
use crate::outcome::state::State;
use crate::outcome::{Outcome, catalog};
use crate::policy::counts::Counts;
use crate::policy::{Action, AuthzContext, AuthzRequest, Principal};
use crate::reply::Rendered;
use crate::request::pending_query::{After, PendingQuery};

/// The fewest rows that are read at once.
const STRETCH: usize = 100;

/// How long a page is read for, at most. The rows read by then are the answer, and the next page continues from there.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most requests in a chat message.
const IN_A_MESSAGE: usize = 20;

/// A page of the requests that wait for the reader.
pub(super) struct PendingPage {
    pub(super) rows: Vec<RemovalRow>,
    /// The id behind which the next page begins.
    pub(super) next: Option<String>,
}

/// What waits for the reader.
///
/// # Errors
///
/// If the page begins behind a request that the ledger does not know; if the ledger cannot be used.
pub(crate) async fn list_pending<'c, H: Host>(ctx: &Ctx<'c, H>, query: &PendingQuery) -> Result<Content, Refusal<'c>> {
    let before = match &query.after {
        None => None,
        Some(After::Id(id)) => Some(id.clone()),
        Some(After::Reference(reference)) => {
            let row = ctx.stored(ctx.ledger().await?.row(reference.as_str()).await)?;
            let unknown = || Message::new(&catalog::PENDING_UNKNOWN).quoting("id", reference.as_str());
            Some(row.ok_or_else(|| Outcome::Refused(unknown()))?.id.as_str().to_owned())
        }
    };
    let limit = usize::from(query.limit);
    let limit = if ctx.chat.is_some() { limit.min(IN_A_MESSAGE) } else { limit };
    let page = read_pending(ctx, before, limit).await?;
    Ok(match ctx.chat {
        Some(chat) => Content::of(chat.show(&in_a_message(&page, &ctx.app.config, ctx.language))),
        None => {
            let rows: Vec<_> = page.rows.iter().map(RemovalRow::json).collect();
            let body = json!({"approvals": rows, "next": page.next}).to_string();
            Content { next: page.next, ..Content::of(Rendered::json(StatusCode::OK, body)) }
        }
    })
}

/// Reads what waits for the reader, older than `before`, until a page is full or nothing is left.
///
/// # Errors
///
/// If the ledger cannot be used.
pub(super) async fn read_pending<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    mut before: Option<String>,
    limit: usize,
) -> Result<PendingPage, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    let mut reader = PendingReader::new(ctx);
    // One row more than fits tells that there is a next page.
    let wanted = limit.saturating_add(1);
    let stretch = wanted.max(STRETCH);
    let until = ctx.host.elapsed().saturating_add(PATIENCE.min(ctx.budget.left_to_send(ctx.host)));
    let mut page = PendingPage { rows: Vec::new(), next: None };
    loop {
        let rows = ctx.stored(ledger.pending(before.as_deref(), stretch, ctx.at).await)?;
        let is_last = rows.len() < stretch;
        before = rows.last().map(|row| row.id.as_str().to_owned());
        let missing = wanted.saturating_sub(page.rows.len());
        page.rows.extend(rows.into_iter().filter(|row| reader.may_see(row)).take(missing));
        if page.rows.len() == wanted {
            page.rows.pop();
            page.next = page.rows.last().map(|row| row.id.as_str().to_owned());
            return Ok(page);
        }
        if is_last {
            return Ok(page);
        }
        if ctx.host.elapsed() >= until {
            page.next = before;
            return Ok(page);
        }
    }
}

/// A reader, and what policy has decided about them in this request.
pub(super) struct PendingReader<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    context: AuthzContext,
    /// Whether the reader may approve, by instance, account and whether a reason was given.
    may_approve: BTreeMap<(String, String, bool), bool>,
}

impl<'a, 'c, H: Host> PendingReader<'a, 'c, H> {
    pub(super) fn new(ctx: &'a Ctx<'c, H>) -> Self {
        let context = policy_context(ctx.app, ctx.at, Counts::default());
        Self { ctx, context, may_approve: BTreeMap::new() }
    }

    pub(super) fn may_see(&mut self, row: &RemovalRow) -> bool {
        self.ctx.is_own_row(row) || (row.state == State::AwaitingApproval && self.may_approve(row))
    }

    fn may_approve(&mut self, row: &RemovalRow) -> bool {
        let Self { ctx, context, may_approve } = self;
        let config = &ctx.app.config;
        let Some(removal) = request_from_row(config, row) else { return false };
        let account = (removal.instance.name.clone(), removal.user_name.as_str().to_owned(), removal.reason.is_some());
        *may_approve.entry(account).or_insert_with(|| {
            let request = AuthzRequest::about(&removal, Principal::of(ctx.actor, config), Action::Approve);
            ctx.app.policies.is_authorized(&request, *context).allowed
        })
    }
}

/// The most bytes of a listing: every platform shows that many, with what its markup adds.
const LONGEST: usize = 1700;

/// As many requests as every platform shows, and how to go on.
fn in_a_message(page: &PendingPage, config: &Config, language: Language) -> ChatMessage {
    let all = content::pending(&page.rows, None, config, language);
    if page.next.is_none() && length(&all) <= LONGEST {
        return all;
    }
    let shown = |rows: &[RemovalRow]| {
        let last = rows.last().and_then(|row| row.reference.clone()).or_else(|| page.next.clone()).unwrap_or_default();
        content::pending(rows, Some(&last), config, language)
    };
    let mut fitting = (2..=page.rows.len()).rev().filter_map(|count| page.rows.get(..count)).map(shown);
    // Without a row, the time was over before one was found.
    let shortest = || shown(page.rows.get(..1).unwrap_or_default());
    fitting.find(|message| length(message) <= LONGEST).unwrap_or_else(shortest)
}

fn length(message: &ChatMessage) -> usize {
    message.body.iter().map(|line| line.render(&ChatFormat::PLAIN).len().saturating_add(1)).sum()
}
