//! The last phase of a turn of an event loop, in which handles have closed: when Node's sockets emit `close`.

use napi::{Env, Result};

use super::handle::{Handle, OnClosed, UV_IDLE};

/// Runs `run` in that phase of this turn; of the next one, if this turn is in it. The loop goes on until then.
///
/// # Errors
/// Where there is no libuv, or the loop takes no handle.
pub(in crate::addon) fn run_in_close_phase(env: Env, run: OnClosed) -> Result<()> {
    let handle = Handle::new(env, UV_IDLE, (), |libuv, event_loop, raw| {
        // SAFETY: the loop is the environment's, the memory has the size that libuv wants.
        unsafe { (libuv.idle_init)(event_loop, raw) }
    })?;
    handle.close(run);
    Ok(())
}
