//! What the suites about TaurusDB share.

use bytes::Bytes;
use http::{Request, Response};
use starrocks_offboard::app::App;
use support::memory::Memory;

use crate::gateway::{ask, documented, memory, seconds};

pub(crate) const PASSWORD: &[(&str, &str)] = &[("credentials = \"aksk\"", "credentials = \"password\"")];
pub(crate) const HTML: &str = "<html>gateway error</html>";

pub(crate) fn failure(code: &str) -> String {
    format!(r#"{{"error_code":"{code}","error_msg":"words of TaurusDB"}}"#)
}

pub(crate) fn with_password() -> Memory {
    let mut host = memory();
    for (name, value) in [
        ("huaweicloud_user", "offboard"),
        ("huaweicloud_password", "iam-password-77aa"),
        ("huaweicloud_domain", "acme"),
        ("iam_endpoint", "https://*.myhuaweicloud.com"),
    ] {
        host.variables.insert(name.into(), value.to_owned());
    }
    host
}

/// A new delivery for `alice`, each time it is called.
pub(crate) async fn remove_alice(host: &Memory, app: &App) -> Response<Bytes> {
    host.now.set(host.now.get() + 1000);
    ask(host, app, documented(seconds(host), "user_name=alice")).await
}

/// `(state, code, attempts, confirmed_by)` of the newest row.
pub(crate) fn newest(host: &Memory) -> (String, Option<String>, i64, Option<String>) {
    let sql = "SELECT state, code, attempts, confirmed_by FROM removals ORDER BY rowid DESC LIMIT 1";
    host.database.row(sql, &[]).unwrap()
}

pub(crate) fn row(
    state: &str,
    code: &str,
    attempts: i64,
    confirmed_by: Option<&str>,
) -> (String, Option<String>, i64, Option<String>) {
    (state.into(), Some(code.into()), attempts, confirmed_by.map(str::to_owned))
}

pub(crate) fn sent_header(request: &Request<Bytes>, name: &str) -> Option<String> {
    request.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

pub(crate) fn logged(host: &Memory, part: &str) -> bool {
    host.lines.borrow().iter().any(|line| line.contains(part))
}
