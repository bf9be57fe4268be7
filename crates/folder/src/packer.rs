//! Contents on their way into packs.

use std::{
    io,
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

use store::{Digest, Store};

use crate::{
    Result,
    pack::{self, Member},
};

/// Takes contents, and hands them on to the thread that writes packs whenever there are enough.
pub(crate) struct Packer {
    limit: u64,
    pending: Vec<Member>,
    size: u64,
    packs: SyncSender<Vec<Member>>,
}

/// Runs `work`, which puts contents into a [`Packer`], and publishes packs of about `limit` bytes of them, the last one
/// smaller. Returns the packs in the order of their contents.
pub(crate) fn packed<T>(
    store: &Store,
    limit: u64,
    work: impl FnOnce(&mut Packer) -> Result<T>,
) -> Result<(T, Vec<Digest>)> {
    let folder = store.temporary_folder()?;
    thread::scope(|scope| {
        // One pack waits while one is written: memory for three, with the one that is being filled.
        let (packs, full) = sync_channel::<Vec<Member>>(1);
        let writer = scope.spawn(|| {
            let publish = |(number, members): (usize, Vec<Member>)| {
                let path = folder.path().join(number.to_string());
                pack::write(&path, &members)?;
                store.put_file(&path)
            };
            full.into_iter().enumerate().map(publish).collect::<store::Result<Vec<Digest>>>()
        });
        let mut packer = Packer { limit, pending: Vec::new(), size: 0, packs };
        let worked = work(&mut packer).and_then(|made| packer.finish().map(|()| made));
        let written = writer.join().expect("writing a pack does not panic")?;
        Ok((worked?, written))
    })
}

impl Packer {
    /// Bytes that are in no finished pack yet.
    pub(crate) fn pending(&self) -> u64 {
        self.size
    }

    /// Takes a content.
    pub(crate) fn push(&mut self, member: Member) -> Result<()> {
        self.size += member.0.size;
        self.pending.push(member);
        if self.size >= self.limit { self.hand_on() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<()> {
        if self.pending.is_empty() { Ok(()) } else { self.hand_on() }
    }

    /// Fails when the writer has stopped; why it did, it says itself.
    fn hand_on(&mut self) -> Result<()> {
        self.size = 0;
        let stopped = |_| store::Error::Io(io::ErrorKind::BrokenPipe.into());
        Ok(self.packs.send(std::mem::take(&mut self.pending)).map_err(stopped)?)
    }
}
