//! What the tests of the linter share: small files, and the diagnostics when something in them is changed.

use starrocks_offboard::app;
use starrocks_offboard::diagnostic::Diagnostic;

use super::{check, config_files};
use crate::operator_files::OperatorFiles;

const OFFBOARD_TEXT: &str = r#"[taurusdb]
credentials = "aksk"
[approvals]
required = { production = 2 }
[[instance]]
name = "warehouse"
project_id = "23a50154cf494ec9ad6883979a12db0a"
instance_id = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17"
region = "ap-southeast-3"
environment = "production"
[[team]]
name = "dba"
members = ["slack/U1", "hr", "portal/KEY1"]
[[person]]
name = "dana"
principals = ["slack/U1"]
[[caller]]
name = "slack"
kind = "slack"
secrets = ["slack_secret"]
[[caller]]
name = "hr"
kind = "standard-webhooks"
secrets = ["hr_secret"]
[[caller]]
name = "portal"
kind = "api"
access_keys = [{ id = "KEY1", secret = "portal_secret" }]
"#;
const POLICY: &str = r#"// Who may.
@id("dba")
permit (
principal in Team::"dba",
action,
resource
);
"#;
pub(super) const SCHEMA: &str = include_str!("../../../config/schema.cedarschema");

/// The offboard.toml beside [`SPIN_TEXT`].
const OFFBOARD_FOR_SPIN: &str = r#"[taurusdb]
credentials = "aksk"
[[credentials]]
name = "user"
kind = "password"
variables = { user = "user", password = "password", domain = "domain" }
[[instance]]
name = "warehouse"
project_id = "23a50154cf494ec9ad6883979a12db0a"
instance_id = "86cf8ab6f4d14c1fa5e1d2b7a0c3e945in17"
region = "ap-southeast-3"
environment = "production"
[[instance]]
name = "analytics"
project_id = "23a50154cf494ec9ad6883979a12db0a"
instance_id = "54e42160670e48e789af7075e1efea1fin17"
endpoint = "https://gaussdb.example.com"
environment = "production"
[[caller]]
name = "hr"
kind = "standard-webhooks"
secrets = ["new_secret", "old_secret"]
"#;
const SPIN_TEXT: &str = r#"spin_manifest_version = 2
[application]
name = "small"
[variables]
huaweicloud_access_key = { default = "" }
huaweicloud_secret_key = { default = "" }
huaweicloud_security_token = { default = "" }
new_secret = { default = "" }
old_secret = { default = "" }
user = { default = "" }
host = { default = "gaussdb.example.com" }
[[trigger.http]]
route = "/..."
component = "c"
[component.c]
source = "c.wasm"
files = [{ source = "config", destination = "/config" }]
allowed_outbound_hosts = [
"https://*.myhuaweicloud.com",
"https://{{ host }}",
]
[component.c.variables]
huaweicloud_access_key = "{{ huaweicloud_access_key }}"
huaweicloud_secret_key = "{{ huaweicloud_secret_key }}"
huaweicloud_security_token = "{{ huaweicloud_security_token }}"
new_secret = "{{ new_secret }}"
old_secret = "{{ old_secret }}"
[component.c.build]
command = "cargo build"
"#;

/// Returns the diagnostics about the three files after replacing `from` by `to` in the file that contains it.
pub(super) fn found(from: &str, to: &str) -> Vec<String> {
    let mut files = [OFFBOARD_TEXT, POLICY, SCHEMA].map(str::to_owned);
    replace(&mut files, from, to);
    let [offboard, policy, schema] = &files;
    let diagnostics = config_files::diagnostics(offboard, policy, schema);
    // The gateway fails on exactly the errors.
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).cloned().collect();
    assert_eq!(app::load(offboard, policy, schema).err().unwrap_or_default(), errors);
    lines(&diagnostics)
}

/// Returns the diagnostics about offboard.toml and spin.toml after these replacements. `set` has values of variables
/// beside those that the files need.
pub(super) fn found_with_spin(changes: &[(&str, &str)], set: &[(&str, &str)]) -> Vec<String> {
    let mut texts = [OFFBOARD_FOR_SPIN, SPIN_TEXT].map(str::to_owned);
    for (from, to) in changes {
        replace(&mut texts, from, to);
    }
    let [offboard, spin] = texts;
    let files = OperatorFiles { offboard, policy: String::new(), schema: SCHEMA.to_owned() };
    let needed = [("huaweicloud_access_key", "a"), ("huaweicloud_secret_key", "b"), ("new_secret", "c")];
    let given = needed.iter().chain(set).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    lines(&check::diagnostics(&files, &spin, &given))
}

fn replace(files: &mut [String], from: &str, to: &str) {
    let file = files.iter_mut().find(|file| file.contains(from));
    let file = file.unwrap_or_else(|| panic!("no file has {from:?}"));
    *file = file.replacen(from, to, 1);
}

/// Formats diagnostics as `check` prints them.
pub(super) fn lines(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|diagnostic| format!("{}: {diagnostic}", diagnostic.severity)).collect()
}
