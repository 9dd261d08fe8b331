//! What the command prints: the lines of both files, the secrets, and the steps at the platform.

use super::plan::{Plan, Request, Source};
use super::recipe::{Paste, environment};

/// Whether the files were written, or are only shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The operator only looks.
    Shown,
    /// The files have the lines now, or had them before.
    Written,
}

/// Formats the plan as a page. A secret is in there only if it was made now.
#[must_use]
pub fn page(request: &Request, plan: &Plan, mode: Mode) -> String {
    let parts = [
        Some(caller_lines(request, plan, mode)),
        Some(spin_lines(plan, mode)),
        examples(plan),
        made(plan),
        of_platform(request, plan),
        Some(steps(request, plan)),
        Some(closing(request)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn caller_lines(request: &Request, plan: &Plan, mode: Mode) -> String {
    match (&plan.caller_lines, mode) {
        (Some(lines), Mode::Shown) => format!("To add to offboard.toml, which --write does:\n\n{lines}"),
        (Some(lines), Mode::Written) => format!("Added to offboard.toml:\n\n{lines}"),
        (None, _) => format!("offboard.toml has caller `{}` already; nothing of it is changed.\n", request.name),
    }
}

fn spin_lines(plan: &Plan, mode: Mode) -> String {
    match mode {
        _ if plan.spin_lines.is_empty() => "spin.toml has everything that the caller needs.\n".to_owned(),
        Mode::Shown => format!("To add to spin.toml, which --write does:\n\n{}", plan.spin_lines),
        Mode::Written => format!("Added to spin.toml:\n\n{}", plan.spin_lines),
    }
}

fn examples(plan: &Plan) -> Option<String> {
    let lines = plan
        .examples
        .iter()
        .map(|example| format!("`{}` is an example for {}: {}\n", example.example, example.key, example.what));
    let lines: String = lines.collect();
    (!lines.is_empty()).then_some(lines)
}

fn made(plan: &Plan) -> Option<String> {
    let lines = plan.secrets.iter().filter_map(|secret| match &secret.value {
        Source::Made(value) => Some(format!("export {}='{}'\n", environment(&secret.variable), value.expose())),
        _ => None,
    });
    let lines: String = lines.collect();
    let heading = "Made just now and shown only this once. Keep it where Spin reads its variables:";
    (!lines.is_empty()).then(|| format!("{heading}\n\n{lines}"))
}

fn of_platform(request: &Request, plan: &Plan) -> Option<String> {
    let lines = plan.secrets.iter().filter_map(|secret| match &secret.value {
        Source::Platform(place) => Some(format!("{}: {place}\n", environment(&secret.variable))),
        _ => None,
    });
    let lines: String = lines.collect();
    (!lines.is_empty()).then(|| format!("Secrets that come from {}:\n\n{lines}", request.recipe.platform))
}

fn steps(request: &Request, plan: &Plan) -> String {
    let mut text = format!("At {}:\n\n", request.recipe.platform);
    for (number, step) in (1..).zip(&plan.steps) {
        text += &format!("{number}. {}\n", step.text);
        if let Some(paste) = &step.paste {
            text += &format!("\n{}\n\n", pasted(paste));
        }
    }
    text.trim_end().to_owned() + "\n"
}

/// Formats what is pasted, at the beginning of lines, because a shell needs the end of a document there.
fn pasted(paste: &Paste) -> String {
    match paste {
        Paste::Document(json) => format!("{json:#}"),
        Paste::Request { command, json } => format!("{command} <<JSON\n{json:#}\nJSON"),
        Paste::Shell(lines) => lines.clone(),
    }
}

fn closing(request: &Request) -> String {
    let principals = request.recipe.principals.replace("NAME", &request.name);
    format!(
        "Policies see {principals}. Nothing is permitted until a team or a policy names it: docs/policy.md.\nMore, and a command that sends a test request: docs/callers/{}.md.\n",
        request.recipe.kind
    )
}
