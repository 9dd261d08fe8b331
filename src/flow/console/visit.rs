//! A person's visit to a page: what every page is filled from, and what is around it.

use http::header::CONTENT_DISPOSITION;
use http::{Method, StatusCode};

use crate::callers::console::guard::{Fingerprint, Form};
use crate::callers::console::settings::has_provider;
use crate::console::locale::Locale;
use crate::console::pages::frame::{Frame, Navigation};
use crate::flow::console::done;
use crate::flow::console::form_sent::{SIGN_OUT, TOKEN};
use crate::flow::console::language::other_language;
use crate::flow::console::page_request::SignedInPerson;
use crate::flow::console::people::person;
use crate::host::Host;
use crate::ledger::GATEWAY;
use crate::operations::Ctx;
use crate::operations::console::navigation::may;
use crate::operations::console::waiting_for::count_waiting;
use crate::operations::console::who::Who;
use crate::operations::report::Refusal;
use crate::reply::Rendered;
use crate::request::error::RequestError;
use crate::request::inbound::Inbound;
use crate::request::strict::Fields;

/// The content type of pages.
const HTML: &str = "text/html; charset=utf-8";

/// What a page is filled from.
pub(super) struct Visit<'v, 'c, H> {
    pub(super) ctx: &'v Ctx<'c, H>,
    pub(super) inbound: &'v Inbound,
    /// The parameters of the address, or the fields of the form that was sent.
    pub(super) fields: Fields,
    pub(super) person: &'v SignedInPerson,
}

impl<'v, 'c, H: Host> Visit<'v, 'c, H> {
    /// Reads the parameters of the address, or the fields of the form.
    ///
    /// # Errors
    ///
    /// If they cannot be read, or one is there twice.
    pub(super) fn new(
        ctx: &'v Ctx<'c, H>,
        inbound: &'v Inbound,
        person: &'v SignedInPerson,
    ) -> Result<Self, RequestError> {
        let is_form = inbound.method == Method::POST;
        let fields = if is_form { Fields::from_form(&inbound.body) } else { Fields::from_query(&inbound.query) }?;
        Ok(Self { ctx, inbound, fields, person })
    }

    /// The language of the page, and its time at the operator's offset.
    pub(super) fn locale(&self) -> Locale {
        let Ctx { at, app, language, .. } = self.ctx;
        Locale { language: *language, now: at.with_timezone(&app.config.utc_offset) }
    }

    /// The value of a parameter or field; empty if it is not there.
    pub(super) fn value(&self, name: &str) -> &str {
        self.fields.value(name).unwrap_or_default()
    }

    /// The token for a form: bound to the person, to what the form does, to what it is about and to what the page shows.
    pub(super) fn token(&self, action: &str, reference: &str, shown: &Fingerprint) -> String {
        self.form(action, reference).token(shown, &self.person.secrets, self.ctx.at).unwrap_or_default()
    }

    /// Checks the token of the form that was sent.
    ///
    /// # Errors
    ///
    /// If the form was not made for this person, action and reference, is too old, or showed something else.
    pub(super) fn check_token(&self, action: &str, reference: &str, shown: &Fingerprint) -> Result<(), Refusal<'c>> {
        let form = self.form(action, reference);
        Ok(form.check(self.fields.value(TOKEN), shown, &self.person.secrets, self.ctx.at)?)
    }

    /// Checks the token of the form that was sent, whatever the page of the form showed: before a call is made to find that out anew.
    ///
    /// # Errors
    ///
    /// If the form was not made for this person, action and reference, or is too old.
    pub(super) fn check_tag(&self, action: &str, reference: &str) -> Result<(), Refusal<'c>> {
        let form = self.form(action, reference);
        Ok(form.check_tag(self.fields.value(TOKEN), &self.person.secrets, self.ctx.at)?)
    }

    fn form<'f>(&'f self, action: &'f str, reference: &'f str) -> Form<'f> {
        Form { person: &self.person.actor.principal, action, reference }
    }

    /// What is around the page.
    ///
    /// # Errors
    ///
    /// If the ledger cannot be used.
    pub(super) async fn frame(&self) -> Result<Frame, Refusal<'c>> {
        let waiting = count_waiting(self.ctx).await?.count;
        Ok(Frame {
            done: done::of_address(self.ctx, &self.fields, &self.person.actor).await?,
            ..self.frame_around(waiting)
        })
    }

    /// What is around a page that is shown although the ledger cannot be used: the number of what waits is 0.
    pub(super) fn frame_without_ledger(&self) -> Frame {
        self.frame_around(0)
    }

    fn frame_around(&self, waiting: usize) -> Frame {
        let Ctx { app, caller, .. } = self.ctx;
        let pages = may(self.ctx);
        Frame {
            locale: self.locale(),
            reader: person(Who::of(&app.config, &self.person.actor.principal)),
            permitted: Navigation { ask: pages.ask, accounts: pages.accounts, policy: pages.policy },
            waiting,
            sign_out_token: has_provider(caller).then(|| self.token(SIGN_OUT, "", &Fingerprint::of(&[]))),
            other_language: self.in_other_language(),
            policy_set: app.policies.digest().to_owned(),
            version: GATEWAY.to_owned(),
            done: None,
        }
    }

    /// This page in the other language. The answer to a form has no address of its own, so its link leads to the page of the form.
    fn in_other_language(&self) -> String {
        other_language(self.inbound, &self.fields, self.ctx.language)
    }

    /// A page.
    pub(super) fn html(&self, page: String) -> Rendered {
        Rendered::of(HTML, StatusCode::OK, page)
    }

    /// A file that the browser keeps under this name.
    pub(super) fn csv(&self, name: &str, csv: String) -> Rendered {
        let mut rendered = Rendered::of("text/csv; charset=utf-8", StatusCode::OK, csv);
        rendered.headers.push((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
        rendered
    }
}
