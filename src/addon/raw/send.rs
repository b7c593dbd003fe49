//! The hot path of sending: `send(id, data, flags)` as a plain Node-API function. What napi generates for a method of a
//! class (unwrapping, type tags, borrow tracking) costs more than framing a small message does.

use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::{Error, Result, sys};

use super::check;
use crate::addon::channel::{Channel, flag};
use crate::addon::connection::number;
use crate::addon::environment::Shared;

/// Makes the function for an environment.
///
/// # Errors
/// When JavaScript has no memory, or the environment is ending.
pub(in crate::addon) fn create_send(shared: &Rc<Shared>) -> Result<sys::napi_value> {
    let env = shared.env.raw();
    let data = Rc::into_raw(Rc::clone(shared)).cast_mut().cast::<c_void>();
    let mut function = ptr::null_mut();
    // SAFETY: the name is given with its length; `data` lives until `release`.
    let created = check(unsafe {
        sys::napi_create_function(env, c"send".as_ptr(), 4, Some(send), data, &raw mut function)
    });
    let kept = created.and_then(|()| {
        // SAFETY: `function` was just made; `release` takes what `data` owns, once.
        check(unsafe {
            sys::napi_add_finalizer(env, function, data, Some(release), ptr::null_mut(), ptr::null_mut())
        })
    });
    if let Err(error) = kept {
        release_shared(data);
        return Err(error);
    }
    Ok(function)
}

unsafe extern "C" fn release(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    release_shared(data);
}

fn release_shared(data: *mut c_void) {
    // SAFETY: `data` is from `Rc::into_raw` in `create_send`, and given back once: by the finalizer, or where there is none.
    drop(unsafe { Rc::from_raw(data.cast::<Shared>()) });
}

unsafe extern "C" fn send(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // A panic must not unwind into Node.
    let outcome = catch_unwind(AssertUnwindSafe(|| run(env, info)))
        .unwrap_or_else(|_| Err(Error::from_reason("ferrows panicked while sending")));
    match outcome {
        Ok(value) => value,
        Err(error) => {
            let reason = error.reason.clone();
            // SAFETY: the text is given with its length, and copied.
            unsafe { throw(env, &reason) };
            ptr::null_mut()
        }
    }
}

/// # Safety
/// `env` must be that of the running call.
unsafe fn throw(env: sys::napi_env, text: &str) {
    let mut message = ptr::null_mut();
    // SAFETY: the text is given with its length.
    let made = unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len().cast_signed(), &raw mut message)
    };
    let mut error = ptr::null_mut();
    if made == sys::Status::napi_ok {
        // SAFETY: `message` is a string of this call.
        unsafe { sys::napi_create_type_error(env, ptr::null_mut(), message, &raw mut error) };
        // SAFETY: `error` is a value of this call.
        unsafe { sys::napi_throw(env, error) };
    }
}

fn run(env: sys::napi_env, info: sys::napi_callback_info) -> Result<sys::napi_value> {
    let mut arguments = [ptr::null_mut(); 3];
    let mut count = arguments.len();
    let mut data = ptr::null_mut();
    // SAFETY: out-parameters; `arguments` has room for `count` values, and missing ones are `undefined`.
    check(unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        )
    })?;
    // SAFETY: `data` is what `create_send` gave; the finalizer has not run, since the function is being called.
    let shared = unsafe { &*data.cast::<Shared>() };
    let [id, payload, flags] = arguments;
    let (id, flags) = (unsigned(env, id)?, unsigned(env, flags)?);
    let channel = shared.channels.borrow().get(id as usize).map(Rc::clone);
    let channel: Rc<RefCell<Channel>> = channel.ok_or_else(|| Error::from_reason("no such connection"))?;
    let queued = channel.borrow_mut().send(shared, payload, flags, None)?;
    if flags & flag::TOTAL == 0 {
        // `undefined`
        return Ok(ptr::null_mut());
    }
    let mut total = ptr::null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { sys::napi_create_double(env, number(queued), &raw mut total) })?;
    Ok(total)
}

fn unsigned(env: sys::napi_env, value: sys::napi_value) -> Result<u32> {
    let mut number = 0;
    // SAFETY: a value of the running call; another type gives an error status.
    check(unsafe { sys::napi_get_value_uint32(env, value, &raw mut number) })?;
    Ok(number)
}
