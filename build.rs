//! Build script: sets linker options of the Node addon (feature `addon`).

fn main() {
    #[cfg(feature = "addon")]
    addon();
}

#[cfg(feature = "addon")]
fn addon() {
    napi_build::setup();
    // Node unloads an addon when the last environment that loaded it ends, such as a worker. I/O threads may
    // still be ending then, and their code must stay mapped. macOS never unmaps a library with thread-local
    // variables, which this one has; on Windows there are no such threads.
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if matches!(os.as_str(), "linux" | "freebsd" | "android") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
