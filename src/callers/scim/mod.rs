//! SCIM 2.0, as used by identity systems: `/scim/v2/{caller}/Users…` (RFC 7643, RFC 7644).
//!
//! Proof: `Authorization: Bearer` with a secret that both sides have. The principal is the caller itself. A person who becomes
//! inactive or is deleted is a leaver: the person's accounts are removed (`[caller.leavers]`), and the identity system gets a success
//! only when all of them are gone. Until then a read shows `active` as true, and repeating the request removes the rest.
//!
//! Everything that a resource says of a person is kept and comes back, within bounds and without the password: an identity system
//! that compares what it wants with what it sees would otherwise send the same again with every run.
//!
//! Beside the RFC's form, the forms of identity systems are read: `op` and names in any case, `"False"` for `false`, `active` in a
//! value without a path, names with their schema or with dots, numbers for texts
//! (<https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/>,
//! <https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-config-problem-scim-compatibility>).
//!
//! Not supported, and declared so in ServiceProviderConfig: bulk, sorting, ETags, changing passwords. Groups are accepted and
//! forgotten (`groups`).

mod body;
pub mod discovery;
mod groups;
pub mod patch;
mod query;
pub mod resource;
mod route;

use chrono::{DateTime, Utc};
use serde_json::json;

use crate::callers::event::Event;
use crate::callers::kind::{CallerKind, Endpoint, Verified};
use crate::callers::parsed::Parsed;
use crate::callers::proof::{Proof, ProofError, VerificationKeys, bearer_or_bare, token_form};
use crate::callers::scim::resource::rendered;
use crate::callers::scim::route::operation;
use crate::config::Config;
use crate::config::attribute::Attribute;
use crate::config::caller_shape::CallerShape;
use crate::config::callers::Caller;
use crate::crypto::mac::same_secret;
use crate::outcome::Outcome;
use crate::outcome::catalog::{self, Entry};
use crate::outcome::message::Message;
use crate::reply::{Rendered, Reply};
use crate::request::ids::DeliveryId;
use crate::request::inbound::{DIRECTORY_BODY_LIMIT, Inbound};

pub(crate) struct Scim;

impl CallerKind for Scim {
    fn shape(&self) -> CallerShape {
        CallerShape { leavers: LEAVERS, secret_form: token_form, ..CallerShape::hook("scim") }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Scim
    }

    fn content_types(&self) -> &'static [&'static str] {
        &["application/scim+json", "application/json"]
    }

    /// Some clients do not say what they send.
    fn takes_content_type(&self, media_type: Option<&str>, _: &Inbound) -> bool {
        media_type.is_none_or(|given| self.content_types().iter().any(|known| given.eq_ignore_ascii_case(known)))
    }

    fn body_limit(&self) -> usize {
        DIRECTORY_BODY_LIMIT
    }

    fn verify(
        &self,
        inbound: &Inbound,
        caller: &Caller,
        keys: &VerificationKeys,
        _: DateTime<Utc>,
    ) -> Result<Proof, ProofError> {
        let token = bearer_or_bare(&inbound.headers)?;
        keys.proved_by(|secret| same_secret(token.as_bytes(), secret))?;
        let parts =
            [inbound.method.as_str().as_bytes(), inbound.path.as_bytes(), inbound.query.as_bytes(), &inbound.body];
        Ok(Proof::of(DeliveryId::new(caller, &parts)))
    }

    fn parse<'c>(&self, request: Verified<'_>, _: &'c Config) -> Parsed<'c> {
        Event::parsed(request.caller, operation(request.inbound))
    }

    fn render(&self, reply: &Reply<'_>) -> Rendered {
        let status = reply.outcome.status();
        let scim_type = match reply.outcome {
            Outcome::Refused(message) => scim_type(message),
            _ => None,
        };
        let mut body = json!({
            "schemas": [ERROR],
            "status": status.as_str(),
            "detail": reply.outcome.message(reply.language),
        });
        if let (Some(scim_type), Some(fields)) = (scim_type, body.as_object_mut()) {
            fields.insert("scimType".into(), scim_type.into());
        }
        rendered(status, &body)
    }
}

/// What of a person can name accounts. User names, addresses and numbers compare without case (RFC 7643, sections 4.1.1 and
/// 8.7.1), ids and `externalId` with it.
const LEAVERS: &[Attribute<'static>] = &[
    Attribute::managed("userName"),
    Attribute::id("id"),
    Attribute::id("externalId"),
    Attribute::managed("email"),
    Attribute::managed("employeeNumber"),
];

/// Returns the `scimType` of a refusal (RFC 7644, section 3.12, table 9).
fn scim_type(message: &Message) -> Option<&'static str> {
    let is = |entries: &[&Entry]| entries.contains(&message.entry());
    let named = message.text("name");
    if is(&[&catalog::FIELD_INVALID]) && named == Some("filter") {
        Some("invalidFilter")
    } else if is(&[&catalog::FIELD_INVALID]) && named == Some("path") {
        Some("invalidPath")
    } else if is(&[&catalog::FIELD_MISSING]) && named == Some("path") {
        Some("noTarget")
    } else if is(&[&catalog::FIELD_INVALID, &catalog::FIELD_MISSING]) {
        Some("invalidValue")
    } else if is(&[&catalog::BODY_MALFORMED, &catalog::FIELD_DOUBLED]) {
        Some("invalidSyntax")
    } else if is(&[&catalog::PERSON_TAKEN]) {
        Some("uniqueness")
    } else {
        None
    }
}

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
