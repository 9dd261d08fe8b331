//! The parameters of a query or a form.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;

const FORM: &str = "application/x-www-form-urlencoded";

/// Parameters by name. A parameter without a value counts as left out (RFC 6749, section 3.1).
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Parses a query or a form.
    ///
    /// # Errors
    ///
    /// If a parameter stands twice, even without a value: its name.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if parameters.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(name.into_owned());
            }
        }
        parameters.retain(|_, value| !value.is_empty());
        Ok(Self(parameters))
    }

    /// Parses the body of a POST, or the query of every other request.
    ///
    /// # Errors
    ///
    /// If the body is no form, or a parameter stands twice: what is wrong, for the client's developer.
    pub(super) fn of(request: &Request<Bytes>) -> Result<Self, String> {
        let parsed = if request.method() == http::Method::POST {
            let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let (essence, _) =
                content_type.unwrap_or_default().split_once(';').unwrap_or((content_type.unwrap_or_default(), ""));
            if !essence.trim().eq_ignore_ascii_case(FORM) {
                return Err(format!("the body is not `{FORM}`"));
            }
            Self::parse(request.body())
        } else {
            Self::parse(request.uri().query().unwrap_or_default().as_bytes())
        };
        parsed.map_err(|name| format!("`{name}` appears twice; send it once"))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}
