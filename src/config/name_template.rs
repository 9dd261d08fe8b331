//! A name with attributes in it: `svc_{email|local|snake}`.

use std::collections::BTreeMap;

/// A person's attributes by the names of the identity system: `userName`, `email`, `id`.
pub type Identity = BTreeMap<String, String>;

/// A name with attributes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Attribute { name: String, filters: Vec<Filter> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filter {
    /// Keeps the part before the last `@`.
    Local,
    /// Changes ASCII letters to lowercase.
    Lower,
    /// Changes ASCII letters to lowercase, and every character that an account name cannot have to `_`.
    Snake,
}

impl Template {
    /// Reads a template; the error is the fix.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const FIX: &str =
            "write text with `{attribute}`, where `|local`, `|lower` or `|snake` may follow the attribute";
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, behind) = after.split_once('}').ok_or(FIX)?;
            let mut words = inside.split('|');
            let name = words.next().unwrap_or_default();
            if name.is_empty() || inside.contains('{') || before.contains('}') {
                return Err(FIX);
            }
            let mut filters = Vec::new();
            for word in words {
                filters.push(match word {
                    "local" => Filter::Local,
                    "lower" => Filter::Lower,
                    "snake" => Filter::Snake,
                    _ => return Err(FIX),
                });
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Attribute { name: name.to_owned(), filters });
            rest = behind;
        }
        if rest.contains('}') || !pieces.iter().any(|piece| matches!(piece, Piece::Attribute { .. })) {
            return Err(FIX);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Returns the names of its attributes.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Attribute { name, .. } => Some(name.as_str()),
        })
    }

    /// Fills in a person's attributes; `None` if one of them is missing.
    pub(super) fn fill(&self, identity: &Identity) -> Option<String> {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name += text,
                Piece::Attribute { name: attribute, filters } => {
                    let value = identity.get(attribute).filter(|value| !value.is_empty())?;
                    name += &filters.iter().fold(value.clone(), |value, filter| filter.apply(&value));
                }
            }
        }
        Some(name)
    }
}

impl Filter {
    fn apply(self, value: &str) -> String {
        match self {
            Self::Local => value.rsplit_once('@').map_or(value, |(local, _)| local).to_owned(),
            // ASCII only: Unicode lowercases a Kelvin sign to `k`, which would be the name of another person.
            Self::Lower => value.to_ascii_lowercase(),
            Self::Snake => {
                let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' };
                value.to_ascii_lowercase().chars().map(plain).collect()
            }
        }
    }
}
