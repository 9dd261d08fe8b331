//! What people type (table D of the dialects), and what no text may do.

use std::sync::LazyLock;

use super::words::Word;
use super::{command, flags};
use crate::config::Config;
use crate::request::command::{ApprovalAction, Command};
use crate::request::error::RequestError;
use crate::request::unclear::Unclear;

const INSTANCES: [&str; 4] = ["analytics", "warehouse", "Logs", "logs"];

fn config(extra: &[&str]) -> Config {
    let mut text =
        "[taurusdb]\ncredentials = \"aksk\"\n[accounts]\nprotected = [\"etl_*\"]\nunusual = [\"Old-*\", \"x,*\"]\n"
            .to_owned();
    for (index, name) in INSTANCES.iter().chain(extra).enumerate() {
        text += &format!(
            "[[instance]]\nname = \"{name}\"\nproject_id = \"23a50154cf494ec9ad6883979a12db0a\"\ninstance_id = \"{index:032}in17\"\nregion = \"ap-southeast-3\"\nenvironment = \"staging\"\n"
        );
    }
    Config::parse(&text, &[]).unwrap()
}

/// What a text comes to, in one line.
fn read_with(text: &str, config: &Config) -> String {
    let because = |reason: Option<String>| reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    match command(text, config) {
        Ok(Command::RemoveAccount { user_name, instance, reason, dry_run, .. }) => {
            let verb = if dry_run { "dry-run" } else { "remove" };
            let why = because(reason.map(|reason| reason.as_str().to_owned()));
            format!("{verb} {user_name} {}{why}", instance.name)
        }
        Ok(Command::DecideApproval { id, action, reason }) => {
            let name = ApprovalAction::ALL.into_iter().find(|(_, known)| *known == action).unwrap().0;
            format!("{name} {id}{}", because(reason.map(|reason| reason.as_str().to_owned())))
        }
        Ok(Command::GetRemoval { id }) => format!("status {id}"),
        Ok(Command::ListPending(_)) => "pending".to_owned(),
        Ok(Command::Help) => "help".to_owned(),
        Ok(other) => panic!("{other:?}"),
        Err(RequestError::CommandUnclear(unclear)) => match unclear {
            Unclear::FlagUnknown { given } => format!("!flag {given}"),
            Unclear::DryRunUnclear { given } => format!("!dry-run {given}"),
            Unclear::CommandUnknown { given, meant } => format!("!command {given} {meant}"),
            Unclear::WordsWrong { usage } => format!("!usage {usage}"),
            Unclear::AccountIsPerson { given } => format!("!person {given}"),
            other => format!("!{other:?}"),
        },
        Err(RequestError::InstanceUnknown { given }) => format!("!instance {given}"),
        Err(RequestError::InstanceAmbiguous { given }) => format!("!case {given}"),
        Err(RequestError::UserNameInvalid { given }) => format!("!name {given}"),
        Err(RequestError::FieldInvalid { name, .. }) => format!("!{name}"),
        Err(other) => format!("!{other:?}"),
    }
}

static CONFIG: LazyLock<Config> = LazyLock::new(|| config(&[]));

fn read(text: &str) -> String {
    read_with(text, &CONFIG)
}

fn check(table: &[(&str, &str)]) {
    let wrong: Vec<_> = table.iter().map(|(text, is)| (text, is, read(text))).collect();
    let wrong: Vec<_> = wrong.into_iter().filter(|(_, is, read)| *is != read).collect();
    assert!(wrong.is_empty(), "(typed, expected, read): {wrong:#?}");
}

