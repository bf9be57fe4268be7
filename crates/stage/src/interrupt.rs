//! Ctrl-C and SIGTERM, for work that saves before it leaves.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

/// What a shell reports of a program that Ctrl-C ended.
const BY_CTRL_C: i32 = 130;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl-C and SIGTERM only ask; a second one ends the program at once.
pub fn defer() {
    ASKED.get_or_init(|| {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal sets the flag, one that finds it set ends the program.
            let done = flag::register_conditional_shutdown(signal, BY_CTRL_C, Arc::clone(&asked))
                .and_then(|_| flag::register(signal, Arc::clone(&asked)));
            done.expect("these signals can be handled");
        }
        asked
    });
}

/// Whether one has asked to leave since [`defer`]; without it a signal ends the program.
pub fn asked() -> bool {
    ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed))
}
