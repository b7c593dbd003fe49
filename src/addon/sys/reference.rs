//! A strong reference to a JavaScript value, for values that outlive one call.

use std::fmt;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, Result, sys};

use super::check;

/// Keeps a JavaScript object alive until dropped. Belongs to the thread of its environment (it is neither
/// `Send` nor `Sync`), and must be dropped before that environment ends.
pub(in crate::addon) struct Reference {
    env: sys::napi_env,
    raw: sys::napi_ref,
}

impl Reference {
    /// # Errors
    /// When `value` is no object or function.
    pub(in crate::addon) fn new(env: Env, value: sys::napi_value) -> Result<Self> {
        let mut raw = ptr::null_mut();
        // SAFETY: `env` is live (we are in a call from it) and `value` belongs to its current handle scope.
        check(unsafe { sys::napi_create_reference(env.raw(), value, 1, &raw mut raw) })?;
        Ok(Self { env: env.raw(), raw })
    }

    /// The value, as a handle of the current scope.
    ///
    /// # Errors
    /// When the environment is ending.
    pub(in crate::addon) fn value(&self) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        // SAFETY: the reference was made in `env` and is deleted only by `drop`.
        check(unsafe { sys::napi_get_reference_value(self.env, self.raw, &raw mut value) })?;
        Ok(value)
    }
}

/// A value as what napi's generated code returns to JavaScript.
pub(in crate::addon) fn unknown<'env>(env: Env, value: sys::napi_value) -> Result<Unknown<'env>> {
    // SAFETY: the value belongs to the current handle scope, that of the call that returns it.
    unsafe { Unknown::from_napi_value(env.raw(), value) }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: made in `env`, not deleted before, and we are on its thread: the type is not `Send`.
        unsafe { sys::napi_delete_reference(self.env, self.raw) };
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reference").finish_non_exhaustive()
    }
}
