//! The CUDA half of libtorch is looked for beside the CPU half, and a broken one is told.
#![cfg(target_os = "linux")]

use std::{env, fs, os::unix::fs::symlink, path::Path, process::Command};

/// Runs in a process of its own, where the test below has put a libtorch with a broken CUDA half.
#[test]
#[ignore = "run by the test below"]
fn ask_for_devices() {
    println!("auto: {:?}", nn::device("auto").unwrap());
    println!("cuda: {}", nn::device("cuda").unwrap_err());
}

#[test]
fn a_broken_cuda_library_leaves_the_cpu_and_says_why() {
    let libtorch = env::var_os("LIBTORCH").expect("cargo sets what .cargo/config.toml says");
    let libtorch = Path::new(&libtorch).join("lib").canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    for library in fs::read_dir(libtorch).unwrap().map(Result::unwrap) {
        symlink(library.path(), folder.path().join(library.file_name())).unwrap();
    }
    let broken = folder.path().join("libtorch_cuda.so");
    let _ = fs::remove_file(&broken);
    fs::write(&broken, "no library").unwrap();

    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "ask_for_devices", "--ignored", "--nocapture"])
        .env("LD_LIBRARY_PATH", folder.path())
        .output()
        .unwrap();
    let [out, warning] = [child.stdout, child.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(child.status.success(), "{out}{warning}");
    assert!(out.contains("auto: Cpu"), "{out}");
    assert!(warning.contains("warning: CUDA is installed and cannot be used"), "{warning}");
    assert!(warning.contains("libtorch_cuda.so"), "the warning names the file: {warning}");
    assert!(out.contains("cuda: cuda cannot be used") && out.contains("device=cpu"), "{out}");
}
