//! The access review of an instance: its accounts, beside what is known of their owners and of earlier removals.
//!
//! Which accounts there are is for TaurusDB's list to say. If it cannot be read, the accounts that rows name are all that is known,
//! and whether they exist is not. What the ledger says of an account is shown as far as policy lets the reader `audit` it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::json;

use crate::config::instance::Instance;
use crate::host::Host;
use crate::ledger::export::time;
use crate::ledger::row::RemovalRow;
use crate::operations::Ctx;
use crate::operations::console::account_owners::{KnownFrom, Owner, Owners, Standing};
use crate::operations::console::who::Who;
use crate::operations::list_accounts::permitted_by;
use crate::operations::reader::Reader;
use crate::operations::report::Refusal;
use crate::outcome::log_event::log_event;
use crate::outcome::state::State;
use crate::reply::csv::line;
use crate::request::error::RequestError;
use crate::request::removal_query::{LARGEST, RemovalQuery};

/// How many days of rows that removed nothing are looked at.
const DAYS: i64 = 30;

/// Which accounts of a review to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReviewQuery {
    /// In this state.
    pub state: Option<AccountState>,
    /// With this text in the name of the account or of an owner, in any case; empty for all.
    pub text: String,
}

/// The accounts of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReview {
    /// The instance's name.
    pub instance: String,
    /// The instance's environment.
    pub environment: String,
    /// When the list was read.
    pub read_at: DateTime<Utc>,
    /// The accounts.
    pub accounts: Reviewed,
    /// The callers whose directories say who owns accounts there.
    pub directories: Vec<String>,
    /// Whether all people of the directories were read; if not, owners may be missing.
    pub is_complete: bool,
    /// The policies that permit the reader to see the list.
    pub policies: Vec<String>,
}

/// The accounts of a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviewed {
    /// The list was read.
    Listed {
        /// Those that the query selects: what needs a look first, then by name.
        accounts: Vec<ReviewedAccount>,
        /// How many of all accounts are in each state, whatever the query selects; states without an account are left out.
        counts: BTreeMap<AccountState, usize>,
    },
    /// The list could not be read: these are the accounts that rows of the last thirty days name, and not all there are. No state
    /// of them is [`AccountState::CameBack`].
    Unreadable {
        /// Those that the query selects, in the same order.
        known: Vec<ReviewedAccount>,
        /// How many of all that are known are in each state.
        counts: BTreeMap<AccountState, usize>,
    },
}

impl Reviewed {
    /// The accounts that the query selects.
    pub fn accounts(&self) -> &[ReviewedAccount] {
        match self {
            Self::Listed { accounts, .. } => accounts,
            Self::Unreadable { known, .. } => known,
        }
    }

    /// How many accounts there are, whatever the query selects.
    pub fn total(&self) -> usize {
        AccountState::ALL.into_iter().map(|state| self.count(state)).sum()
    }

    /// How many of all accounts are in a state, whatever the query selects.
    pub fn count(&self, state: AccountState) -> usize {
        match self {
            Self::Listed { counts, .. } | Self::Unreadable { counts, .. } => counts.get(&state).copied().unwrap_or(0),
        }
    }
}

/// What is known of an account. What needs a look comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountState {
    /// It was removed through the gateway, and is there again.
    CameBack,
    /// Every person whose account it may be has left.
    OwnerLeft,
    /// No person is known for it.
    NoOwner,
    /// It may be the account of any of several people, not all of whom have left.
    OneOfSeveral,
    /// It is never removed here.
    Protected,
    /// Its owner is active.
    OwnerActive,
}

impl AccountState {
    /// All states.
    pub const ALL: [Self; 6] =
        [Self::CameBack, Self::OwnerLeft, Self::NoOwner, Self::OneOfSeveral, Self::Protected, Self::OwnerActive];

    /// Returns the word for queries and CSV.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CameBack => "came-back",
            Self::OwnerLeft => "owner-left",
            Self::NoOwner => "no-owner",
            Self::OneOfSeveral => "one-of-several",
            Self::Protected => "protected",
            Self::OwnerActive => "owner-active",
        }
    }

    /// Returns the state of a word; `None` for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedAccount {
    /// Its name.
    pub user_name: String,
    /// What is known of it.
    pub state: AccountState,
    /// Why no removal of it can be asked for; `None` if one can.
    pub unremovable: Option<Unremovable>,
    /// The people whose account it may be.
    pub owners: Vec<Owner>,
    /// The removal that removed it, the last one.
    pub removed: Option<EarlierRemoval>,
    /// The request that waits for people, the newest one.
    pub waiting: Option<EarlierRemoval>,
    /// The newest of the other requests of the last thirty days.
    pub other: Option<EarlierRemoval>,
}