#[test]
fn the_documented_grammar() {
    check(&[
        ("", "help"),
        ("help", "help"),
        ("pending", "pending"),
        ("alice analytics", "remove alice analytics"),
        ("alice analytics left the company", "remove alice analytics: left the company"),
        ("alice analytics --dry-run", "dry-run alice analytics"),
        ("--dry-run alice analytics left", "dry-run alice analytics: left"),
        ("alice --dry-run analytics left", "dry-run alice analytics: left"),
        ("status K7Q2M9XA", "status K7Q2M9XA"),
        ("confirm K7Q2M9XA", "confirm K7Q2M9XA"),
        ("cancel K7Q2M9XA", "cancel K7Q2M9XA"),
        ("approve K7Q2M9XA", "approve K7Q2M9XA"),
        ("deny K7Q2M9XA", "deny K7Q2M9XA"),
        ("deny K7Q2M9XA not yet - ask dana", "deny K7Q2M9XA: not yet - ask dana"),
        ("status analytics left", "remove status analytics: left"),
        ("help analytics", "remove help analytics"),
        ("alice", "!NotACommand"),
        ("hello", "!NotACommand"),
        ("@offboard", "help"),
        ("alice payroll", "!instance payroll"),
        ("etl_load analytics", "!AccountProtected { name: \"etl_load\" }"),
        ("root analytics", "!AccountReserved { name: \"root\" }"),
        ("alice Logs", "remove alice Logs"),
        ("alice logs", "remove alice logs"),
    ]);
}

/// D1 and f12.
#[test]
fn d1_dashes_as_phones_write_them() {
    check(&[
        ("pat analytics —dry-run", "dry-run pat analytics"),
        ("pat analytics –dry-run", "dry-run pat analytics"),
        ("pat analytics －－dry-run", "dry-run pat analytics"),
        ("pat analytics ——dry-run", "dry-run pat analytics"),
        ("pat analytics ーーdry-run", "dry-run pat analytics"),
        ("pat analytics -dry-run", "dry-run pat analytics"),
        ("pat analytics --Dry-Run", "dry-run pat analytics"),
        ("pat analytics --DRY-RUN", "dry-run pat analytics"),
        ("pat analytics --dry‑run", "dry-run pat analytics"),
        ("pat analytics —dry—run", "dry-run pat analytics"),
        ("pat analytics --ｄｒｙ－ｒｕｎ", "dry-run pat analytics"),
        ("pat analytics --dry-run.", "dry-run pat analytics"),
        ("pat analytics --dry-run，", "dry-run pat analytics"),
        ("pat analytics，--dry-run", "dry-run pat analytics"),
        ("pat analytics \"--dry-run\"", "dry-run pat analytics"),
        ("pat analytics (`--dry-run`)", "dry-run pat analytics"),
        ("pat analytics\u{a0}--dry-run", "dry-run pat analytics"),
        ("pat analytics \u{200b}--dry-run\u{200b}", "dry-run pat analytics"),
        ("pat analytics -- dry-run", "dry-run pat analytics"),
        ("pat analytics — dry run", "dry-run pat analytics"),
        ("pat analytics left — dry-run", "dry-run pat analytics: left"),
        ("pat analytics dry-run", "dry-run pat analytics"),
        ("pat analytics dry run", "dry-run pat analytics"),
        ("pat analytics Dry Run.", "dry-run pat analytics"),
        ("dry run pat analytics", "dry-run pat analytics"),
        ("pat analytics 预检", "dry-run pat analytics"),
        ("pat analytics --预检", "dry-run pat analytics"),
        ("pat analytics --dryrun", "!flag --dryrun"),
        ("pat analytics --dry_run", "!flag --dry_run"),
        ("pat analytics --dry-run=true", "!flag --dry-run=true"),
        ("pat analytics — dryrun", "!dry-run dryrun"),
        ("pat analytics dryrun", "!dry-run dryrun"),
        ("pat analytics dry_run", "!dry-run dry_run"),
        ("pat analytics dryrn", "!dry-run dryrn"),
        ("pat analytics /dry-run", "!dry-run /dry-run"),
        ("pat analytics please dry run only", "!dry-run dry"),
        ("pat analytics dry run please", "!dry-run dry"),
    ]);
}

