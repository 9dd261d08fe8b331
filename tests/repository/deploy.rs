//! `deploy/`: the manifests of Kubernetes and SpinKube, the image, the units of systemd, held to Kubernetes' own schemas, to spin.toml,
//! to config/ and to each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use local::manifest::Manifest;
use local::repository;
use serde_json::{Value, json};
use support::python::{python, scripts};

use crate::{sources, text_of};

/// What a scheduler calls, at `/jobs/…`.
const JOBS: [&str; 4] = ["expire", "prune", "remind", "settle"];

/// Where kubelet asks: live and ready.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// The fields of a `SpinApp` and a `SpinAppExecutor`, of `core.spinkube.dev/v1alpha1` in April 2026, that these manifests may use.
const SPIN_APP: [&str; 9] = [
    "checks",
    "executor",
    "image",
    "imagePullSecrets",
    "podLabels",
    "replicas",
    "resources",
    "runtimeConfig",
    "variables",
];
const SPIN_APP_EXECUTOR: [&str; 2] = ["createDeployment", "deploymentConfig"];

/// Runs a script of `tests/python` and returns what it prints.
fn run(script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(python());
    let output = command.arg("-B").arg(scripts().join(script)).args(arguments).current_dir(repository::root()).output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{script}: {error}\n{errors}"))
}

/// The names of the files in a folder, in order.
fn files_in(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(repository::root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Every document of every manifest, valid in Kubernetes.
fn documents() -> &'static [Value] {
    static DOCUMENTS: OnceLock<Vec<Value>> = OnceLock::new();
    DOCUMENTS.get_or_init(|| {
        let below =
            |folder: &str| files_in(folder).into_iter().map(move |file| format!("{folder}/{file}")).collect::<Vec<_>>();
        let mut files = [below("deploy/kubernetes"), below("deploy/spinkube")].concat();
        files.push("kustomization.yaml".to_owned());
        let documents = run("manifests.py", &files.iter().map(String::as_str).collect::<Vec<_>>());
        documents.as_array().unwrap().clone()
    })
}

fn of_kind(kind: &str) -> Vec<&'static Value> {
    documents().iter().filter(|document| document["kind"] == kind).collect()
}

fn one_of_kind(kind: &str) -> &'static Value {
    let found = of_kind(kind);
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

fn strings(value: &Value) -> BTreeSet<String> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap_or_else(|| panic!("{text} is no text")).to_owned()).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}

fn gateway() -> &'static Value {
    &one_of_kind("Deployment")["spec"]["template"]["spec"]
}

/// The pods of the gateway and of the jobs.
fn pods() -> Vec<&'static Value> {
    let jobs = of_kind("CronJob").into_iter().map(|job| &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]);
    jobs.chain([gateway()]).collect()
}

/// The variables of spin.toml, as Spin reads them from the environment.
fn environment() -> BTreeSet<String> {
    let manifest = Manifest::read(&repository::root().join("spin.toml")).unwrap();
    manifest.variables.keys().map(|name| format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())).collect()
}

/// Names and values of a file for systemd's `EnvironmentFile`.
fn environment_file() -> Vec<(String, String)> {
    let text = text_of("deploy/systemd/variables.env");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap()).collect()
}

/// A value that is not empty would be a secret that every reader knows.
#[test]
fn placeholders_are_declared_variables_without_a_value() {
    let secret = &one_of_kind("Secret")["stringData"];
    let in_secret =
        secret.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
    for (name, value) in in_secret.chain(environment_file()) {
        assert!(environment().contains(&name), "spin.toml declares no variable for {name}");
        assert_eq!(value, "", "{name} has a value");
    }
    for variable in one_of_kind("SpinApp")["spec"]["variables"].as_array().unwrap() {
        let from = &variable["valueFrom"]["secretKeyRef"];
        let key = format!("SPIN_VARIABLE_{}", variable["name"].as_str().unwrap().to_ascii_uppercase());
        assert!(secret.get(&key).is_some(), "the Secret has no {key}");
        assert_eq!((&from["key"], &from["name"]), (&json!(key), &one_of_kind("Secret")["metadata"]["name"]));
    }
    let from = &gateway()["containers"][0]["envFrom"][0]["secretRef"]["name"];
    assert_eq!(*from, one_of_kind("Secret")["metadata"]["name"]);
}

