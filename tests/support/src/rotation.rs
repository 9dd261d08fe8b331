//! A secret is rotated and no request is refused: the three steps of docs/credentials.md, for every kind that has secrets.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::{KIND, Kind};
use crate::platforms::Platforms;
use crate::stage::Stage;

/// A step of the recipe: which secrets are set, and which of the two senders are heard then.
const STEPS: [(&str, bool, bool); 3] = [
    ("both are named, the new one is not set yet", true, false),
    ("both are set", true, true),
    ("the old one is gone", false, true),
];

/// Goes through the steps with every kind.
pub async fn run<S: Stage>() {
    let mut failures = String::new();
    let mut kinds = 0;
    for kind in Kind::of_interest() {
        let Some(rotated) = kind.with_a_second_secret() else { continue };
        kinds += 1;
        for (step, old, new) in STEPS {
            for (secret, is_heard) in [(&kind.secret, old), (&kind.other_secret, new)] {
                let mut setup = rotated.setup(false, &[]);
                setup.variables.retain(|name, _| {
                    let is_new = !kind.variables.contains_key(name);
                    kind.settings.contains_key(name) || if is_new { new } else { old }
                });
                let stage = S::open(setup).await;
                let mut ask = kind.ask(&stage.host(), "rotation");
                ask["secret"] = secret.clone();
                let reply = stage.send(&Platforms::request(&kind.name, &ask)).await;
                let code = reply.header("x-offboard-code").unwrap_or_default().to_owned();
                let refused = code.starts_with("OFFBOARD.401");
                if refused == is_heard {
                    failures += &format!("{}: {step}: {} {code}\n", kind.name, reply.status);
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(kinds > 0 || std::env::var(KIND).is_ok());
}

impl Kind {
    /// The same caller with a second secret, in variables of its own; `None` for a kind without secrets, and for access keys,
    /// which have ids and are told apart by them.
    pub fn with_a_second_secret(&self) -> Option<Self> {
        let start = self.caller.find("secrets = [")? + "secrets = [".len();
        let end = start + self.caller[start..].find(']')?;
        let inside = &self.caller[start..end];
        let mut second = inside.to_owned();
        let mut variables = BTreeMap::new();
        // spin.toml declares no more than there are: those of other kinds are free here.
        let others: BTreeSet<String> = Self::all().into_iter().flat_map(|kind| kind.variables.into_keys()).collect();
        let free =
            others.into_iter().filter(|name| !self.variables.contains_key(name) && !self.settings.contains_key(name));
        for ((name, value), free) in self.variables.iter().zip(free) {
            second = second.replace(&format!("\"{name}\""), &format!("\"{free}\""));
            let other = self.other_variables.get(name).cloned().unwrap_or_else(|| self.other_of(value));
            variables.insert(free, other);
        }
        variables.extend(self.variables.clone());
        let caller = format!("{}{inside}, {second}{}", &self.caller[..start], &self.caller[end..]);
        Some(Self { caller, variables, ..self.clone() })
    }

    /// What the other platform has where this one has `value`.
    fn other_of(&self, value: &str) -> String {
        let parts = self.secret.as_object().unwrap();
        let part = parts.iter().find(|(_, known)| known.as_str() == Some(value));
        let (part, _) = part.unwrap_or_else(|| panic!("{}: say `[other_variables]` for {value:?}", self.name));
        self.other_secret[part].as_str().unwrap_or_else(|| panic!("{}: other_secret.{part}", self.name)).to_owned()
    }
}
