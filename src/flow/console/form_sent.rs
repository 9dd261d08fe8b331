//! What a person comes to with a page or a form, and the command that a form stands for.

use crate::app::App;
use crate::console::view::Act;
use crate::reply::Rendered;
use crate::request::account_name::UserName;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::ids::DeliveryId;
use crate::request::reason::Reason;

/// The hidden field of every form.
pub(super) const TOKEN: &str = "token";

/// What the form that signs out does.
pub(super) const SIGN_OUT: &str = "sign-out";

/// What a person comes to with a page or a form.
pub(super) enum Visited {
    /// This page.
    Page(Rendered),
    /// A form that was read, and what it does.
    Form(FormSent, Act),
}

/// A form that was read.
pub(super) enum FormSent {
    /// A decision about the request under this reference.
    Decision { reference: String, action: ApprovalAction, reason: Option<Reason> },
    /// A removal that is asked for; its delivery is that of the form.
    Removal { user_name: UserName, instance: String, reason: Option<Reason>, delivery: DeliveryId },
}

impl FormSent {
    /// The command that the form stands for, and its delivery; `sent` is that of the request.
    ///
    /// # Errors
    ///
    /// If the configuration has no such instance.
    pub(super) fn command(self, app: &App, sent: DeliveryId) -> Result<(Command<'_>, DeliveryId), RequestError> {
        Ok(match self {
            Self::Decision { reference, action, reason } => {
                (Command::DecideApproval { id: reference, action, reason }, sent)
            }
            Self::Removal { user_name, instance, reason, delivery } => {
                let instance = app.config.instance(&instance)?;
                let (dry_run, caused_by) = (false, None);
                (Command::RemoveAccount { user_name, instance, reason, dry_run, caused_by }, delivery)
            }
        })
    }
}
