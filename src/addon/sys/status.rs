//! Node-API status codes as `napi` errors.

use napi::{Error, Result, Status, sys};

/// Turns a status into a result. A pending JavaScript exception stays pending and is what the caller's caller
/// sees.
///
/// # Errors
/// For every status but `napi_ok`.
pub(in crate::addon) fn check(status: sys::napi_status) -> Result<()> {
    match Status::from(status) {
        Status::Ok => Ok(()),
        failed => Err(Error::new(failed, "Node-API call failed")),
    }
}
