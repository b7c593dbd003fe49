//! The functions of libuv, looked up among the symbols of the process. Used within `uv` only. Makes no
//! handle.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::mem;
use std::sync::OnceLock;

/// A handle of any type.
pub(super) type RawHandle = *mut c_void;
/// `uv_close_cb` and the callbacks of check, idle and async handles.
pub(super) type Callback = unsafe extern "C" fn(RawHandle);
/// `uv_poll_cb`: handle, status, events.
pub(super) type PollCallback = unsafe extern "C" fn(RawHandle, c_int, c_int);

type Loop = *mut c_void;

/// Defines a field per function, and `load`, which fills all of them or none.
macro_rules! functions {
    ($($field:ident = $name:literal : $type:ty),* $(,)?) => {
        pub(super) struct Libuv {
            $(pub(super) $field: $type,)*
        }

        fn load() -> Option<Libuv> {
            Some(Libuv {
                $(
                    // SAFETY: the type is that of the function of this name in uv.h.
                    $field: unsafe { symbol::<$type>($name) }?,
                )*
            })
        }
    };
}

functions! {
    packed_version = c"uv_version": unsafe extern "C" fn() -> c_uint,
    handle_size = c"uv_handle_size": unsafe extern "C" fn(c_int) -> usize,
    close = c"uv_close": unsafe extern "C" fn(RawHandle, Callback),
    reference = c"uv_ref": unsafe extern "C" fn(RawHandle),
    unreference = c"uv_unref": unsafe extern "C" fn(RawHandle),
    async_init = c"uv_async_init": unsafe extern "C" fn(Loop, RawHandle, Callback) -> c_int,
    async_send = c"uv_async_send": unsafe extern "C" fn(RawHandle) -> c_int,
    check_init = c"uv_check_init": unsafe extern "C" fn(Loop, RawHandle) -> c_int,
    check_start = c"uv_check_start": unsafe extern "C" fn(RawHandle, Callback) -> c_int,
    idle_init = c"uv_idle_init": unsafe extern "C" fn(Loop, RawHandle) -> c_int,
    idle_start = c"uv_idle_start": unsafe extern "C" fn(RawHandle, Callback) -> c_int,
    idle_stop = c"uv_idle_stop": unsafe extern "C" fn(RawHandle) -> c_int,
    poll_init = c"uv_poll_init": unsafe extern "C" fn(Loop, RawHandle, c_int) -> c_int,
    poll_start = c"uv_poll_start": unsafe extern "C" fn(RawHandle, c_int, PollCallback) -> c_int,
}

impl Libuv {
    /// The major and the minor version.
    pub(super) fn version(&self) -> (u32, u32) {
        // SAFETY: the function takes nothing, and may be called at any time.
        let packed = unsafe { (self.packed_version)() };
        (packed >> 16, packed >> 8 & 0xff)
    }
}

/// The functions. `None` if the host has no libuv, or acts as if it had none (`FERROWS_LIBUV=0`, for tests).
pub(super) fn libuv() -> Option<&'static Libuv> {
    static LIBUV: OnceLock<Option<Libuv>> = OnceLock::new();
    let found =
        || if std::env::var_os("FERROWS_LIBUV").is_some_and(|value| value == "0") { None } else { load() };
    LIBUV.get_or_init(found).as_ref()
}

/// Looks up a function.
///
/// # Safety
/// `F` must be the type of a pointer to the function of this name.
unsafe fn symbol<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: `name` ends with a NUL.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if address.is_null() {
        return None;
    }
    // SAFETY: the sizes are equal (asserted above), and the caller guarantees the type.
    Some(unsafe { mem::transmute_copy(&address) })
}
