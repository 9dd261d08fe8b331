//! `setup`: sets up a caller.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use starrocks_offboard::diagnostic::Diagnostic;

use super::ask::Terminal;
use super::check::report;
use crate::lint::check::diagnostics;
use crate::manifest::Manifest;
use crate::operator_files::OperatorFiles;
use crate::setup::address::Address;
use crate::setup::inputs::{Given, Mapped, mapped, setting};
use crate::setup::page::{Mode, page};
use crate::setup::paths::Paths;
use crate::setup::plan::{Request, Texts, plan};
use crate::setup::recipe::Recipe;
use crate::setup::recipes::{RECIPES, kinds, recipe};
use crate::setup::secret::{Random, operating_system};

/// The arguments of `setup`.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// The caller kind, such as `slack` [default: asked for, in a terminal]
    kind: Option<String>,
    /// The address of the gateway, as the platform reaches it: `https://HOST` [default: asked for, in a terminal]
    #[arg(long)]
    url: Option<Address>,
    /// The caller's name, in `/hooks/NAME` and in principals [default: the kind]
    #[arg(long)]
    name: Option<String>,
    /// A setting of the caller, by its key in offboard.toml; can be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// A person whom the caller may report as a leaver, and their accounts, such as `id:583231=olga,olga_ro`; can be given more
    /// than once.
    #[arg(long, value_name = "ATTRIBUTE:VALUE=ACCOUNTS", value_parser = mapped)]
    map: Vec<Mapped>,
    /// Write offboard.toml and spin.toml, instead of showing what is to be added.
    #[arg(long)]
    write: bool,
    /// The folder of offboard.toml and the policies, instead of the folder that spin.toml names.
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// The spin.toml of an application elsewhere.
    #[arg(long, value_name = "FILE")]
    spin_toml: Option<PathBuf>,
}

/// What the command reads and writes beside the files.
pub struct Console<'c> {
    /// The answers of an operator and the place for questions; `None` if no operator sits there.
    pub terminal: Option<(&'c mut dyn BufRead, &'c mut dyn Write)>,
    /// The page.
    pub output: &'c mut dyn Write,
    /// The source of secrets.
    pub random: Random<'c>,
}

/// Shows or writes what sets up the caller, and checks the result. The exit code is a failure if the result has an error. Nothing is
/// written if the change brings one.
///
/// # Errors
///
/// If the arguments do not fit the kind or the files, or a file cannot be read or written.
pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (stdin, mut stderr) = (io::stdin(), io::stderr());
    let is_terminal = stdin.is_terminal();
    let mut answers = stdin.lock();
    run_at(
        arguments,
        Console {
            terminal: is_terminal.then_some((&mut answers as &mut dyn BufRead, &mut stderr as &mut dyn Write)),
            output: &mut io::stdout(),
            random: &mut operating_system,
        },
    )
}

