//! Prometheus' text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>).
//!
//! Not supported: summaries, timestamps, exemplars, OpenMetrics.

use std::fmt::Write;

/// The content type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricType {
    /// A value that goes up and down.
    Gauge,
    /// A value that goes up, and starts again at zero.
    Counter,
    /// Counts of values by their size.
    Histogram,
}

impl MetricType {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub of_type: MetricType,
    /// What it says, for its readers.
    pub help: &'static str,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// What follows the metric's name: `_bucket`, `_sum` or `_count` of a histogram, else nothing.
    pub suffix: &'static str,
    /// Names and values of its labels.
    pub labels: Vec<(&'static str, String)>,
    /// The value, in thousandths.
    pub thousandths: i64,
}

impl Sample {
    /// A whole number.
    pub fn whole(labels: Vec<(&'static str, String)>, number: i64) -> Self {
        Self { suffix: "", labels, thousandths: number.saturating_mul(1000) }
    }
}

/// Writes a metric with its samples; nothing if it has none.
pub fn write(text: &mut String, metric: &Metric, samples: &[Sample]) {
    if samples.is_empty() {
        return;
    }
    let Metric { name, of_type, help } = metric;
    let help = help.replace('\\', "\\\\").replace('\n', "\\n");
    // Writing to a text does not fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {}\n", of_type.as_str());
    for Sample { suffix, labels, thousandths } in samples {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(text, "{name}{suffix}{labels} {}", decimal(*thousandths));
    }
}

/// A label's value.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Thousandths as a decimal number: 1500 is `1.5`.
pub(crate) fn decimal(thousandths: i64) -> String {
    let (whole, rest) = (thousandths.unsigned_abs() / 1000, thousandths.unsigned_abs() % 1000);
    let sign = if thousandths < 0 { "-" } else { "" };
    let fraction = format!(".{rest:03}");
    format!("{sign}{whole}{}", fraction.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const METRIC: Metric =
        Metric { name: "offboard_test", of_type: MetricType::Gauge, help: "what it says\nin \\ two lines" };

    /// Reads a line as the specification says.
    fn parse(line: &str) -> (String, Vec<(String, String)>, f64) {
        let end_of_name = line.find(['{', ' ']).unwrap();
        let (name, rest) = line.split_at(end_of_name);
        let mut labels = Vec::new();
        let value = match rest.strip_prefix('{') {
            None => rest,
            Some(mut rest) => loop {
                let (label, after) = rest.split_once("=\"").unwrap();
                let mut value = String::new();
                let mut characters = after.char_indices();
                let end = loop {
                    match characters.next().unwrap() {
                        (_, '\\') => value.push(match characters.next().unwrap().1 {
                            'n' => '\n',
                            other => other,
                        }),
                        (at, '"') => break at,
                        (_, other) => value.push(other),
                    }
                };
                labels.push((label.to_owned(), value));
                rest = &after[end + 1..];
                match rest.strip_prefix(',') {
                    Some(more) => rest = more,
                    None => break rest.strip_prefix('}').unwrap(),
                }
            },
        };
        (name.to_owned(), labels, value.trim().parse().unwrap())
    }

    #[test]
    fn numbers() {
        for (thousandths, expected) in
            [(0, "0"), (1, "0.001"), (1000, "1"), (1500, "1.5"), (-250, "-0.25"), (10_000, "10"), (120_050, "120.05")]
        {
            assert_eq!(decimal(thousandths), expected);
        }
        assert_eq!(decimal(i64::MIN), "-9223372036854775.808");
    }

    #[test]
    fn a_metric() {
        let mut text = String::new();
        write(&mut text, &METRIC, &[]);
        assert_eq!(text, "");
        write(&mut text, &METRIC, &[Sample::whole(vec![], 3), Sample::whole(vec![("a", "x\"\\\n".into())], -1)]);
        assert_eq!(
            text,
            "# HELP offboard_test what it says\\nin \\\\ two lines\n# TYPE offboard_test gauge\noffboard_test 3\noffboard_test{a=\"x\\\"\\\\\\n\"} -1\n"
        );
    }

    proptest! {
        /// What is written is read back, whatever the labels hold.
        #[test]
        fn what_is_written_is_read_back(
            values in prop::collection::vec("\\PC{0,6}|[\"\\\\\n,={} a]{0,8}", 0..4),
            thousandths in -9_007_199_254_740_i64..9_007_199_254_740,
        ) {
            let labels: Vec<_> = ["a", "b", "c"].into_iter().zip(values).collect();
            let mut text = String::new();
            write(&mut text, &METRIC, &[Sample { suffix: "_sum", labels: labels.clone(), thousandths }]);
            let line = text.strip_prefix("# HELP offboard_test what it says\\nin \\\\ two lines\n# TYPE offboard_test gauge\n");
            let (name, read, value) = parse(line.unwrap().strip_suffix('\n').unwrap());
            let labels: Vec<_> = labels.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            prop_assert_eq!((name.as_str(), read), ("offboard_test_sum", labels));
            prop_assert!((value * 1000.0 - thousandths as f64).abs() < 0.5);
        }
    }
}
