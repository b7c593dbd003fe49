//! The hot paths as plain Node-API functions: sending, and what a stream needs for each chunk. What napi generates for a
//! method of a class (unwrapping, type tags, borrow tracking) costs more than framing a small message does.
//!
//! Each function gets the number of a connection first, and finds the environment in its own data.

use std::cell::RefCell;
use std::ffi::{CStr, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::{Error, Result, sys};

use super::check;
use crate::addon::channel::{Channel, flag};
use crate::addon::connection::number;
use crate::addon::environment::Shared;

/// Arguments at most.
const ARGUMENTS: usize = 3;

/// What a function does; its result is a number, or `undefined`.
type Body = fn(&Shared, sys::napi_env, [sys::napi_value; ARGUMENTS]) -> Result<Option<f64>>;

/// `send(id, data, flags)`: as `Channel::send`; returns the bytes ever queued if `flags` ask for it.
///
/// # Errors
/// When JavaScript has no memory, or the environment is ending.
pub(in crate::addon) fn create_send(shared: &Rc<Shared>) -> Result<sys::napi_value> {
    create::<Send>(shared, c"send")
}

/// `receive(id, chunk)`: as `Channel::receive`; returns the number of readable records.
///
/// # Errors
/// As [`create_send`].
pub(in crate::addon) fn create_receive(shared: &Rc<Shared>) -> Result<sys::napi_value> {
    create::<Receive>(shared, c"receive")
}

/// `takeOutput(id)`: as `Channel::take_output`; returns the number of bytes.
///
/// # Errors
/// As [`create_send`].
pub(in crate::addon) fn create_take_output(shared: &Rc<Shared>) -> Result<sys::napi_value> {
    create::<TakeOutput>(shared, c"takeOutput")
}

/// Names the body of a function, so that each has an entry of its own.
trait Call {
    const BODY: Body;
}

struct Send;
struct Receive;
struct TakeOutput;

impl Call for Send {
    const BODY: Body = |shared, env, [id, data, flags]| {
        let flags = unsigned(env, flags)?;
        let sent =
            channel(shared, env, id).and_then(|channel| channel.borrow_mut().send(shared, data, flags, None));
        // Whoever calls takes its string for the last one.
        let queued = sent.inspect_err(|_| shared.has_text.set(false))?;
        Ok((flags & flag::TOTAL != 0).then(|| number(queued)))
    };
}

impl Call for Receive {
    const BODY: Body = |shared, env, [id, chunk, _]| {
        let channel = channel(shared, env, id)?;
        let mut channel = channel.borrow_mut();
        channel.receive(shared, chunk)?;
        channel.more(shared).map(|count| Some(f64::from(count)))
    };
}

impl Call for TakeOutput {
    const BODY: Body = |shared, env, [id, ..]| {
        let length = channel(shared, env, id)?.borrow_mut().take_output(shared)?;
        Ok(Some(number(length as u64)))
    };
}

fn channel(shared: &Shared, env: sys::napi_env, id: sys::napi_value) -> Result<Rc<RefCell<Channel>>> {
    let id = unsigned(env, id)? as usize;
    let channel = shared.channels.borrow().get(id).map(Rc::clone);
    channel.ok_or_else(|| Error::from_reason("no such connection"))
}

fn create<C: Call>(shared: &Rc<Shared>, name: &CStr) -> Result<sys::napi_value> {
    let env = shared.env.raw();
    let data = Rc::into_raw(Rc::clone(shared)).cast_mut().cast::<c_void>();
    let length = name.count_bytes().cast_signed();
    let mut function = ptr::null_mut();
    // SAFETY: the name is given with its length; `data` lives until `release`.
    let created = check(unsafe {
        sys::napi_create_function(env, name.as_ptr(), length, Some(entry::<C>), data, &raw mut function)
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
    // SAFETY: `data` is from `Rc::into_raw` in `create`, and given back once: by the finalizer, or where there is none.
    drop(unsafe { Rc::from_raw(data.cast::<Shared>()) });
}

/// What Node calls.
unsafe extern "C" fn entry<C: Call>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // A panic must not unwind into Node.
    let outcome = catch_unwind(AssertUnwindSafe(|| run(C::BODY, env, info)))
        .unwrap_or_else(|_| Err(Error::from_reason("ferrows panicked")));
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

fn run(body: Body, env: sys::napi_env, info: sys::napi_callback_info) -> Result<sys::napi_value> {
    let mut arguments = [ptr::null_mut(); ARGUMENTS];
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
    // SAFETY: `data` is what `create` gave; the finalizer has not run, since the function is being called.
    let shared = unsafe { &*data.cast::<Shared>() };
    // `undefined`
    let Some(result) = body(shared, env, arguments)? else { return Ok(ptr::null_mut()) };
    let mut value = ptr::null_mut();
    // SAFETY: plain out-parameter.
    check(unsafe { sys::napi_create_double(env, result, &raw mut value) })?;
    Ok(value)
}

fn unsigned(env: sys::napi_env, value: sys::napi_value) -> Result<u32> {
    let mut number = 0;
    // SAFETY: a value of the running call; another type gives an error status.
    check(unsafe { sys::napi_get_value_uint32(env, value, &raw mut number) })?;
    Ok(number)
}
