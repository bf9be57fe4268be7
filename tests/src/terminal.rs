//! A terminal with nobody in front of it.

use std::fs::File;

use rustix::{
    fs::{Mode, OFlags, open as open_file},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};

/// Both ends of a pseudo-terminal: what is written to the first is typed on the second.
pub(crate) fn open() -> (File, File) {
    let opened = || -> rustix::io::Result<_> {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&keyboard)?;
        unlockpt(&keyboard)?;
        let name = ptsname(&keyboard, Vec::new())?;
        let terminal = open_file(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty())?;
        Ok((keyboard.into(), terminal.into()))
    };
    opened().expect("a pseudo-terminal can be opened")
}
