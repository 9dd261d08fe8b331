//! The metrics: what docs/dashboard.json shows and docs/operations.md alerts on exists, and everything that exists is written about.

use std::collections::BTreeSet;

use serde_json::Value;
use starrocks_offboard::reply::exposition::MetricType;
use starrocks_offboard::reply::metrics::ALL;

use crate::text_of;

/// Names of metrics in a text: what begins with `offboard_`.
fn names(text: &str) -> BTreeSet<String> {
    let begins = text.match_indices("offboard_").map(|(at, _)| &text[at..]);
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    begins.map(name).collect()
}

/// Names that `GET /metrics` has: of a histogram, those of its samples as well.
fn exported() -> BTreeSet<String> {
    let of_metric = |metric: &starrocks_offboard::reply::exposition::Metric| {
        let suffixes: &[&str] = match metric.of_type {
            MetricType::Histogram => &["", "_bucket", "_sum", "_count"],
            MetricType::Gauge | MetricType::Counter => &[""],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", metric.name)).collect::<Vec<_>>()
    };
    ALL.iter().flat_map(of_metric).collect()
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_exist() {
    for file in ["docs/dashboard.json", "docs/operations.md"] {
        let unknown: Vec<_> = names(&text_of(file)).difference(&exported()).cloned().collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}, which GET /metrics does not have");
    }
}

#[test]
fn every_metric_is_shown_and_written_about() {
    let (dashboard, page) = (names(&text_of("docs/dashboard.json")), text_of("docs/operations.md"));
    for metric in ALL {
        assert!(dashboard.iter().any(|name| name.starts_with(metric.name)), "dashboard.json has no {}", metric.name);
        assert!(page.contains(&format!("`{}`", metric.name)), "operations.md has no `{}`", metric.name);
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_reads() {
    let dashboard: Value = serde_json::from_str(&text_of("docs/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty() && panel["gridPos"]["w"].as_u64().unwrap() <= 24, "{}", panel["title"]);
        let references: BTreeSet<_> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
        assert_eq!(references.len(), targets.len(), "{}", panel["title"]);
    }
}
