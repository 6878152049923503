//! A channel that is bounded by items and by bytes, so that few large items take no more memory than many small ones.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// A channel of so many items and so many bytes. One item that is larger than that has it for itself.
pub fn channel<T>(items: usize, bytes: u32) -> (Sender<T>, mpsc::Receiver<Weighed<T>>) {
    let (queue, incoming) = mpsc::channel(items);
    (Sender { queue, room: Arc::new(Semaphore::new(bytes as usize)), bytes }, incoming)
}

/// The end that puts in.
pub struct Sender<T> {
    queue: mpsc::Sender<Weighed<T>>,
    room: Arc<Semaphore>,
    bytes: u32,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), room: self.room.clone(), bytes: self.bytes }
    }
}

/// An item that came out. Its bytes count until its room is dropped.
pub struct Weighed<T> {
    /// What was sent.
    pub item: T,
    /// What it takes.
    pub room: OwnedSemaphorePermit,
}

/// Nobody takes anything out any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed;

/// Room for one item.
pub struct Slot<'a, T> {
    slot: mpsc::Permit<'a, Weighed<T>>,
    room: OwnedSemaphorePermit,
}

impl<T> Slot<'_, T> {
    /// Fills it.
    pub fn send(self, item: T) {
        self.slot.send(Weighed { item, room: self.room });
    }
}

impl<T> Sender<T> {
    /// Waits for room for an item of so many bytes. Nothing is lost when it is dropped while it waits.
    pub async fn reserve(&self, bytes: usize) -> Result<Slot<'_, T>, Closed> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).clamp(1, self.bytes);
        let room = tokio::select! {
            biased;
            room = self.room.clone().acquire_many_owned(bytes) => room.map_err(|_| Closed)?,
            () = self.queue.closed() => return Err(Closed),
        };
        let slot = self.queue.reserve().await.map_err(|_| Closed)?;
        Ok(Slot { slot, room })
    }

    /// Puts an item of so many bytes in, once there is room.
    pub async fn send(&self, item: T, bytes: usize) -> Result<(), Closed> {
        self.reserve(bytes).await.map(|slot| slot.send(item))
    }

    /// Whether nobody takes anything out any more.
    pub fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn it_is_full_by_items_or_by_bytes_whichever_comes_first() {
        let (sender, mut incoming) = channel(3, 1_000);
        let put = |bytes: usize| sender.send(bytes, bytes).now_or_never();
        assert_eq!([put(600), put(600)], [Some(Ok(())), None]);
        assert_eq!([put(10), put(10), put(10)], [Some(Ok(())), Some(Ok(())), None]);
        let first = incoming.try_recv().unwrap();
        assert_eq!((first.item, put(600)), (600, None), "its bytes count while it is looked at");
        drop(first);
        assert_eq!(put(600), Some(Ok(())));
    }

    #[test]
    fn an_item_that_is_larger_than_all_room_has_it_for_itself() {
        let (sender, mut incoming) = channel(3, 1_000);
        let put = |bytes: usize| sender.send((), bytes).now_or_never();
        assert_eq!([put(usize::MAX), put(1)], [Some(Ok(())), None]);
        drop(incoming.try_recv().unwrap());
        assert_eq!(put(1), Some(Ok(())));
    }

    #[test]
    fn who_waits_for_room_is_told_that_nobody_makes_any() {
        let (sender, incoming) = channel(3, 1_000);
        assert_eq!(sender.send((), 1_000).now_or_never(), Some(Ok(())));
        drop(incoming);
        assert_eq!(sender.send((), 1_000).now_or_never(), Some(Err(Closed)));
        assert!(sender.is_closed());
    }
}
