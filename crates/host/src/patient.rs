//! Waiting for a commit without being woken at every step of it.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::runtime::Handle;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        // Costs nothing while the thread naps.
        self.0.unpark();
    }
}

/// Runs `work` to its end on this thread, as [`Handle::block_on`] does, but looks at it again only
/// after a nap where it is not done at once. A store tells the end of each of its statements, and
/// waking up for those before the last one costs a busy processor more than they do.
pub(crate) fn block_on<F: Future>(runtime: &Handle, nap: Duration, work: F) -> F::Output {
    let _context = runtime.enter();
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    if let Poll::Ready(output) = work.as_mut().poll(&mut context) {
        return output;
    }
    thread::sleep(nap);
    loop {
        if let Poll::Ready(output) = work.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Work that takes `steps` messages of another thread.
    #[track_caller]
    fn check(steps: usize, nap_ms: u64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let other = thread::spawn(move || {
            for step in 0..steps {
                sender.blocking_send(step).unwrap();
                thread::sleep(Duration::from_millis(2));
            }
        });
        let work = async {
            let mut seen = 0;
            while receiver.recv().await.is_some() {
                seen += 1;
            }
            seen
        };
        assert_eq!(block_on(runtime.handle(), Duration::from_millis(nap_ms), work), steps);
        other.join().unwrap();
    }

    #[test]
    fn whatever_ends_before_during_or_after_the_nap_is_seen() {
        for (steps, nap_ms) in [(0, 0), (1, 0), (9, 0), (9, 5), (9, 60), (1, 60)] {
            check(steps, nap_ms);
        }
    }
}
