//! Copies of this program, which train with it on this machine.

use std::{
    env, io,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nn::Place;

/// Copies that were started; they end when they are dropped.
#[derive(Default)]
pub(crate) struct Copies(Vec<Child>);

impl Copies {
    /// Starts one for each other rank than this, with the same words and with torchrun's variables; they meet at `place`.
    pub(crate) fn start(place: &Place) -> io::Result<Self> {
        let mut copies = Self::default();
        for rank in 1..place.size {
            let [rank, size, port] =
                [rank, place.size, usize::from(place.port)].map(|number| number.to_string());
            let mut command = Command::new(env::current_exe()?);
            command.args(env::args_os().skip(1)).stdin(Stdio::null()).stdout(Stdio::null());
            command.envs([("RANK", &rank), ("LOCAL_RANK", &rank), ("MASTER_ADDR", &place.host)]);
            command.envs([("WORLD_SIZE", &size), ("LOCAL_WORLD_SIZE", &size), ("MASTER_PORT", &port)]);
            copies.0.push(command.spawn()?);
        }
        Ok(copies)
    }

    /// Waits so long for them to leave by themselves, then ends them.
    pub(crate) fn end(&mut self, within: Duration) {
        let until = Instant::now() + within;
        for mut copy in self.0.drain(..) {
            while matches!(copy.try_wait(), Ok(None)) && Instant::now() < until {
                thread::sleep(Duration::from_millis(10));
            }
            let _ = copy.kill(); // one that has left is not there to be ended
            let _ = copy.wait();
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}