#[test]
fn the_config_map_has_the_files_of_config_where_spin_toml_reads_them() {
    let kustomizations = of_kind("Kustomization");
    let generators = kustomizations.iter().find_map(|one| one.get("configMapGenerator")).unwrap();
    let expected = files_in("config").into_iter().map(|file| format!("config/{file}")).collect::<BTreeSet<_>>();
    assert_eq!(strings(&generators[0]["files"]), expected);
    let volume = &gateway()["volumes"][0];
    assert_eq!(volume["configMap"]["name"], generators[0]["name"]);
    let mount = &gateway()["containers"][0]["volumeMounts"][0];
    assert_eq!((&mount["name"], &mount["mountPath"]), (&volume["name"], &json!("/app/config")));
    let manifest = Manifest::read(&repository::root().join("spin.toml")).unwrap();
    assert_eq!(manifest.mounts[0].source, Path::new("config"));
}

/// Applied again, the Secret would empty the variables.
#[test]
fn kustomize_applies_everything_but_the_secret() {
    let kustomizations = of_kind("Kustomization");
    let applied: BTreeSet<String> = kustomizations.iter().flat_map(|one| strings(&one["resources"])).collect();
    let mut expected = files_in("deploy/kubernetes");
    expected.retain(|file| !["kustomization.yaml", "secret.yaml"].contains(&file.as_str()));
    expected.insert("deploy/kubernetes".to_owned());
    assert_eq!(applied, expected);
}

#[test]
fn every_pod_is_confined_and_says_what_it_needs() {
    for pod in pods() {
        let context = &pod["securityContext"];
        assert_eq!(context["runAsNonRoot"], true, "{pod}");
        assert_eq!(context["seccompProfile"]["type"], "RuntimeDefault", "{pod}");
        assert_eq!(pod["automountServiceAccountToken"], false, "{pod}");
        for container in pod["containers"].as_array().unwrap() {
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"], false, "{container}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{container}");
            assert_eq!(context["capabilities"]["drop"], json!(["ALL"]), "{container}");
            assert_eq!(keys(&container["resources"]["requests"]), BTreeSet::from(["cpu", "memory"].map(str::to_owned)));
        }
    }
}

/// Labels and ports that have to be the same in several manifests.
#[test]
fn selectors_find_the_gateway() {
    let labels = &one_of_kind("Deployment")["spec"]["template"]["metadata"]["labels"];
    assert_eq!(one_of_kind("Service")["spec"]["selector"], *labels);
    assert_eq!(one_of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], *labels);
    assert_eq!(one_of_kind("SpinApp")["spec"]["podLabels"], *labels);
    let container = &gateway()["containers"][0];
    let port = &container["ports"][0]["containerPort"];
    assert!(strings(&container["args"]).contains(&format!("0.0.0.0:{port}")));
    let policies = of_kind("NetworkPolicy");
    let policy = policies.iter().find(|policy| policy["spec"]["podSelector"]["matchLabels"] == *labels).unwrap();
    assert_eq!(policy["spec"]["ingress"][0]["ports"][0]["port"], *port);
}

/// As in the image, so that the image alone runs in the same way.
#[test]
fn the_image_is_started_with_the_same_arguments() {
    let containerfile = text_of("deploy/Containerfile");
    let command = containerfile.lines().find_map(|line| line.strip_prefix("CMD ")).unwrap();
    let container = &gateway()["containers"][0];
    assert_eq!(serde_json::from_str::<Value>(command).unwrap(), container["args"]);
    let spin = containerfile.lines().find_map(|line| line.strip_prefix("FROM ")).unwrap();
    assert_eq!(one_of_kind("SpinAppExecutor")["spec"]["deploymentConfig"]["spinImage"], spin);
    let manifest = Manifest::read(&repository::root().join("spin.toml")).unwrap();
    let component = manifest.source.to_str().unwrap();
    assert!(containerfile.contains(&format!("COPY {component} ")));
    assert!(text_of("deploy/Containerfile.dockerignore").contains(&format!("!{component}\n")));
}