/// f12: a word that begins with a dash and is no known flag, wherever it stands.
#[test]
fn f12_a_word_that_looks_like_a_flag_is_never_a_reason() {
    check(&[
        ("pat analytics --force", "!flag --force"),
        ("pat analytics -f", "!flag -f"),
        ("pat analytics —force", "!flag —force"),
        ("--force pat analytics", "!flag --force"),
        ("pat --force analytics", "!flag --force"),
        ("pat analytics left -now", "!flag -now"),
        ("pat analytics left,--force", "!flag --force"),
        ("pat analytics `--force`", "!flag `--force`"),
        ("pat analytics /--force", "!flag /--force"),
        ("pat analytics -- force", "!flag -- force"),
        ("pat analytics -\u{200b}-force", "!flag -\u{200b}-force"),
        ("deny K7Q2M9XA --dry-run", "!flag --dry-run"),
        ("confirm --force", "!flag --force"),
        ("confirm K7Q2M9XA --dry-run", "!usage confirm ID"),
        // Dashes that stand alone are punctuation.
        ("pat analytics left - see ticket", "remove pat analytics: left - see ticket"),
        ("pat analytics - left — see ticket", "remove pat analytics: left — see ticket"),
        ("pat analytics --", "remove pat analytics"),
        ("pat analytics well-known leaver", "remove pat analytics: well-known leaver"),
    ]);
}

#[test]
fn d2_the_punctuation_of_chinese_keyboards() {
    check(&[
        ("alice，analytics", "remove alice analytics"),
        ("alice：analytics", "remove alice analytics"),
        ("alice、analytics", "remove alice analytics"),
        ("alice, analytics", "remove alice analytics"),
        ("alice,analytics", "remove alice analytics"),
        ("alice: analytics", "remove alice analytics"),
        ("（alice） analytics", "remove alice analytics"),
        ("ａｌｉｃｅ analytics", "remove alice analytics"),
        ("alice ａｎａｌｙｔｉｃｓ", "remove alice analytics"),
        ("alice analytics。", "remove alice analytics"),
        ("alice analytics.", "remove alice analytics"),
        ("alice analytics，已离职", "remove alice analytics: 已离职"),
        ("alice analytics 已离职，见工单。", "remove alice analytics: 已离职，见工单。"),
        ("alice analytics .", "remove alice analytics"),
        ("alice analytics 。", "remove alice analytics"),
        ("alice analytics —", "remove alice analytics"),
        ("Old-App. analytics", "remove Old-App. analytics"),
        ("x,y analytics", "remove x,y analytics"),
    ]);
}

#[test]
fn d3_d4_white_space_and_what_shows_nothing() {
    for space in ["\u{a0}", "\u{3000}", "\u{2005}", "\u{202f}", "\t", "\n", "\r\n", "  ", "\u{85}"] {
        assert_eq!(read(&format!("alice{space}analytics{space}left")), "remove alice analytics: left", "{space:?}");
        assert_eq!(read(&format!("{space}help{space}")), "help", "{space:?}");
    }
    for none in ["\u{200b}", "\u{2060}", "\u{feff}", "\u{200e}"] {
        assert_eq!(read(&format!("{none}alice{none} {none}analytics{none}")), "remove alice analytics", "{none:?}");
        assert_eq!(read(&format!("alice {none} analytics {none}")), "remove alice analytics", "{none:?}");
        assert_eq!(read(none), "help", "{none:?}");
        // Inside a name it makes another name.
        assert_eq!(read(&format!("al{none}ice analytics")), format!("!name al{none}ice"));
    }
}

