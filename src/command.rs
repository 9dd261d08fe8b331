//! The one typed command that every caller kind reads its request into, and that policy, ledger and upstream see.
//!
//! Nothing in here can be made from raw strings without passing its check, so nobody behind the callers checks again.

use sha2::{Digest, Sha256};

use crate::account::UserName;
use crate::config::{Caller, Instance};
use crate::outcome::{Outcome, Words};

/// Who asked: what the platform proved, never a display name, never a field that the signature does not cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `slack/U2CERLKJA`, or the caller's own name (`hr`) where requests come from a system and not from people.
    pub principal: String,
    /// The caller's name in offboard.toml.
    pub caller: String,
    /// Its kind.
    pub kind: String,
    /// The teams that the proof itself names, beside those of offboard.toml.
    pub groups: Vec<String>,
}

impl Actor {
    /// Somebody behind a caller, by the id that the platform proved.
    pub fn person(caller: &Caller, id: &str) -> Self {
        Self { principal: format!("{}/{id}", caller.name), ..Self::system(caller) }
    }

    /// The caller itself.
    pub fn system(caller: &Caller) -> Self {
        Self {
            principal: caller.name.clone(),
            caller: caller.name.clone(),
            kind: caller.kind.clone(),
            groups: Vec::new(),
        }
    }
}

/// Why somebody asks, in their words: 1 to 500 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Reads a reason; surrounding white space goes, and nothing is left of an empty one.
    ///
    /// # Errors
    ///
    /// [`Outcome::FieldInvalid`]
    pub fn parse(given: &str) -> Result<Option<Self>, Outcome> {
        let given = given.trim();
        if given.chars().count() > 500 || given.chars().any(char::is_control) {
            return Err(Outcome::FieldInvalid {
                name: "reason",
                given: given.to_owned(),
                expected: Words {
                    english: "at most 500 characters without line breaks or other control characters",
                    chinese: "不超过 500 个字符，且不含换行等控制字符",
                },
            });
        }
        Ok((!given.is_empty()).then(|| Self(given.to_owned())))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes two requests the same request: a digest of what the sender signed, 64 hexadecimal digits.
///
/// It depends on nothing that a sender may leave out or that somebody on the way may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery(String);

impl Delivery {
    /// The delivery of `caller` that the signed `parts` identify. Each part counts with its length, so that no two lists
    /// of parts run into each other.
    pub fn new(caller: &Caller, parts: &[&[u8]]) -> Self {
        Self(digest(&[&[caller.name.as_bytes()], parts].concat()))
    }

    /// One that the ledger holds already.
    pub fn recorded(digest: String) -> Self {
        Self(digest)
    }

    /// The digest, for the ledger.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Remove this account, says this actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal<'c> {
    /// Who asks.
    pub actor: Actor,
    /// Which account.
    pub user_name: UserName,
    /// On which instance.
    pub instance: &'c Instance,
    /// Why, if they said.
    pub reason: Option<Reason>,
    /// Which request it is.
    pub delivery: Delivery,
    /// Nothing is to be sent: only what would happen is asked for.
    pub dry_run: bool,
}

impl Removal<'_> {
    /// A digest of exactly what is asked: who, which account, on which instance of TaurusDB's, why. What was confirmed or
    /// approved is held to it, so that nobody says yes to something else than they saw.
    pub fn fingerprint(&self) -> String {
        let reason = self.reason.as_ref().map_or("", Reason::as_str);
        digest(&[
            self.actor.principal.as_bytes(),
            self.instance.name.as_bytes(),
            self.instance.project_id.as_bytes(),
            self.instance.instance_id.as_bytes(),
            self.instance.environment.as_bytes(),
            self.user_name.as_str().as_bytes(),
            reason.as_bytes(),
        ])
    }
}

/// What people type to speak of a request that waits: eight of Crockford's 32 characters, 40 random bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    const CHARACTERS: [char; 32] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N',
        'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
    ];

    /// A new one, of 40 of these bits.
    pub fn new(random: u128) -> Self {
        let place = |index: u32| usize::try_from(random.checked_shr(index.saturating_mul(5)).unwrap_or(0) & 31).ok();
        Self((0..8).filter_map(|index| Self::CHARACTERS.get(place(index)?)).collect())
    }

    /// Reads one as people write it: in any case, `O` for `0`, `I` and `L` for `1`; `None` for anything else.
    pub fn parse(given: &str) -> Option<Self> {
        let read = |character: char| match character.to_ascii_uppercase() {
            'O' => Some('0'),
            'I' | 'L' => Some('1'),
            character => Self::CHARACTERS.contains(&character).then_some(character),
        };
        let text: Option<String> = given.chars().map(read).collect();
        text.filter(|text| text.len() == 8).map(Self)
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 of the parts, each with its length, so that no two lists of parts run into each other; hexadecimal.
fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_do_not_run_into_each_other() {
        let caller = |name: &str| Caller::new(name, "slack");
        let one = Delivery::new(&caller("a"), &[b"bc", b"d"]);
        assert_eq!(one, Delivery::new(&caller("a"), &[b"bc", b"d"]));
        for other in [
            Delivery::new(&caller("ab"), &[b"c", b"d"]),
            Delivery::new(&caller("a"), &[b"b", b"cd"]),
            Delivery::new(&caller("a"), &[b"bcd"]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn references_can_be_typed() {
        assert_eq!(Reference::new(0).as_str(), "00000000");
        assert_eq!(Reference::new(u128::MAX).as_str(), "ZZZZZZZZ");
        let reference = Reference::new(0x1234_5678_9abc);
        assert_eq!(Reference::parse(&reference.as_str().to_lowercase()), Some(reference));
        assert_eq!(Reference::parse("oIlO1010").unwrap().as_str(), "01101010");
        for given in ["", "0000000", "000000000", "0000000U", "0000 000", "００００００００"] {
            assert_eq!(Reference::parse(given), None, "{given}");
        }
    }

    #[test]
    fn reasons() {
        let read = |given: &str| Reason::parse(given).map(|reason| reason.map(|r| r.as_str().to_owned()));
        assert_eq!(read("  left in June "), Ok(Some("left in June".into())));
        assert_eq!(read("已离职"), Ok(Some("已离职".into())));
        assert_eq!(read(" "), Ok(None));
        for given in ["a\nb".to_owned(), "x".repeat(501)] {
            assert!(matches!(read(&given), Err(Outcome::FieldInvalid { name: "reason", .. })));
        }
    }
}
