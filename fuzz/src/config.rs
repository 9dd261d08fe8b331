//! What an operator writes: offboard.toml, policy.cedar and schema.cedarschema.

use local::lint::config_files;
use starrocks_offboard::app::{self, App};
use starrocks_offboard::diagnostic::Diagnostic;

use crate::kinds::{OFFBOARD, POLICY, SCHEMA};
use crate::wire;

/// How long a text may be here. Cedar's parser takes time and stack that grow with it; an operator's mistake is short.
const LONGEST: usize = 8 * 1024;

/// `[which, text]`: offboard.toml, the policy, the schema beside the demo's others, or all three with `%%` between them.
pub fn config(data: &[u8]) {
    let [which, text @ ..] = data else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if text.len() > LONGEST {
        return;
    }
    let parts: Vec<&str> =
        wire::parts(text.as_bytes()).into_iter().filter_map(|part| str::from_utf8(part).ok()).collect();
    let (offboard, policy, schema) = match (which % 4, parts.as_slice()) {
        (0, _) => (text, POLICY, SCHEMA),
        (1, _) => (OFFBOARD, text, SCHEMA),
        (2, _) => (OFFBOARD, POLICY, text),
        (_, [offboard, policy, schema]) => (*offboard, *policy, *schema),
        _ => return,
    };
    let loaded = app::load(offboard, policy, schema);
    let diagnostics = config_files::diagnostics(offboard, policy, schema);
    let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    match &loaded {
        Ok(_) => assert!(errors.is_empty(), "usable, and yet {errors:?}"),
        Err(why) => {
            // Of several types that a schema lacks Cedar names the place of one, and not always the same.
            let is_told_alike = |diagnostic: &&Diagnostic| diagnostic.file != "schema.cedarschema";
            let [first, second]: [Vec<&Diagnostic>; 2] =
                [why.iter().filter(is_told_alike).collect(), errors.iter().copied().filter(is_told_alike).collect()];
            assert_eq!((first, why.len()), (second, errors.len()));
        }
    }
    for diagnostic in &diagnostics {
        assert!(!diagnostic.message.is_empty());
        let lines = match diagnostic.file {
            app::OFFBOARD => offboard,
            "policy.cedar" => policy,
            _ => schema,
        };
        let most = lines.split('\n').count();
        assert!(diagnostic.line.is_none_or(|line| (1..=most).contains(&line)), "{diagnostic:?} of {most} lines");
    }
    let app = App::parse(offboard, policy, schema);
    assert_eq!(app.is_ok(), loaded.is_ok());
    let Ok((config, _)) = loaded else { return };
    for instance in config.instances() {
        let endpoint = instance.endpoint.as_str();
        assert!(endpoint.starts_with("https://") || endpoint.starts_with("http://"), "{endpoint}");
        assert!(!endpoint.ends_with('/'), "{endpoint}");
        assert_eq!(config.instance(&instance.name).ok(), Some(instance));
        assert_eq!(config.instance_by_ids(&instance.project_id, &instance.instance_id).ok(), Some(instance));
    }
    for caller in config.callers() {
        assert_eq!(config.caller(&caller.name).ok(), Some(caller));
    }
    for name in ["root", "ROOT", "rdsAdmin", "rdsmetric"] {
        assert!(config.accounts.parse(name).is_err(), "{name}");
    }
}