#[test]
fn d5_marks_around_words() {
    for (before, after) in [
        ("`", "`"),
        ("\"", "\""),
        ("“", "”"),
        ("‘", "’"),
        ("*", "*"),
        ("**", "**"),
        ("<", ">"),
        ("「", "」"),
        ("'", "'"),
    ] {
        let text = format!("{before}alice{after} {before}analytics{after}");
        assert_eq!(read(&text), "remove alice analytics", "{text}");
        assert_eq!(read(&format!("{before}alice analytics{after}")), "remove alice analytics");
    }
    // However many there are.
    let (open, close) = ("(".repeat(20_000), ")".repeat(20_000));
    assert_eq!(read(&format!("{open}alice{close} analytics")), "remove alice analytics");
    assert_eq!(read(&format!("{open}alice analytics{close}")), format!("!name {open}alice"));
    // A mark alone is part of the word, and so are those of patterns and templates.
    check(&[
        ("al* analytics", "!name al*"),
        ("{{alice}} analytics", "!name {{alice}}"),
        ("(`alice`.) analytics", "remove alice analytics"),
    ]);
    // An underscore is part of names.
    check(&[("_alice_ analytics", "!name _alice_"), ("alice_ analytics", "!name alice_")]);
}

#[test]
fn d6_case() {
    check(&[
        ("Help", "help"),
        ("HELP", "help"),
        ("Pending.", "pending"),
        ("Confirm K7Q2M9XA", "confirm K7Q2M9XA"),
        ("alice Analytics", "remove alice analytics"),
        ("alice ANALYTICS left", "remove alice analytics: left"),
        ("alice LOGS", "!case LOGS"),
        // The case of an account's name matters.
        ("Alice analytics", "!name Alice"),
    ]);
}

#[test]
fn d7_words_before_and_between() {
    check(&[
        ("/offboard alice analytics", "remove alice analytics"),
        ("/Offboard help", "help"),
        ("offboard alice analytics left", "remove alice analytics: left"),
        ("offboard pending", "pending"),
        ("offboard confirm K7Q2M9XA", "confirm K7Q2M9XA"),
        ("@offboard alice analytics", "remove alice analytics"),
        ("remove alice analytics", "remove alice analytics"),
        ("Delete alice from analytics", "remove alice analytics"),
        ("please remove alice from analytics left", "remove alice analytics: left"),
        ("remove account alice on instance analytics", "remove alice analytics"),
        ("alice on analytics", "remove alice analytics"),
        ("alice from analytics because she left", "remove alice analytics: because she left"),
        ("alice - analytics", "remove alice analytics"),
        ("alice -> analytics", "remove alice analytics"),
        ("删除 alice analytics", "remove alice analytics"),
        ("从 analytics 删除账号 alice", "remove alice analytics"),
        ("从 analytics 删除 账号 alice 已离职", "remove alice analytics: 已离职"),
        ("从 `analytics` 删除 `alice`", "remove alice analytics"),
        ("alice from payroll", "!instance payroll"),
        ("remove alice", "!NotACommand"),
        ("do not remove alice analytics", "!instance not"),
        // The documented grammar reads these as it always did.
        ("remove analytics", "remove remove analytics"),
        ("offboard analytics left", "remove offboard analytics: left"),
        // More than one way.
        ("remove analytics on warehouse", "!SeveralReadings"),
    ]);
    let odd = config(&["on", "alice", "from"]);
    for (text, is) in [
        ("alice on analytics", "!SeveralReadings"),
        ("bob on", "remove bob on"),
        ("bob on left", "remove bob on: left"),
        ("remove alice analytics", "!SeveralReadings"),
        ("remove alice from warehouse", "!SeveralReadings"),
    ] {
        assert_eq!(read_with(text, &odd), is, "{text}");
    }
}

#[test]
fn d8_pasted_lists_and_quotes() {
    for mark in ["- ", "• ", "1. ", "2) ", "> ", "* ", "· ", "– ", "1、"] {
        assert_eq!(read(&format!("{mark}alice analytics left")), "remove alice analytics: left", "{mark}");
        assert_eq!(read(&format!("{mark}pending")), "pending", "{mark}");
    }
}

