//! Compiles the C++ shim against the libtorch that torch-sys found.

use std::{env, path::PathBuf};

fn main() {
    println!("cargo:rerun-if-changed=cpp");
    let libraries =
        PathBuf::from(env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys tells where libtorch is"));
    let include = libraries.with_file_name("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .flag("-isystem") // silences libtorch's own headers, not the shim
        .flag(include.to_str().expect("libtorch's path is UTF-8"))
        .flag("-isystem")
        .flag(include.join("torch/csrc/api/include").to_str().expect("libtorch's path is UTF-8"))
        .flag_if_supported("-Wno-maybe-uninitialized") // of std::optional inside libtorch's headers
        .flag("-isystem")
        .flag("cpp/gloo_declarations")
        .files(
            ["shim", "recording", "world", "nccl", "batch_norm", "reducer"]
                .map(|part| format!("cpp/{part}.cpp")),
        )
        .compile("sga_shim");
}