#[test]
fn spinkube_knows_the_fields() {
    for (kind, fields) in [("SpinApp", &SPIN_APP[..]), ("SpinAppExecutor", &SPIN_APP_EXECUTOR[..])] {
        let known: BTreeSet<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let used = keys(&one_of_kind(kind)["spec"]);
        assert!(used.is_subset(&known), "{kind}: {used:?}");
    }
    let app = &one_of_kind("SpinApp")["spec"];
    assert_eq!(app["executor"], one_of_kind("SpinAppExecutor")["metadata"]["name"]);
    assert_eq!(app["resources"], gateway()["containers"][0]["resources"]);
}

#[test]
fn probes_and_jobs_call_the_gateway() {
    let container = &gateway()["containers"][0];
    let app = &one_of_kind("SpinApp")["spec"]["checks"];
    for (path, probes) in [
        (PROBES[0], vec![&container["startupProbe"], &container["livenessProbe"], &app["liveness"]]),
        (PROBES[1], vec![&container["readinessProbe"], &app["readiness"]]),
    ] {
        for probe in probes {
            assert_eq!(probe["httpGet"]["path"], path);
        }
    }
    let service = one_of_kind("Service")["metadata"]["name"].as_str().unwrap();
    let mut called = BTreeSet::new();
    for pod in pods().into_iter().filter(|pod| pod["restartPolicy"] == "Never") {
        let command = pod["containers"][0]["command"][2].as_str().unwrap();
        let (_, job) = command.rsplit_once(&format!("http://{service}/jobs/")).unwrap();
        called.insert(job.to_owned());
    }
    assert_eq!(called, BTreeSet::from(JOBS.map(str::to_owned)));
}

/// A manifest that calls a path which is not there would restart pods, or fail every night.
#[test]
fn the_gateway_routes_what_probes_and_jobs_call() {
    let sources: String = sources::below("src").into_iter().map(|(_, text)| text).collect();
    let probes = PROBES.map(|path| path.trim_start_matches('/'));
    for segment in probes.into_iter().chain(["jobs"]).chain(JOBS) {
        assert!(sources.contains(&format!("\"{segment}\"")), "no route has `{segment}`");
    }
}

#[test]
fn every_job_has_its_timer() {
    let timers: BTreeSet<String> =
        files_in("deploy/systemd").into_iter().filter(|file| file.ends_with(".timer")).collect();
    assert_eq!(timers, BTreeSet::from(JOBS.map(|job| format!("offboard-job@{job}.timer"))));
    for timer in timers {
        assert!(text_of(&format!("deploy/systemd/{timer}")).contains("\nOnCalendar="), "{timer}");
    }
    let job = text_of("deploy/systemd/offboard-job@.service");
    assert!(job.contains("/run-job %i\n") && job.contains("LoadCredential=job_key:"));
}

#[test]
fn units_are_confined() {
    for unit in ["starrocks-offboard.service", "offboard-job@.service"] {
        let text = text_of(&format!("deploy/systemd/{unit}"));
        for line in [
            "DynamicUser=yes",
            "NoNewPrivileges=yes",
            "CapabilityBoundingSet=",
            "ProtectSystem=strict",
            "ProtectHome=yes",
            "PrivateDevices=yes",
            "RestrictNamespaces=yes",
            "SystemCallFilter=@system-service",
        ] {
            assert!(text.lines().any(|known| known == line), "{unit} has no {line}");
        }
    }
    // Spin's ledger outlives the service, and no other user reads it.
    let gateway = text_of("deploy/systemd/starrocks-offboard.service");
    assert!(
        gateway.contains("--state-dir %S/starrocks-offboard")
            && gateway.contains("\nStateDirectory=starrocks-offboard\n")
    );
    assert!(gateway.contains("\nStateDirectoryMode=0700\n"));
}

#[test]
fn run_job_signs_as_rfc_9421_says() {
    for job in JOBS {
        let told = run("run_job.py", &["deploy/systemd/run-job", job]);
        assert_eq!((&told["target"], &told["exit"]), (&json!(format!("/jobs/{job}")), &json!(0)));
        let covered = told["covered"].to_string();
        for component in ["@method", "@path", "@query", "content-digest"] {
            assert!(covered.contains(component), "{component}: {covered}");
        }
    }
}
