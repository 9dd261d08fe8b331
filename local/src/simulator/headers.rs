//! The headers that TaurusDB and IAM read and write.

use http::HeaderName;

pub(super) const AUTH_TOKEN: &str = "x-auth-token";
pub(super) const LANGUAGE: &str = "x-language";
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
pub(super) const SECURITY_TOKEN: &str = "x-security-token";
pub(super) const SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
