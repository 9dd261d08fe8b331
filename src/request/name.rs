//! Names that a sender chooses, such as those of form fields and of signed components.
//!
//! A sender that proved nothing may send thousands of them. What is done with them before a proof has to grow with the request, and
//! no faster; so that a test can see that, a test build counts how often two names are compared.

use std::cmp::Ordering;

/// A name that a sender chose.
#[derive(Debug, Clone)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        #[cfg(test)]
        counted::COMPARISONS.with(|count| count.set(count.get() + 1));
        self.0.cmp(&other.0)
    }
}

/// The counter of test builds.
#[cfg(test)]
pub(crate) mod counted {
    use std::cell::Cell;

    thread_local! {
        pub(super) static COMPARISONS: Cell<u64> = const { Cell::new(0) };
    }

    /// Returns how often names are compared in this work.
    pub(crate) fn comparisons(work: impl FnOnce()) -> u64 {
        let before = COMPARISONS.get();
        work();
        COMPARISONS.get() - before
    }

    /// Asserts that twice the input is less than three times the work: a scan of all names for each would be four times.
    pub(crate) fn assert_grows_with_its_input(what: &str, work: impl Fn(usize), most: usize) {
        let (half, whole) = (comparisons(|| work(most / 2)), comparisons(|| work(most)));
        assert!(whole > 0, "{what}: nothing is compared");
        assert!(whole < half * 3, "{what}: {half} comparisons of {} names, {whole} of {most}", most / 2);
    }
}
