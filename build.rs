//! Build script: sets the linker up for a Node addon, and only when one is built (feature `addon`).

fn main() {
    #[cfg(feature = "addon")]
    addon();
}

#[cfg(feature = "addon")]
fn addon() {
    napi_build::setup();
    // Node unloads an addon when the last environment that loaded it ends (a worker, say). Threads of this
    // library may still be on their way out then; code they run must not be unmapped under them. macOS unmaps no library
    // that has thread-local variables, as this one has; on Windows there are no such threads.
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(os.as_str(), "linux" | "freebsd" | "android") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
