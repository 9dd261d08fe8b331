//! The settings of the console's caller.

use crate::callers::api::bearer;
use crate::config::Config;
use crate::config::caller_shape::{CallerShape, KeyShape, Part, Reached, Setting};
use crate::config::callers::Caller;
use crate::config::endpoint::{endpoint, is_web_address};
use crate::secret::Secret;

/// The kind's name in offboard.toml.
pub const NAME: &str = "console";

/// The part of a secret that sessions are sealed and forms are signed with.
pub const SESSION_KEY: &str = "session_key";

/// The part of a secret that proves the gateway to the provider.
pub const CLIENT_SECRET: &str = "client_secret";

/// The shortest session key, in bytes.
const SHORTEST_KEY: usize = 32;

/// The signature algorithms that a token can be verified with.
const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

const SETTINGS: &[Setting] = &[
    Setting {
        is_valid: |text| endpoint(text).is_ok(),
        expected: "the console's own origin, `https://host[:port]` (`http` for a loopback address only)",
        ..Setting::text("public_url", true)
    },
    Setting { reached: Reached::With("client_id"), ..bearer::ISSUER },
    Setting::text("claim", false),
    bearer::GROUPS,
    Setting {
        is_valid: |name| ALGORITHMS.contains(&name),
        expected: "`RS256`, `ES256` or `EdDSA`",
        ..Setting::texts("algorithms", false)
    },
    // Behind a proxy.
    bearer::HEADER,
    bearer::AUDIENCE,
    bearer::JWKS_URL,
    bearer::JWKS_FILE,
    bearer::AZP,
    // With OpenID Connect.
    Setting::text("client_id", false),
    Setting {
        is_valid: |name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        },
        expected: "names of scopes",
        ..Setting::texts("scopes", false)
    },
];

/// Settings of the one way to prove a person, which the other does not have.
const OF_PROXY: [&str; 5] = ["header", "audience", "jwks_url", "jwks_file", "azp"];
const OF_PROVIDER: [&str; 2] = ["client_id", "scopes"];

pub(super) const SHAPE: CallerShape = CallerShape {
    keys: KeyShape::Secrets(&[Part::required(SESSION_KEY), Part::optional(CLIENT_SECRET)]),
    settings: SETTINGS,
    is_single: true,
    secret_form,
    is_complete,
    ..CallerShape::hook(NAME)
};

fn secret_form(part: &str, secret: &Secret) -> Result<(), &'static str> {
    let length = secret.expose().len();
    if part == SESSION_KEY && length < SHORTEST_KEY {
        return Err("at least 32 random characters, such as those of `openssl rand -base64 32`");
    }
    Ok(())
}

fn is_complete(caller: &Caller) -> Result<(), &'static str> {
    let has = |name: &str| caller.setting(name).is_some();
    let has_client_secret = caller.keys.iter().flat_map(|key| &key.variables).any(|(part, _)| *part == CLIENT_SECRET);
    match (has("header"), has("client_id")) {
        (true, false) => match () {
            () if OF_PROVIDER.into_iter().any(has) || has_client_secret => {
                Err("either the settings of a proxy (`header`) or those of a provider (`client_id`), not both")
            }
            () if !has("issuer") => Err("`issuer`: the exact `iss` of the proxy's tokens"),
            () if !has("audience") => Err("`audience`: whom the proxy's tokens are for"),
            () if !has("algorithms") => Err("`algorithms`: those that the proxy signs with"),
            () if has("jwks_url") == has("jwks_file") => {
                Err("either `jwks_url` or `jwks_file`: the public keys of the proxy's tokens")
            }
            () => Ok(()),
        },
        (false, true) => match () {
            () if OF_PROXY.into_iter().any(has) => {
                Err("either the settings of a proxy (`header`) or those of a provider (`client_id`), not both")
            }
            () if !caller.setting("issuer").is_some_and(is_web_address) => {
                Err("`issuer`: the provider's, `https://…` (`http` for a loopback address only)")
            }
            () if !has_client_secret => Err("`client_secret = \"spin_variable\"` beside a `session_key` in `secrets`"),
            () => Ok(()),
        },
        _ => Err(
            "either `header` (with `issuer`, `audience`, `jwks_url` and `algorithms`) for a proxy that signs, or `client_id` and `issuer` for OpenID Connect",
        ),
    }
}

/// Returns the caller whose people use the console; `None` if there is no console.
pub fn caller(config: &Config) -> Option<&Caller> {
    config.callers().find(|caller| caller.kind == NAME)
}

/// Whether people sign in at an identity provider; else a proxy proves them.
pub fn has_provider(caller: &Caller) -> bool {
    caller.setting("client_id").is_some()
}

