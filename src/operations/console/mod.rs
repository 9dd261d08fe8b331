//! What the pages of the console show, as data: who may see it is policy's to say, exactly as for the same facts over the API, and
//! how it looks is not decided here.
//!
//! | page | data | policy |
//! |---|---|---|
//! | navigation | [`navigation`] | `delete` or `request`; `list`; `audit` on the ledger |
//! | Waiting | [`waiting_for`] | `approve`; own requests always |
//! | Ask | [`review_accounts`], [`check_removal`] | `list`, but for own accounts; `delete` or `request` |
//! | Removals | [`removal_page`], [`removal_history`] | `audit`; own requests always |
//! | a removal | [`look_up`], [`owners_of`] | `audit`; own requests always |
//! | Accounts | [`review_accounts`] | `list`; of the ledger, what `audit` permits |
//! | Policy | [`explain_policy`] | `audit` on the ledger |

mod account_owners;
mod approvers;
pub mod became;
pub mod check_removal;
pub mod explain_policy;
pub mod navigation;
pub mod removal_history;
pub mod review_accounts;
pub mod waiting_for;
pub mod who;

pub use crate::operations::console::account_owners::{KnownFrom, Owner, Standing, owners_of};
pub use crate::operations::console::approvers::{Approvers, approvers_of};
pub use crate::operations::get_removal::{LookedUp, look_up};
pub use crate::operations::list_removals::{RemovalPage, removal_page};
