//! The variables `ledger` and `ledger_host` of spin.toml: whether the component may reach the PostgreSQL that its ledger is in.

use starrocks_offboard::diagnostic::Diagnostic;
use starrocks_offboard::ledger::location::Location;

use super::spin_toml::SpinToml;
use crate::operator_files::SPIN;
use crate::runtime::postgres_pool::urls_of;

const LEDGER: &str = "ledger";
const LEDGER_HOST: &str = "ledger_host";

/// Warns of a ledger that cannot be used with these values, and of a host that is allowed for no ledger.
pub(super) fn unreachable(spin: &SpinToml) -> Vec<Diagnostic> {
    let warning = |variable: &str, message: String| Diagnostic::warning(SPIN, spin.declaration(variable), message);
    let address = match Location::parse(spin.secret(LEDGER).as_ref()) {
        Ok(Location::Postgres(address)) => address,
        Ok(Location::Sqlite | Location::Trial) => {
            let message = format!(
                "`{LEDGER_HOST}` is set, and `{LEDGER}` is no address of PostgreSQL, so the ledger is in SQLite; set both, or neither"
            );
            return spin.application(LEDGER_HOST).map(|_| warning(LEDGER_HOST, message)).into_iter().collect();
        }
        Err(why) => return vec![warning(LEDGER, why.to_owned())],
    };
    match urls_of(address.expose()) {
        Err(why) => vec![warning(LEDGER, format!("the address in `{LEDGER}` cannot be read: {why}"))],
        Ok(urls) => {
            let refused = urls.into_iter().filter(|url| !spin.allows(url));
            let message = |url: String| {
                format!(
                    "`{LEDGER}` leads to `{url}`, which spin.toml does not allow; set `{LEDGER_HOST}`, or add it to allowed_outbound_hosts"
                )
            };
            refused.map(|url| warning(LEDGER_HOST, message(url))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::found_with_spin;

    fn found(ledger: &str, ledger_host: &str) -> Vec<String> {
        let declared = "host = { default = \"gaussdb.example.com\" }\nledger = { default = \"\" }\nledger_host = { default = \"\" }";
        let changes = [
            ("host = { default = \"gaussdb.example.com\" }", declared),
            ("\"https://{{ host }}\",", "\"https://{{ host }}\", \"{{ ledger_host }}\","),
            ("[component.c.variables]", "[component.c.variables]\nledger = \"{{ ledger }}\""),
        ];
        found_with_spin(&changes, &[("ledger", ledger), ("ledger_host", ledger_host)])
    }

    #[test]
    fn a_host_that_fits_is_no_problem() {
        for (ledger, ledger_host) in [
            ("", ""),
            ("memory", ""),
            ("postgres://offboard:hunter2@db.example.com/offboard", "postgres://db.example.com"),
            ("postgresql://offboard@db.example.com:6432/offboard?sslmode=require", "postgres://db.example.com:6432"),
            ("host=a.db.example.com,b.db.example.com user=offboard", "postgres://*.db.example.com:5432"),
        ] {
            assert_eq!(found(ledger, ledger_host), [""; 0], "{ledger}");
        }
    }

    #[test]
    fn hosts_that_are_not_allowed_are_reported() {
        let warning = |host: &str| {
            format!(
                "warning: spin.toml, line 13: `ledger` leads to `{host}`, which spin.toml does not allow; set `ledger_host`, or add it to allowed_outbound_hosts"
            )
        };
        for (ledger, ledger_host, refused) in [
            ("postgres://offboard:hunter2@db.example.com/x", "", &["postgres://db.example.com:5432"][..]),
            ("host=db.example.com port=6432", "postgres://db.example.com:5432", &["postgres://db.example.com:6432"]),
            ("host=db.example.com", "https://db.example.com:5432", &["postgres://db.example.com"]),
            ("host=a,b,c", "postgres://b:5432", &["postgres://a", "postgres://c"]),
        ] {
            let expected: Vec<_> = refused.iter().map(|host| warning(host)).collect();
            assert_eq!(found(ledger, ledger_host), expected, "{ledger}");
        }
    }

    #[test]
    fn a_host_without_a_ledger_is_reported() {
        let expected = "warning: spin.toml, line 13: `ledger_host` is set, and `ledger` is no address of PostgreSQL, so the ledger is in SQLite; set both, or neither";
        for ledger in ["", "memory"] {
            assert_eq!(found(ledger, "postgres://db.example.com"), [expected], "{ledger:?}");
        }
    }

    #[test]
    fn a_ledger_that_is_no_address_is_reported_without_its_value() {
        for (ledger, expected) in [
            (
                "mysql://offboard:hunter2@db/x",
                "warning: spin.toml, line 12: the variable `ledger` is neither empty nor `memory` nor an address of PostgreSQL; write `postgres://user:password@host/database`",
            ),
            (
                "postgres://offboard:hunter2@db:port/x",
                "warning: spin.toml, line 12: the address in `ledger` cannot be read: invalid connection string",
            ),
            (
                "host=/run/postgresql password=hunter2",
                "warning: spin.toml, line 12: the address in `ledger` cannot be read: Unix sockets are not supported on WebAssembly",
            ),
        ] {
            assert_eq!(found(ledger, "postgres://db:5432"), [expected]);
        }
    }
}
