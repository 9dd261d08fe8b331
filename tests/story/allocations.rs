//! How much memory a test asks for: a measure of work that is the same on every machine.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write;

use crate::gateway::{SUCCESS, app, ask, documented, header, memory, seconds, slash, text};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, which counts what each thread asks it for.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

fn count(bytes: usize) {
    // A thread that ends has no counters any more.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
    let _ = BYTES.try_with(|all| all.set(all.get() + bytes as u64));
}

#[allow(unsafe_code, reason = "the interface of allocators is unsafe; each call is handed on as it is")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    /// Counted as if all of it were copied.
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allocated {
    /// How often.
    pub(crate) count: u64,
    /// How much, in all.
    pub(crate) bytes: u64,
}

impl Allocated {
    /// What this thread has asked for so far.
    fn so_far() -> Self {
        Self { count: COUNT.get(), bytes: BYTES.get() }
    }

    /// What this thread asks for until the future is ready.
    pub(crate) async fn by<T>(work: impl Future<Output = T>) -> (T, Self) {
        let before = Self::so_far();
        let done = work.await;
        let after = Self::so_far();
        (done, Self { count: after.count - before.count, bytes: after.bytes - before.bytes })
    }

    /// Whether twice the input took no more than twice this, and a little for vectors that grow by leaps.
    pub(crate) fn doubles_to(self, twice: Self) -> bool {
        let is_fine = |one: u64, two: u64| two * 10 <= one * 23;
        is_fine(self.count, twice.count) && is_fine(self.bytes, twice.bytes)
    }
}

#[tokio::test]
async fn what_is_quadratic_is_seen() {
    async fn of(size: usize, work: fn(usize)) -> Allocated {
        Allocated::by(async { work(size) }).await.1
    }
    let linear = |size| (0..size).for_each(|_| drop(std::hint::black_box(vec![0_u8; 10])));
    let quadratic = |size| (0..size).for_each(|_| drop(std::hint::black_box(vec![0_u8; size])));
    let pushed = |size| {
        drop(std::hint::black_box((0..size).fold(Vec::new(), |mut all, n| {
            all.push(n);
            all
        })))
    };
    assert_eq!(of(1000, linear).await, Allocated { count: 1000, bytes: 10_000 });
    assert!(of(1000, linear).await.doubles_to(of(2000, linear).await));
    assert!(of(1024, pushed).await.doubles_to(of(2048, pushed).await));
    assert!(!of(1000, quadratic).await.doubles_to(of(2000, quadratic).await));
}

/// The most that the core and the in-memory host may ask for in one removal, in bytes: a twentieth more than it was when
/// this was last changed.
const ONE_REMOVAL: [(&str, u64); 2] = [("slack", 113_800), ("api", 92_500)];

#[tokio::test]
async fn a_removal_allocates_no_more_than_it_may() {
    let mut failures = String::new();
    for (kind, most) in ONE_REMOVAL {
        let (host, app) = (memory(), app());
        let request = |user_name: &str| match kind {
            "slack" => slash(seconds(&host), &format!("{user_name} analytics left")),
            _ => documented(seconds(&host), &format!("user_name={user_name}")),
        };
        // The first removal opens the ledger.
        let mut allocated = 0;
        for user_name in ["alice", "bobby"] {
            host.will_answer(200, SUCCESS);
            let inbound = request(user_name);
            let (answer, by_removal) = Allocated::by(ask(&host, &app, inbound)).await;
            assert_eq!(header(&answer, "x-offboard-code"), Some("SUCCESS"), "{kind}: {}", text(&answer));
            allocated = by_removal.bytes;
        }
        if allocated > most {
            let _ = writeln!(failures, "{kind}: {allocated} bytes, {} more than the {most} allowed", allocated - most);
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}