#[test]
fn d9_d10_lines() {
    check(&[
        ("alice analytics\nbob analytics", "!SeveralCommands"),
        ("alice analytics\r\nbob warehouse left", "!SeveralCommands"),
        ("- alice analytics\n- bob analytics", "!SeveralCommands"),
        ("alice analytics left\nbob analitics", "!SeveralCommands"),
        ("confirm K7Q2M9XA\napprove ABCD1234", "!SeveralCommands"),
        ("status analytics\nbob analytics", "!SeveralCommands"),
        ("alice analytics left\npending", "!SeveralCommands"),
        ("alice\nanalytics\nbob analytics", "!SeveralCommands"),
        ("alice analytics left\nthe company", "remove alice analytics: left the company"),
        ("alice analytics\n\nleft", "remove alice analytics: left"),
        ("deny K7Q2M9XA not\nyet", "deny K7Q2M9XA: not yet"),
        // Several in one line.
        ("alice analytics; bob analytics", "!SeveralCommands"),
        ("alice analytics, bob warehouse", "!SeveralCommands"),
        ("alice analytics and bob warehouse left", "!SeveralCommands"),
        ("alice analytics bob analytics", "!SeveralCommands"),
        ("alice analytics, warehouse", "!SeveralCommands"),
        ("alice analytics warehouse", "!SeveralCommands"),
        ("alice analytics 和 warehouse", "!SeveralCommands"),
        ("alice, bob analytics", "!instance bob"),
        ("alice analytics was on warehouse", "remove alice analytics: was on warehouse"),
    ]);
}

#[test]
fn d11_people_in_the_place_of_an_account() {
    check(&[
        ("alice@a.example analytics", "!person alice@a.example"),
        ("<@U1> analytics", "!person @U1"),
        ("<mailto:alice@a.example|alice@a.example> analytics", "!person mailto:alice@a.example|alice@a.example"),
        ("@alice analytics", "!person @alice"),
        ("@Alice Lee analytics", "!person @Alice"),
        ("@offboard_alice analytics", "!person @offboard_alice"),
        ("＠alice analytics", "!person ＠alice"),
        ("remove alice@a.example from analytics", "!person alice@a.example"),
    ]);
}

#[test]
fn d12_d13_command_words() {
    check(&[
        ("help me", "help"),
        ("help!", "help"),
        ("?", "help"),
        ("？", "help"),
        ("帮助", "help"),
        ("帮助。", "help"),
        ("取消 K7Q2M9XA", "cancel K7Q2M9XA"),
        ("确认 K7Q2M9XA", "confirm K7Q2M9XA"),
        ("确认K7Q2M9XA", "confirm K7Q2M9XA"),
        ("确认：K7Q2M9XA", "confirm K7Q2M9XA"),
        ("批准 K7Q2M9XA", "approve K7Q2M9XA"),
        ("驳回 K7Q2M9XA 尚未离职", "deny K7Q2M9XA: 尚未离职"),
        ("待处理", "pending"),
        ("状态 K7Q2M9XA", "status K7Q2M9XA"),
        ("confirm k7q2m9xa", "confirm k7q2m9xa"),
        ("confirm `K7Q2M9XA`", "confirm K7Q2M9XA"),
        ("confirm K7Q2M9XA.", "confirm K7Q2M9XA"),
        ("confirm: K7Q2M9XA", "confirm K7Q2M9XA"),
        ("status 01A20CDD732B69ED97F48586A60DB1DD", "status 01a20cdd732b69ed97f48586a60db1dd"),
        ("confirm", "!usage confirm ID"),
        ("confirm K7Q2M9XA please", "!usage confirm ID"),
        ("pending requests", "!usage pending"),
        ("hlp", "!command hlp help"),
        ("pendng", "!command pendng pending"),
        ("aprove K7Q2M9XA", "!command aprove approve"),
        ("conform K7Q2M9XA", "!command conform confirm"),
        ("cancle K7Q2M9XA", "!command cancle cancel"),
    ]);
}

