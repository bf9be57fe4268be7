//! Reads a split some times over and prints images per second of each epoch: `stream STORE SPLIT SIDE BATCH EPOCHS`.

use std::{error::Error, time::Instant};

use cohort::{Dataset, Stream};
use rand::{SeedableRng, rngs::StdRng};
use schema::Split;
use store::Store;

/// Images that are shuffled together.
const BUFFER: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [store, split, side, batch, epochs] = words.as_slice() else {
        return Err("stream STORE SPLIT SIDE BATCH EPOCHS".into());
    };
    let store = Store::open(store)?;
    let split = Split::from_name(split).ok_or("there is no such split")?;
    let stream = Stream::open(&store, &Dataset::all(&store)?, split, side.parse()?)?;
    for epoch in 0..epochs.parse()? {
        let started = Instant::now();
        let plan = stream.shuffled(BUFFER, &mut StdRng::seed_from_u64(epoch));
        let mut images = 0;
        for squares in stream.read(plan, batch.parse()?) {
            images += squares?.places.len();
        }
        assert_eq!(images, stream.len());
        println!("{}", images as f64 / started.elapsed().as_secs_f64());
    }
    Ok(())
}
