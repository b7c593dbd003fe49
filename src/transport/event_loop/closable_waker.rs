//! A waker that the owner's thread can close, and other threads hold longer. Used by implementations of
//! [`LoopControl`](super::LoopControl).

use std::sync::{Arc, Mutex};

use crate::transport::queue::Wake;
use crate::transport::sync::lock;

/// Wakes `T` until it is closed.
pub struct ClosableWaker<T> {
    target: Mutex<Option<T>>,
    wake: fn(&T),
}

impl<T> ClosableWaker<T> {
    /// A waker that calls `wake`, from any thread and not after [`ClosableWaker::close`]. `wake` must not block.
    pub fn new(target: T, wake: fn(&T)) -> Arc<Self> {
        Arc::new(Self { target: Mutex::new(Some(target)), wake })
    }

    /// Drops the target. No call of `wake` is running afterwards, and none follows.
    pub fn close(&self) {
        *lock(&self.target) = None;
    }
}

impl<T: Send> Wake for Arc<ClosableWaker<T>> {
    fn wake(&self) {
        if let Some(target) = &*lock(&self.target) {
            (self.wake)(target);
        }
    }
}
