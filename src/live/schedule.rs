//! Distributes work over one task per processor.

use std::{
    iter,
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// The queues of these tasks, which end when it is dropped.
pub(super) struct Schedule<T> {
    queues: Vec<UnboundedSender<T>>,
    next: AtomicUsize,
}

impl<T> Schedule<T> {
    /// Also returns the receiver of each queue, for its task.
    pub(super) fn new() -> (Self, Vec<UnboundedReceiver<T>>) {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let (queues, receivers) = iter::repeat_with(mpsc::unbounded_channel).take(processors).unzip();
        (Self { queues, next: AtomicUsize::new(0) }, receivers)
    }

    pub(super) fn add(&self, item: T) {
        let task = self.next.fetch_add(1, Ordering::Relaxed) % self.queues.len();
        // Fails only while the runtime shuts down.
        self.queues[task].send(item).ok();
    }
}
