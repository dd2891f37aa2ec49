//! Damaged input: every truncation and thousands of byte flips of real objects and archives, linked by the command itself.
//!
//! Whatever the damage, the command ends by itself within seconds, with status 0 or 1, without a panic's text. What it says
//! is checked elsewhere (lit-tests/errors); here only that it says something when it fails.
//!
//! The inputs are in Inputs/robustness, for both architectures and by both compilers, whatever machine the test runs on:
//! `-noexec` links for any target.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long one link may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(10);

/// Byte flips tried for each input.
const FLIPS: usize = 1000;

/// Commands running at once.
const THREADS: usize = 2;

/// A damaged variant of an input.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Only so many bytes are left.
    Cut(usize),
    /// The byte at this offset is changed by this mask.
    Flip(usize, u8),
}

impl Damage {
    fn apply(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Damage::Cut(length) => bytes[..length].to_vec(),
            Damage::Flip(at, mask) => {
                let mut damaged = bytes.to_vec();
                damaged[at] ^= mask;
                damaged
            }
        }
    }

    /// Every truncation, and flips spread evenly over the file with masks that change from place to place.
    fn all(length: usize) -> Vec<Damage> {
        const MASKS: [u8; 7] = [0x01, 0xff, 0x80, 0x10, 0x7f, 0x04, 0x40];
        let cuts = (0..length).map(Damage::Cut);
        let flips = (0..FLIPS).map(|n| Damage::Flip(n * length / FLIPS, MASKS[n % MASKS.len()]));
        cuts.chain(flips).collect()
    }
}

fn inputs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("Inputs/robustness")
}

/// Waits for the command; `None` if it had to be ended.
fn wait(child: &mut Child) -> Option<std::process::ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        if start.elapsed() > PATIENCE {
            child.kill().expect("a child can be ended");
            child.wait().expect("a child can be waited for");
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// What is wrong with how the command took `words`, if anything.
fn complaint(words: &[&Path]) -> Option<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rjitlink"))
        .args(["-noexec", "-num-threads=1"])
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rjitlink can be started");
    // Messages are far smaller than a pipe holds, so that reading may wait until the command has ended.
    let status = wait(&mut child);
    let mut message = String::new();
    let stderr = child.stderr.as_mut().expect("stderr is piped");
    let text = stderr.read_to_string(&mut message);
    match status.map(|status| status.code()) {
        None => Some("it hangs".into()),
        Some(None) => Some(format!("it ends by a signal: {message}")),
        Some(Some(0)) => None,
        Some(Some(1)) if text.is_err() || message.contains("panicked") => Some(format!("it panics: {message}")),
        Some(Some(1)) if message.starts_with("rjitlink: error: ") => None,
        Some(Some(status)) => Some(format!("status {status} and this message: {message}")),
    }
}