/// Signs before flags were looked through again for each flag.
#[test]
fn thousands_of_signs_and_flags_are_read_in_one_pass() {
    let word = |raw| Word { raw, is_glued: false };
    let words = [vec![word("•"); 20_000], vec![word("dry-run"); 20_000]].concat();
    let read = flags::take(&words).unwrap();
    // Looked through again for each flag, this would be 400 million steps.
    assert!(read.dry_run && read.words.len() == 20_000);
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("alice".to_owned()),
            Just("analytics".to_owned()),
            Just("warehouse".to_owned()),
            Just("dry".to_owned()),
            Just("run".to_owned()),
            Just("from".to_owned()),
            Just("remove".to_owned()),
            Just("confirm".to_owned()),
            "[a-zA-Z0-9_.,:，。—–\\-\u{200b}]{1,12}",
            "\\PC{1,6}",
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = command(&text, &CONFIG);
        }

        /// f12: with an unknown flag nothing is removed.
        #[test]
        fn no_unknown_flag_removes_anything(
            words in prop::collection::vec(word(), 0..8),
            dashes in "[-—–－‐−]{1,3}",
            flag in "[a-zA-Z][a-zA-Z_=-]{0,10}",
            place in 0_usize..9,
        ) {
            let mut words = words;
            words.insert(place.min(words.len()), format!("{dashes}{flag}"));
            match command(&words.join(" "), &CONFIG) {
                Ok(Command::RemoveAccount { dry_run, .. }) => prop_assert!(dry_run, "{words:?}"),
                Ok(Command::DecideApproval { .. }) => prop_assert!(false, "{words:?}"),
                _ => {}
            }
        }

        /// What is removed was named, and its reason says something and is no flag.
        #[test]
        fn nothing_unsaid_is_removed(words in prop::collection::vec(word(), 0..8), space in "[ \t\u{a0}\u{3000}]") {
            let text = words.join(&space);
            if let Ok(Command::RemoveAccount { user_name, instance, reason, dry_run, .. }) = command(&text, &CONFIG) {
                let narrow = crate::callers::chat::grammar::words::narrow(&text);
                prop_assert!(narrow.contains(user_name.as_str()), "{text:?}");
                prop_assert!(narrow.to_lowercase().contains(&instance.name.to_lowercase()), "{text:?}");
                let reason = reason.as_ref().map_or("a", |reason| reason.as_str());
                prop_assert!(reason.chars().any(char::is_alphanumeric), "{text:?}");
                let letters: String = reason.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
                prop_assert!(dry_run || letters != "dryrun", "{text:?}");
            }
        }

        /// A command that is written as documented comes back as it was.
        #[test]
        fn what_is_written_as_documented_comes_back(
            name in "[a-z][a-z0-9_]{0,20}[a-z0-9]",
            instance in prop::sample::select(&INSTANCES[..]),
            reason in "([a-z]{1,8}( [a-z0-9.]{1,8}){0,4})?",
            dry_run in any::<bool>(),
        ) {
            prop_assume!(!["root", "rdsadmin", "rdsmetric"].contains(&name.as_str()) && !name.starts_with("etl_"));
            // Names of instances and dry runs in a reason are refused: other tests show that.
            prop_assume!(!reason.split(' ').any(|word| INSTANCES.contains(&word) || word.contains("dr")));
            prop_assume!(!["confirm", "cancel", "approve", "deny", "reject", "status"].contains(&name.as_str()));
            let flag = if dry_run { " --dry-run" } else { "" };
            let space = if reason.is_empty() { "" } else { " " };
            let read = read(&format!("{name} {instance}{space}{reason}{flag}"));
            let verb = if dry_run { "dry-run" } else { "remove" };
            let colon = if reason.is_empty() { "" } else { ": " };
            prop_assert_eq!(read, format!("{verb} {name} {instance}{colon}{reason}"));
        }
    }
}
