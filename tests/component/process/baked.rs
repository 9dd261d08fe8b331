//! A component that was baked: an instance uses what the build parsed if its files are those of the build, and its files in any
//! other case. Nothing else of an instance is from the build.

use std::fs;
use std::path::PathBuf;

use local::component::build;
use local::repository;
use starrocks_offboard::app::Texts;
use tokio::sync::OnceCell;

use crate::harness::credentials::Credentials;
use crate::harness::gateway::Gateway;
use crate::harness::requests::{Ask, INSTANCE, Kind};
use crate::harness::setup::Setup;

const FORBID: &str = "\n@id(\"nobody\")\nforbid (principal, action, resource);\n";

/// Each instance needs a token of IAM's, so that one from the build would show.
fn setup() -> Setup {
    Credentials::Password.setup()
}

/// The component, baked with the files of [`setup`].
async fn baked() -> PathBuf {
    static BAKED: OnceCell<PathBuf> = OnceCell::const_new();
    let bake = async || {
        let gateway = Gateway::start(setup()).await;
        let read = |name| fs::read_to_string(gateway.config(name)).unwrap();
        let texts =
            Texts { offboard: read("offboard.toml"), policy: read("policy.cedar"), schema: read("schema.cedarschema") };
        let path = repository::state_folder().join("baked-for-tests.wasm");
        let to = path.clone();
        let bake = move || build::bake_file(&build::component().unwrap().unbaked, &texts, &to);
        tokio::task::spawn_blocking(bake).await.unwrap().unwrap();
        path
    };
    BAKED.get_or_init(bake).await.clone()
}

/// A gateway each of whose requests meets a fresh instance.
async fn fresh() -> Gateway {
    Gateway::start_file(baked().await, setup(), 1).await
}

/// How many instances said that they do not use what the build parsed.
fn parsed(gateway: &Gateway) -> usize {
    let says = |line: &&String| line.starts_with("config: the component was built with other files");
    gateway.logs.lines().iter().filter(says).count()
}

fn add(gateway: &Gateway, file: &str, text: &str) {
    let path = gateway.config(file);
    fs::write(&path, fs::read_to_string(&path).unwrap() + text).unwrap();
}

async fn code(gateway: &Gateway, user_name: &str) -> String {
    gateway.advance(1000);
    gateway.simulator.add_account(INSTANCE, user_name);
    gateway.ask(Kind::Api, &Ask::to_remove(user_name)).await.code()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_files_of_the_build_nothing_is_parsed() {
    let gateway = fresh().await;
    for user_name in ["alice", "bob"] {
        assert_eq!(code(&gateway, user_name).await, "SUCCESS");
    }
    assert_eq!(gateway.logs.lines().iter().filter(|line| line.starts_with("config:")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_files_count_and_the_log_says_so() {
    for file in ["offboard.toml", "policy.cedar", "schema.cedarschema"] {
        let gateway = fresh().await;
        add(&gateway, file, if file == "policy.cedar" { FORBID } else { "\n" });
        let expected = if file == "policy.cedar" { "OFFBOARD.40301" } else { "SUCCESS" };
        assert_eq!(code(&gateway, "alice").await, expected, "{file}");
        assert_eq!(parsed(&gateway), 1, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_readable_file_what_the_build_parsed_is_not_used() {
    for file in ["offboard.toml", "policy.cedar", "schema.cedarschema"] {
        let spoils: [fn(&Gateway, &str); 3] = [
            |gateway, file| fs::remove_file(gateway.config(file)).unwrap(),
            |gateway, file| fs::write(gateway.config(file), b"\xff").unwrap(),
            |gateway, file| add(gateway, file, "\n]["),
        ];
        for (at, spoil) in spoils.into_iter().enumerate() {
            let gateway = fresh().await;
            spoil(&gateway, file);
            assert_eq!(code(&gateway, "alice").await, "OFFBOARD.50302", "{file} {at}");
            assert_eq!(gateway.deletes(), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_from_the_next_instance_on() {
    let gateway = fresh().await;
    let before = fs::read_to_string(gateway.config("policy.cedar")).unwrap();
    assert_eq!(code(&gateway, "alice").await, "SUCCESS");
    add(&gateway, "policy.cedar", FORBID);
    assert_eq!(code(&gateway, "bob").await, "OFFBOARD.40301");
    fs::remove_file(gateway.config("policy.cedar")).unwrap();
    assert_eq!(code(&gateway, "carol").await, "OFFBOARD.50302");
    fs::write(gateway.config("policy.cedar"), before).unwrap();
    assert_eq!(code(&gateway, "dave").await, "SUCCESS");
    assert_eq!(parsed(&gateway), 1);

    // An instance that lives on has read its files.
    let reused = Gateway::start_file(baked().await, setup(), 128).await;
    assert_eq!(code(&reused, "alice").await, "SUCCESS");
    add(&reused, "policy.cedar", FORBID);
    assert_eq!(code(&reused, "bob").await, "SUCCESS");
}

/// Clock, randomness, variables, tokens, ledger and connection are of the instance.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_the_configuration_is_from_the_build() {
    let gateway = fresh().await;
    for user_name in ["alice", "bob"] {
        assert_eq!(code(&gateway, user_name).await, "SUCCESS");
    }
    let rows = gateway.rows();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].asked_at - rows[0].asked_at, 1000, "{rows:#?}");
    assert_eq!(rows[1].asked_at, gateway.clock.load(std::sync::atomic::Ordering::Relaxed));
    assert_ne!(rows[0].id, rows[1].id);
    assert_eq!(gateway.simulator.token_calls(), 1);

    // Another process, another ledger: a row of the first is not known, and so not an answer.
    let other = fresh().await;
    assert_eq!(code(&other, "alice").await, "SUCCESS");
    assert_eq!((other.rows().len(), other.simulator.token_calls()), (1, 1));
    assert!(rows.iter().all(|row| row.id != other.rows()[0].id));

    // A variable that has another value now.
    let rotated = gateway.another_with("portal_secret_key", "another secret of the portal").await;
    assert_eq!(code(&rotated, "carol").await, "OFFBOARD.40105");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_was_not_baked_works() {
    let built = tokio::task::spawn_blocking(build::component).await.unwrap().unwrap();
    assert_eq!(built.not_baked, None);
    let gateway = Gateway::start_file(built.unbaked, Setup::default(), 1).await;
    assert_eq!(code(&gateway, "alice").await, "SUCCESS");
    assert_eq!(gateway.logs.lines().iter().filter(|line| line.starts_with("config:")).count(), 0);
}