/// Why an account is never removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unremovable {
    /// It is TaurusDB's own.
    System,
    /// The operator protects it.
    Configured,
    /// Its name is outside of what the operator lets be asked for.
    Unusual,
}

/// A request about an account, as far as the reader may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierRemoval {
    /// The id of its row.
    pub id: String,
    /// What people type to refer to it, if it waits or waited for people.
    pub reference: Option<String>,
    /// How far it came.
    pub state: State,
    /// The requester.
    pub requester: Option<Who>,
    /// When it was asked, in milliseconds since 1970.
    pub asked_at: i64,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// The approver who denied it, and why.
    pub denied_by: Option<(Who, Option<String>)>,
}

/// Reviews the accounts of an instance.
///
/// # Errors
///
/// If policy does not let the reader see the account list, or the ledger cannot be used.
pub async fn review_accounts<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    instance: &'c Instance,
    query: &ReviewQuery,
) -> Result<AccountReview, Refusal<'c>> {
    let policies = permitted_by(ctx, instance)?;
    let listed = match ctx.taurusdb(instance).await {
        Ok(taurusdb) => taurusdb.account_names().await,
        Err(error) => Err(error),
    };
    let listed = listed.map_err(|why| ctx.host.log(&format!("taurusdb: no account list to review: {why}"))).ok();
    let event = json!({
        "event": "accounts-reviewed",
        "at": ctx.at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "by": ctx.actor.principal,
        "policies": policies,
        "instance": instance.name,
        "accounts": listed.as_ref().map(BTreeSet::len),
    });
    log_event(ctx.host, event);
    let rows = visible_rows(ctx, instance, listed.as_ref()).await?;
    let names = match &listed {
        Some(names) => names.clone(),
        None => rows.iter().filter_map(|row| row.user_name.clone()).collect(),
    };
    let wanted = names.iter().map(|name| (instance.name.clone(), name.clone())).collect();
    let owners = Owners::read(ctx, &wanted).await?;
    let facts = Facts { ctx, instance, owners: &owners, rows: by_account(&rows), is_listed: listed.is_some() };
    let mut accounts: Vec<_> = names.into_iter().map(|name| facts.account(name)).collect();
    accounts.sort_by(|a, b| (a.state, &a.user_name).cmp(&(b.state, &b.user_name)));
    let mut counts = BTreeMap::new();
    for account in &accounts {
        let count: &mut usize = counts.entry(account.state).or_default();
        *count = count.saturating_add(1);
    }
    accounts.retain(|account| query.selects(account));
    Ok(AccountReview {
        instance: instance.name.clone(),
        environment: instance.environment.clone(),
        read_at: ctx.at,
        accounts: match listed {
            Some(_) => Reviewed::Listed { accounts, counts },
            None => Reviewed::Unreadable { known: accounts, counts },
        },
        directories: owners.directories,
        is_complete: owners.is_complete,
        policies,
    })
}

/// The rows about the accounts of a list that the reader may see, newest first; without a list, those of the last time.
async fn visible_rows<'c, H: Host>(
    ctx: &Ctx<'c, H>,
    instance: &Instance,
    listed: Option<&BTreeSet<String>>,
) -> Result<Vec<RemovalRow>, Refusal<'c>> {
    let ledger = ctx.ledger().await?;
    let since = ctx.at.checked_sub_signed(Duration::days(DAYS)).unwrap_or(ctx.at);
    let mut rows = match listed {
        Some(names) => ctx.stored(ledger.rows_of_accounts(&instance.name, names, since, ctx.at).await)?,
        None => {
            let since = Some(since.timestamp_millis());
            let query = RemovalQuery { instance: Some(instance.name.clone()), since, ..RemovalQuery::default() };
            ctx.stored(ledger.rows(&query, None, usize::from(LARGEST)).await)?
        }
    };
    let mut reader = Reader::new(ctx);
    rows.retain(|row| reader.is_own(row) || reader.response(row).allowed);
    Ok(rows)
}

fn by_account(rows: &[RemovalRow]) -> BTreeMap<&str, Vec<&RemovalRow>> {
    let mut by_account: BTreeMap<&str, Vec<&RemovalRow>> = BTreeMap::new();
    for row in rows {
        by_account.entry(row.user_name.as_deref().unwrap_or_default()).or_default().push(row);
    }
    by_account
}

impl ReviewQuery {
    fn selects(&self, account: &ReviewedAccount) -> bool {
        let wanted = self.text.trim().to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        self.state.is_none_or(|state| state == account.state)
            && (has(&account.user_name) || account.owners.iter().any(|owner| has(&owner.name)))
    }
}

/// What an account is judged by.
struct Facts<'a, 'c, H> {
    ctx: &'a Ctx<'c, H>,
    instance: &'c Instance,
    owners: &'a Owners,
    /// By account, newest first.
    rows: BTreeMap<&'a str, Vec<&'a RemovalRow>>,
    is_listed: bool,
}