/// The same, at another console.
///
/// # Errors
///
/// As [`run`].
pub fn run_at(arguments: Arguments, console: Console<'_>) -> anyhow::Result<ExitCode> {
    let Console { terminal, output, random } = console;
    let terminal = terminal.map(|(answers, questions)| Terminal { answers, questions });
    let paths = Paths::new(arguments.config.clone(), arguments.spin_toml.clone())?;
    let is_written = arguments.write;
    let before = paths.read()?;
    let request = requested(arguments, terminal)?;
    let plan = plan(&request, before.clone(), random)?;
    let found = checked(&paths, &plan.texts)?;
    let is_usable = !found.iter().any(Diagnostic::is_error);
    let brings_errors = !is_usable && has_more_errors(&found, &checked(&paths, &before)?);

    let mode = if is_written && !brings_errors { Mode::Written } else { Mode::Shown };
    if mode == Mode::Written {
        paths.write(&before, &plan.texts)?;
    }
    let remark = match (is_written, is_usable, brings_errors) {
        (true, false, true) => "Nothing was written, because the change brings errors.\n",
        (true, false, false) => {
            "The errors were there before the change, which was written; mend them before you deploy.\n"
        }
        _ => "",
    };
    let text = format!("{}\nCheck of the result:\n\n{}{remark}", page(&request, &plan, mode), report(&found));
    output.write_all(text.as_bytes()).context("cannot write to standard output")?;
    Ok(if is_usable { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads what is asked for, and asks for what is missing if an operator is there.
fn requested(arguments: Arguments, mut terminal: Option<Terminal<'_>>) -> anyhow::Result<Request> {
    let recipe = match (arguments.kind, &mut terminal) {
        (Some(kind), _) => recipe(&kind)?,
        (None, Some(terminal)) => {
            terminal.say(&table())?;
            terminal.ask("Caller kind", recipe)?
        }
        (None, None) => bail!("no caller kind; write `setup KIND`, with one of {}", kinds()),
    };
    let read = |text: &str| text.parse::<Address>().map_err(anyhow::Error::msg);
    let address = match (arguments.url, &mut terminal) {
        (Some(address), _) => address,
        (None, Some(terminal)) => {
            terminal.ask("The gateway's address, as the platform reaches it (https://HOST)", read)?
        }
        (None, None) => bail!("no address of the gateway; add `--url https://HOST`"),
    };
    let mut given = Given { settings: arguments.settings, map: arguments.map };
    if let Some(terminal) = &mut terminal {
        ask_for_missing(recipe, &mut given, terminal)?;
    }
    let name = arguments.name.unwrap_or_else(|| recipe.kind.to_owned());
    Ok(Request { recipe, address, name, given, is_draft: !arguments.write })
}

fn ask_for_missing(recipe: &Recipe, given: &mut Given, terminal: &mut Terminal<'_>) -> anyhow::Result<()> {
    for missing in given.missing(recipe) {
        let question = format!("{}, {} (such as {})", missing.key, missing.what, missing.example);
        let answered = terminal.ask(&question, |answer| {
            let mut with = given.clone();
            with.answer(&missing, answer)?;
            Ok(with)
        })?;
        *given = answered;
    }
    Ok(())
}

/// Lists the kinds, each with its platform.
fn table() -> String {
    let rows = RECIPES.iter().map(|recipe| format!("  {:18} {}", recipe.kind, recipe.platform));
    rows.collect::<Vec<_>>().join("\n")
}

/// Checks the files with these texts. Variables have the values that the environment has.
fn checked(paths: &Paths, texts: &Texts) -> anyhow::Result<Vec<Diagnostic>> {
    let mut files = OperatorFiles::read(Some(&paths.config))?;
    files.offboard.clone_from(&texts.offboard);
    let manifest = Manifest::parse(&texts.spin, PathBuf::new())?;
    Ok(diagnostics(&files, &texts.spin, &manifest.variables_in_environment()))
}

/// Whether there is an error that was not there before. Lines do not count, because those behind the new ones have moved.
fn has_more_errors(found: &[Diagnostic], before: &[Diagnostic]) -> bool {
    let mut known: Vec<_> = before.iter().filter(|known| known.is_error()).collect();
    found.iter().filter(|error| error.is_error()).any(|error| {
        let is_it = |known: &&Diagnostic| (known.file, &known.message) == (error.file, &error.message);
        known.iter().position(is_it).map(|place| known.swap_remove(place)).is_none()
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// A copy of this repository's files.
    fn installation() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("config")).unwrap();
        for file in ["spin.toml", "config/offboard.toml", "config/policy.cedar", "config/schema.cedarschema"] {
            std::fs::copy(crate::repository::root().join(file), folder.path().join(file)).unwrap();
        }
        folder
    }

    struct Printed {
        is_success: bool,
        page: String,
        questions: String,
    }

    /// Runs the command there, with these answers, if an operator gives some.
    fn run_in(folder: &std::path::Path, line: &[&str], answers: Option<&str>) -> anyhow::Result<Printed> {
        let spin = folder.join("spin.toml");
        let line = ["setup"].into_iter().chain(line.iter().copied()).chain(["--spin-toml", spin.to_str().unwrap()]);
        let (mut output, mut questions) = (Vec::new(), Vec::new());
        let mut given = answers.unwrap_or_default().as_bytes();
        let terminal = (&mut given as &mut dyn BufRead, &mut questions as &mut dyn Write);
        let console = Console {
            terminal: answers.is_some().then_some(terminal),
            output: &mut output,
            random: &mut operating_system,
        };
        let code = run_at(Line::parse_from(line).arguments, console)?;
        Ok(Printed {
            is_success: format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS),
            page: String::from_utf8(output)?,
            questions: String::from_utf8(questions)?,
        })
    }

    fn offboard(folder: &std::path::Path) -> String {
        std::fs::read_to_string(folder.join("config/offboard.toml")).unwrap()
    }

    const URL: [&str; 2] = ["--url", "https://offboard.example.com"];

    #[test]
    fn what_is_missing_is_asked_for_in_a_terminal() {
        let folder = installation();
        let answers = "fax\nfeishu\noffboard.example.com\nhttps://offboard.example.com\ncli_1\n";
        let printed = run_in(folder.path(), &["--write"], Some(answers)).unwrap();
        assert!(printed.is_success, "{}", printed.page);
        for expected in [
            "  slack              Slack\n",
            "\nCaller kind: caller kind `fax` does not exist; use one of `slack`, ",
            "`offboard.example.com` is not the address of a gateway; write `https://HOST` or `https://HOST:PORT`\n",
            ": app_id, the App ID (developer console, Credentials & Basic Info) (such as cli_9f5343c580712544): ",
        ] {
            assert!(printed.questions.contains(expected), "{expected}\n{}", printed.questions);
        }
        assert!(offboard(folder.path()).contains("app_id = \"cli_1\"\n"));
    }

    #[test]
    fn without_a_terminal_what_is_missing_is_an_error() {
        let folder = installation();
        let error = |line: &[&str]| run_in(folder.path(), line, None).err().map(|error| format!("{error:#}")).unwrap();
        assert_eq!(error(&URL), format!("no caller kind; write `setup KIND`, with one of {}", kinds()));
        assert_eq!(error(&["slack"]), "no address of the gateway; add `--url https://HOST`");
        let ended = run_in(folder.path(), &[], Some("")).err().unwrap().to_string();
        assert!(ended.ends_with("Caller kind"), "{ended}");
    }

    #[test]
    fn nothing_is_written_unless_it_is_asked_for() {
        let folder = installation();
        let printed = run_in(folder.path(), &[&["scim"][..], &URL].concat(), None).unwrap();
        assert!(printed.is_success && printed.page.starts_with("To add to offboard.toml, which --write does:\n"));
        let own = std::fs::read_to_string(crate::repository::root().join("config/offboard.toml")).unwrap();
        assert_eq!(offboard(folder.path()), own);
    }

    /// What `--write` does there: whether the command succeeded, whether it wrote offboard.toml, and its page.
    fn written(folder: &std::path::Path, line: &[&str]) -> (bool, bool, String) {
        let before = offboard(folder);
        let printed = run_in(folder, &[line, &URL, &["--write"]].concat(), None).unwrap();
        (printed.is_success, offboard(folder) != before, printed.page)
    }

    #[test]
    fn nothing_is_written_if_the_change_brings_an_error() {
        let folder = installation();
        let line = ["scim", "--name", "a name"];
        let (is_success, is_written, page) = written(folder.path(), &line);
        assert!(!is_success && !is_written, "{page}");
        assert!(page.starts_with("To add to offboard.toml"), "{page}");
        assert!(page.ends_with("Nothing was written, because the change brings errors.\n"), "{page}");
    }

    /// Errors in other places are shown, and do not keep the operator from this change.
    #[test]
    fn errors_that_were_there_before_are_shown_and_the_change_is_written() {
        let folder = installation();
        std::fs::write(folder.path().join("config/policy.cedar"), "permit").unwrap();
        let (is_success, is_written, page) = written(folder.path(), &["scim"]);
        assert!(!is_success && is_written, "{page}");
        assert!(page.starts_with("Added to offboard.toml") && page.contains("error: policy.cedar"), "{page}");
        let remark = "The errors were there before the change, which was written; mend them before you deploy.\n";
        assert!(page.ends_with(remark), "{page}");
    }

    #[test]
    fn an_error_counts_as_often_as_it_is_there() {
        let error = |line, message: &str| Diagnostic::error("offboard.toml", Some(line), message);
        let before = [error(1, "a"), error(2, "b")];
        for (found, expected) in [
            (&[error(9, "b"), error(8, "a")][..], false),
            (&[error(1, "a")], false),
            (&[], false),
            (&[error(1, "a"), error(3, "a")], true),
            (&[error(1, "c")], true),
        ] {
            assert_eq!(has_more_errors(found, &before), expected, "{found:?}");
        }
        assert!(!has_more_errors(&[Diagnostic::warning("offboard.toml", None, "c")], &[]));
    }

    #[test]
    fn the_check_is_of_the_result() {
        let folder = installation();
        let printed = run_in(folder.path(), &[&["dingtalk"][..], &URL].concat(), None).unwrap();
        let warning = "caller `dingtalk` (kind `dingtalk`): the platform does not sign messages";
        assert!(printed.page.contains(warning), "{}", printed.page);
    }
}