/// Tries all damage to one input, in a folder named after the test; `words` makes the command line of the damaged file.
fn try_all(test: &str, name: &str, words: impl Fn(&Path) -> Vec<PathBuf> + Sync) {
    let bytes = fs::read(inputs().join(name)).expect("the input is there");
    let damage = Damage::all(bytes.len());
    let folder = TempDir::with_prefix(test).expect("a folder for damaged files");
    let next = AtomicUsize::new(0);
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|worker| {
                let (folder, damage, bytes, next, words) =
                    (folder.path().join(worker.to_string()), &damage, &bytes, &next, &words);
                scope.spawn(move || {
                    fs::create_dir_all(&folder).expect("a folder for damaged files");
                    let file = folder.join(name);
                    let mut complaints = Vec::new();
                    while let Some(damage) = damage.get(next.fetch_add(1, Ordering::Relaxed)) {
                        fs::write(&file, damage.apply(bytes)).expect("the damaged file can be written");
                        let words = words(&file);
                        let words: Vec<&Path> = words.iter().map(PathBuf::as_path).collect();
                        complaints.extend(complaint(&words).map(|what| format!("{damage:?}: {what}")));
                    }
                    complaints
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    let shown = complaints.iter().take(10).cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{name}: {} of {} variants\n{shown}", complaints.len(), damage.len());
}

macro_rules! damaged {
    ($($test:ident: $name:literal, $words:expr;)*) => {
        $(
            #[test]
            fn $test() {
                try_all(stringify!($test), $name, $words);
            }
        )*
    };
}

fn eager(file: &Path) -> Vec<PathBuf> {
    vec![file.to_owned()]
}

fn lazy(file: &Path) -> Vec<PathBuf> {
    vec!["-lazy".into(), file.to_owned()]
}

damaged! {
    x86_64_object_by_gcc: "x86_64-gcc.o", eager;
    x86_64_object_by_clang: "x86_64-clang.o", eager;
    aarch64_object_by_gcc: "aarch64-gcc.o", eager;
    aarch64_object_by_clang: "aarch64-clang.o", eager;
    x86_64_macho_object: "x86_64-macho.o", eager;
    arm64_macho_object: "arm64-macho.o", eager;
    lazy_x86_64_macho_object: "x86_64-macho.o", lazy;
    lazy_arm64_macho_object: "arm64-macho.o", lazy;
    lazy_x86_64_object: "x86_64-clang.o", lazy;
    gnu_archive: "gnu.a", |file| vec![inputs().join("x86_64-main.o"), file.to_owned()];
    bsd_archive: "bsd.a", |file| vec![inputs().join("x86_64-main.o"), "-lazy".into(), file.to_owned()];
}

/// Behind a main program that the file's own symbols belong to.
fn with_macho_main(file: &Path) -> Vec<PathBuf> {
    vec![inputs().join("x86_64-macho-main.o"), file.to_owned()]
}

damaged! {
    universal_object: "universal.o", |file| vec![file.to_owned(), inputs().join("universal.a")];
    wide_universal_object: "universal64.o", |file| vec!["-lazy".into(), file.to_owned(), inputs().join("universal.a")];
    universal_archive: "universal.a", with_macho_main;
    archive_of_universal_members: "members.a", with_macho_main;
    dynamic_library: "victim.dylib", with_macho_main;
    text_stub_of_version_3: "stub.v3.tbd", with_macho_main;
    text_stub_of_version_4: "stub.v4.tbd", with_macho_main;
    text_stub_of_version_5: "stub.v5.tbd", with_macho_main;
}

#[test]
fn the_undamaged_archives_and_stubs_link() {
    for name in ["universal.o", "universal64.o"] {
        assert_eq!(complaint_or_message(&[inputs().join(name), inputs().join("universal.a")]), "", "{name}");
    }
    for name in ["universal.a", "members.a"] {
        assert_eq!(complaint_or_message(&with_macho_main(&inputs().join(name))), "", "{name}");
    }
    for name in ["victim.dylib", "stub.v3.tbd", "stub.v4.tbd", "stub.v5.tbd"] {
        // They are understood: what is missed is what they do not stand for in this process.
        let message = complaint_or_message(&with_macho_main(&inputs().join(name)));
        assert!(message.starts_with("rjitlink: error: Symbols not found: [ _first, _second ]"), "{name}: {message}");
    }
}

/// What the command says about `words`; nothing if it links them.
fn complaint_or_message(words: &[PathBuf]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_rjitlink")).arg("-noexec").args(words).output();
    String::from_utf8_lossy(&output.expect("rjitlink can be started").stderr).into_owned()
}

#[test]
fn the_undamaged_inputs_link() {
    let elf = ["x86_64-gcc.o", "x86_64-clang.o", "aarch64-gcc.o", "aarch64-clang.o"];
    for name in elf.iter().chain(&["x86_64-macho.o", "arm64-macho.o"]) {
        let file = inputs().join(name);
        let output = Command::new(env!("CARGO_BIN_EXE_rjitlink")).arg("-noexec").arg(&file).output();
        let output = output.expect("rjitlink can be started");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