impl<H: Host> Facts<'_, '_, H> {
    fn account(&self, user_name: String) -> ReviewedAccount {
        let config = &self.ctx.app.config;
        let rows = self.rows.get(user_name.as_str()).map(Vec::as_slice).unwrap_or_default();
        let is_waiting = |state: State| matches!(state, State::AwaitingConfirmation | State::AwaitingApproval);
        let newest = |is_wanted: &dyn Fn(State) -> bool| {
            let row = rows.iter().find(|row| is_wanted(row.state));
            row.map(|row| earlier(self.ctx, row))
        };
        let unremovable = match config.accounts.parse(&user_name) {
            Ok(_) => None,
            Err(RequestError::AccountReserved { .. }) => Some(Unremovable::System),
            Err(RequestError::AccountProtected { .. }) => Some(Unremovable::Configured),
            Err(_) => Some(Unremovable::Unusual),
        };
        let owners = self.owners.of(&self.instance.name, &user_name);
        let removed = newest(&|state| state == State::Removed);
        let state = match unremovable {
            Some(Unremovable::System | Unremovable::Configured) => AccountState::Protected,
            _ if self.is_listed && removed.is_some() => AccountState::CameBack,
            _ => of_owners(&owners),
        };
        ReviewedAccount {
            state,
            unremovable,
            owners,
            removed,
            waiting: newest(&is_waiting),
            other: newest(&|state| state != State::Removed && !is_waiting(state)),
            user_name,
        }
    }
}

/// What the owners alone make of an account.
fn of_owners(owners: &[Owner]) -> AccountState {
    let has_left = |owner: &Owner| matches!(owner.standing, Standing::Left { .. });
    match owners {
        [] => AccountState::NoOwner,
        owners if owners.iter().all(has_left) => AccountState::OwnerLeft,
        [_] => AccountState::OwnerActive,
        _ => AccountState::OneOfSeveral,
    }
}

fn earlier<H: Host>(ctx: &Ctx<'_, H>, row: &RemovalRow) -> EarlierRemoval {
    let who = |principal: &str| Who::of(&ctx.app.config, principal);
    EarlierRemoval {
        id: row.id.as_str().to_owned(),
        reference: row.reference.clone(),
        state: row.state,
        requester: row.actor.as_deref().map(who),
        asked_at: row.asked_at,
        ended_at: row.ended_at,
        denied_by: row.denial().map(|vote| (who(&vote.actor), vote.reason.clone())),
    }
}

/// The columns of [`AccountReview::csv`].
pub const COLUMNS: [&str; 13] = [
    "instance",
    "environment",
    "user_name",
    "listed",
    "state",
    "owners",
    "known_from",
    "left_at",
    "removed_by",
    "removed_at",
    "waiting",
    "read_at",
    "owners_complete",
];

impl AccountReview {
    /// The accounts that the query selects as CSV (RFC 4180), with a header. Several owners, and how and since when they are known,
    /// are in one field, with semicolons between them, in the same order; `removed_by` and `waiting` are ids of removals.
    pub fn csv(&self) -> String {
        let lines = self.accounts.accounts().iter().map(|account| line(self.fields(account)));
        std::iter::once(line(COLUMNS)).chain(lines).collect()
    }

    fn fields(&self, account: &ReviewedAccount) -> [String; 13] {
        let of_owners =
            |field: &dyn Fn(&Owner) -> String| account.owners.iter().map(field).collect::<Vec<_>>().join("; ");
        let id = |removal: &Option<EarlierRemoval>| removal.as_ref().map(|one| one.id.clone()).unwrap_or_default();
        let removed_at = account.removed.as_ref().and_then(|removal| removal.ended_at).and_then(time);
        let is_listed = matches!(self.accounts, Reviewed::Listed { .. });
        [
            self.instance.clone(),
            self.environment.clone(),
            account.user_name.clone(),
            // Without a list it is not known.
            if is_listed { "true".to_owned() } else { String::new() },
            account.state.as_str().to_owned(),
            of_owners(&|owner| owner.name.clone()),
            of_owners(&|owner| owner.known_from.iter().map(known_from).collect::<Vec<_>>().join(" and ")),
            of_owners(&|owner| match owner.standing {
                Standing::Active => "active".to_owned(),
                Standing::Left { at } => at.and_then(time).unwrap_or_else(|| "left".to_owned()),
            }),
            id(&account.removed),
            removed_at.unwrap_or_default(),
            id(&account.waiting),
            self.read_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            self.is_complete.to_string(),
        ]
    }
}

fn known_from(from: &KnownFrom) -> String {
    match from {
        KnownFrom::Configuration => "configuration".to_owned(),
        KnownFrom::Directory { caller, .. } => caller.clone(),
    }
}