/// Returns the console's own origin, without a slash at its end.
pub fn public_url(caller: &Caller) -> String {
    caller.setting("public_url").and_then(|url| endpoint(url).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callers::shapes;

    const PROXY: &str = "header = \"Cf-Access-Jwt-Assertion\"\nissuer = \"https://team.cloudflareaccess.com\"\naudience = \"a\"\njwks_url = \"https://team.cloudflareaccess.com/cdn-cgi/access/certs\"\nalgorithms = \"RS256\"\nsecrets = [{ session_key = \"k\" }]";
    const PROVIDER: &str = "issuer = \"https://login.example.com\"\nclient_id = \"offboard\"\nsecrets = [{ session_key = \"k\", client_secret = \"c\" }]";

    /// The error of a configuration with these callers of the kind.
    fn error(callers: &[&str]) -> Option<String> {
        let callers: String = callers
            .iter()
            .enumerate()
            .map(|(number, settings)| format!("[[caller]]\nname = \"c{number}\"\nkind = \"console\"\n{settings}\n\n"))
            .collect();
        let demo = include_str!("../../../config/offboard.toml");
        let text = demo.replacen("[accounts]", &format!("{callers}[accounts]"), 1);
        Config::parse(&text, &shapes()).err().map(|error| error.message)
    }

    #[test]
    fn the_two_ways_to_prove_a_person() {
        let public = |settings: &str| format!("public_url = \"https://offboard.example.com\"\n{settings}");
        let of = |settings: &str| error(&[&public(settings)]);
        assert_eq!(of(PROXY), None);
        assert_eq!(of(PROVIDER), None);
        assert_eq!(of(&format!("{PROXY}\nclaim = \"email\"\ngroups = \"groups\"")), None);
        assert_eq!(
            of(&PROXY.replace(
                "jwks_url = \"https://team.cloudflareaccess.com/cdn-cgi/access/certs\"",
                "jwks_file = \"a.json\""
            )),
            None
        );
        assert_eq!(of(&format!("{PROVIDER}\nscopes = [\"openid\"]\nalgorithms = [\"ES256\", \"RS256\"]")), None);
        for (settings, why) in [
            (PROVIDER.replace("client_id = \"offboard\"\n", ""), "needs either `header` "),
            (format!("{PROVIDER}\nheader = \"a\""), "needs either `header` "),
            (format!("{PROVIDER}\naudience = \"a\""), "needs either the settings of a proxy "),
            (
                format!("{PROVIDER}\njwks_url = \"https://login.example.com/keys\""),
                "needs either the settings of a proxy ",
            ),
            (
                PROVIDER.replace("https://login.example.com", "http://login.example.com"),
                "needs `issuer`: the provider's",
            ),
            (PROVIDER.replace(", client_secret = \"c\"", ""), "needs `client_secret = "),
            (PROVIDER.replace("session_key = \"k\", ", ""), "takes `secrets = [{ session_key = "),
            (format!("{PROXY}\nscopes = \"openid\""), "needs either the settings of a proxy "),
            (
                PROXY.replace("session_key = \"k\"", "session_key = \"k\", client_secret = \"c\""),
                "needs either the settings ",
            ),
            (PROXY.replace("issuer = \"https://team.cloudflareaccess.com\"\n", ""), "needs `issuer`"),
            (PROXY.replace("audience = \"a\"\n", ""), "needs `audience`"),
            (PROXY.replace("algorithms = \"RS256\"\n", ""), "needs `algorithms`"),
            (PROXY.replace("\"RS256\"", "\"ES384\""), "caller.algorithms `ES384` is not valid"),
            (PROXY.replace("\"RS256\"", "\"none\""), "caller.algorithms `none` is not valid"),
            (PROXY.replace("jwks_url", "azp"), "needs either `jwks_url` or `jwks_file`"),
            (PROXY.replace("Cf-Access-Jwt-Assertion", "a b"), "caller.header `a b` is not valid"),
        ] {
            let error = of(&settings).unwrap_or_default();
            assert!(error.contains(why), "{settings}\n{error}");
        }
        assert!(error(&[PROVIDER]).unwrap().contains("needs `public_url`"));
        for url in ["https://offboard.example.com/console", "http://offboard.example.com", "offboard.example.com"] {
            let error = error(&[&format!("public_url = \"{url}\"\n{PROVIDER}")]).unwrap();
            assert!(error.contains("caller.public_url"), "{error}");
        }
        let two = error(&[&public(PROVIDER), &public(PROXY)]).unwrap();
        assert!(two.contains("caller `c1` is of the same kind `console` as caller `c0`"), "{two}");
    }

    #[test]
    fn a_session_key_is_long() {
        let secret = |length: usize| Secret::new("a".repeat(length)).unwrap();
        for (part, length, is_usable) in [(SESSION_KEY, 31, false), (SESSION_KEY, 32, true), (CLIENT_SECRET, 1, true)] {
            assert_eq!(secret_form(part, &secret(length)).is_ok(), is_usable, "{part} {length}");
        }
    }
}
