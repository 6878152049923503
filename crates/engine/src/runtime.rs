//! The engine's runtime: two workers hold all sockets, so nothing on them waits for a disk.
//!
//! What reads or writes goes [`aside`], to the blocking pool. Tasks are begun with [`spawn`], which makes waiting for a disk on a worker a
//! panic wherever there are debug assertions.

use std::pin::Pin;
use std::task::{Context, Poll};

use inspector_model::{ErrorCode, Failure};
use inspector_store::waiting::must_not_wait;
use tokio::task::JoinHandle;

/// Begins a task on the workers.
pub fn spawn<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(OnWorker(Box::pin(task)))
}

/// Does what may wait for a disk, and lets whoever asked wait without holding a worker.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failure::new(ErrorCode::Io, format!("the request failed inside the inspector: {error}"))))
}

/// A task that must not wait while it runs.
struct OnWorker<F>(Pin<Box<F>>);

impl<F: Future> Future for OnWorker<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _here = must_not_wait();
        self.0.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use inspector_store::waiting::waits;

    use super::*;

    #[test]
    fn waiting_for_a_disk_fails_a_task_and_is_done_aside() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let _inside = runtime.enter();
        let blocks = spawn(async { waits() });
        assert!(runtime.block_on(blocks).unwrap_err().is_panic());
        let begun = spawn(async {
            tokio::task::yield_now().await;
            aside(|| {
                waits();
                Ok(7)
            })
            .await
        });
        assert_eq!(runtime.block_on(begun).unwrap(), Ok(7));
    }
}
