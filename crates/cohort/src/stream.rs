//! A split larger than memory: read from its shards while it is used.
//!
//! The unit of reading is a row group of some 4 MB. An epoch shuffles the row groups, puts neighbours together to windows of
//! about as many images as the buffer takes, and shuffles each window: every image comes once. Row groups hold patients
//! in the order of keyed hashes, so neighbours are no more alike than any other images, but for those of one patient.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use rand::{Rng, seq::SliceRandom};
use rayon::prelude::*;
use schema::{ImageRow, Pixels, Split, StoredImages, read_shard};
use store::Store;

use crate::{Dataset, Error, shards};

/// Minibatches that wait decoded.
const AHEAD: usize = 4;

/// The images of a split as square 8-bit grey pictures, in their shards.
#[derive(Clone, Debug)]
pub struct Stream {
    side: u32,
    groups: Arc<[Group]>,
    /// What is known of each image, in the order of the shards; PNGs are empty.
    pub rows: Arc<[ImageRow]>,
}

/// A row group: its shard, its place there, and its images.
#[derive(Clone, Debug)]
struct Group {
    shard: PathBuf,
    index: usize,
    first: usize,
    images: usize,
}

/// The order in which images are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Row groups that are in memory together, and their images in the order in which they are wanted.
    windows: Vec<(Vec<usize>, Vec<usize>)>,
}

/// Some images of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Squares {
    /// Their places in the stream.
    pub places: Vec<usize>,
    /// The squares, one after another, row-major.
    pub pixels: Vec<u8>,
}

impl Stream {
    /// The images of one split of these data sets; of each the central square, resized to `side`.
    pub fn open(store: &Store, datasets: &[Dataset], split: Split, side: u32) -> Result<Self, Error> {
        let shards = shards(datasets, split)?;
        Self::of(&shards.iter().map(|digest| store.object(digest)).collect::<Result<Vec<_>, _>>()?, side)
    }

    /// The images of these shards.
    fn of(shards: &[PathBuf], side: u32) -> Result<Self, Error> {
        let (mut groups, mut rows) = (Vec::new(), Vec::new());
        for shard in shards {
            let mut first = rows.len();
            for (index, images) in StoredImages::open(shard)?.groups().into_iter().enumerate() {
                groups.push(Group { shard: shard.clone(), index, first, images });
                first += images;
            }
            rows.extend(read_shard(shard, Pixels::Skip)?);
        }
        Ok(Self { side, groups: groups.into(), rows: rows.into() })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Side of the squares in pixels.
    pub fn side(&self) -> u32 {
        self.side
    }

    /// Every image once, in the order of the shards.
    pub fn in_order(&self) -> Plan {
        let of =
            |(index, group): (usize, &Group)| (vec![index], (group.first..).take(group.images).collect());
        Plan { windows: self.groups.iter().enumerate().map(of).collect() }
    }

    /// Every image once, at random; at least `buffer` images are shuffled together, where there are so many.
    pub fn shuffled(&self, buffer: usize, random: &mut impl Rng) -> Plan {
        let mut groups: Vec<usize> = (0..self.groups.len()).collect();
        groups.shuffle(random);
        let mut windows: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for index in groups {
            let group = &self.groups[index];
            match windows.last_mut() {
                Some((groups, images)) if images.len() < buffer => {
                    groups.push(index);
                    images.extend(group.first..group.first + group.images);
                }
                _ => windows.push((vec![index], (group.first..group.first + group.images).collect())),
            }
        }
        // What is left for the last window may be little; it would be shuffled by itself.
        if windows.len() > 1
            && windows.last().is_some_and(|(_, images)| images.len() < buffer)
            && let (Some(last), Some(before)) = (windows.pop(), windows.last_mut())
        {
            before.0.extend(last.0);
            before.1.extend(last.1);
        }
        for (_, images) in &mut windows {
            images.shuffle(random);
        }
        Plan { windows }
    }

    /// Reads the plan's images, `batch` at a time; a last one may be smaller. While one is used the next are read and
    /// decoded: at most two windows of encoded images and a handful of decoded minibatches are in memory.
    pub fn read(&self, plan: Plan, batch: usize) -> impl Iterator<Item = Result<Squares, Error>> + use<> {
        self.read_part(plan, batch, |count| 0..count)
    }

    /// The same, of each minibatch those images alone that `part` names of so many; the others are not decoded.
    pub fn read_part<P: Fn(usize) -> Range<usize> + Send + 'static>(
        &self,
        plan: Plan,
        batch: usize,
        part: P,
    ) -> impl Iterator<Item = Result<Squares, Error>> + use<P> {
        let (windows_in, windows) = sync_channel(1);
        let (batches_in, batches) = sync_channel(AHEAD);
        let stream = self.clone();
        let groups = Arc::clone(&self.groups);
        thread::spawn(move || load(&groups, plan, &windows_in));
        thread::spawn(move || stream.decode(&windows, (batch.max(1), &part), &batches_in));
        batches.into_iter()
    }

    /// Turns windows into minibatches until there are none or nobody wants them.
    fn decode(
        &self,
        windows: &Receiver<Result<Window, Error>>,
        (batch, part): (usize, &dyn Fn(usize) -> Range<usize>),
        batches: &SyncSender<Result<Squares, Error>>,
    ) {
        let mut waiting: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
        let send =
            |images: Vec<(usize, Vec<u8>)>| batches.send(self.squares(&images[part(images.len())])).is_ok();
        for window in windows {
            match window {
                Ok(window) => waiting.extend(window),
                Err(error) => {
                    let _ = batches.send(Err(error)); // where nobody listens any more, nobody has to know
                    return;
                }
            }
            while waiting.len() >= batch {
                if !send(waiting.drain(..batch).collect()) {
                    return;
                }
            }
        }
        if !waiting.is_empty() {
            send(waiting.into());
        }
    }

    fn squares(&self, images: &[(usize, Vec<u8>)]) -> Result<Squares, Error> {
        let pixels = images
            .par_iter()
            .map(|(place, png)| {
                let fail = |source| Error::Image { image: self.rows[*place].image_id.clone(), source };
                let image = imaging::decode_png(png).map_err(fail)?;
                Ok(imaging::centre_square(&image, self.side).map_err(fail)?.pixels)
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(Squares { places: images.iter().map(|(place, _)| *place).collect(), pixels: pixels.concat() })
    }
}

/// The images of a window, encoded, in the order in which they are wanted, each with its place.
type Window = Vec<(usize, Vec<u8>)>;

/// Reads windows until there are none or nobody wants them.
fn load(groups: &[Group], plan: Plan, windows: &SyncSender<Result<Window, Error>>) {
    for (of, wanted) in plan.windows {
        let read = of.par_iter().map(|index| {
            let group = &groups[*index];
            let pngs = StoredImages::open(&group.shard)?.read_group(group.index)?;
            Ok((group.first..).zip(pngs).collect::<Vec<_>>())
        });
        let window = read.collect::<Result<Vec<_>, Error>>().map(|groups| {
            let mut images: HashMap<usize, Vec<u8>> = groups.into_iter().flatten().collect();
            wanted.iter().filter_map(|place| Some((*place, images.remove(place)?))).collect()
        });
        let failed = window.is_err();
        if windows.send(window).is_err() || failed {
            return;
        }
    }
}

impl Plan {
    /// The places of all images, in the order in which they are read.
    pub fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.windows.iter().flat_map(|(_, images)| images.iter().copied())
    }

    /// The plan without its first `count` images; windows that are not needed any more are not read.
    #[must_use]
    pub fn skip(mut self, mut count: usize) -> Self {
        self.windows.retain_mut(|(_, images)| {
            let gone = count.min(images.len());
            images.drain(..gone);
            count -= gone;
            !images.is_empty()
        });
        self
    }
}

#[cfg(test)]
mod tests {
    use imaging::GreyImage;
    use rand::{SeedableRng, rngs::StdRng};
    use schema::{Label, write_shard};
    use testkit::image_row;

    use super::*;

    fn row(name: &str, covid: bool) -> ImageRow {
        ImageRow { label: Label::from_index(i64::from(covid)).unwrap(), ..image_row(name) }
    }

    /// A stream of so many row groups, for plans alone; classes are random.
    fn planned(groups: usize, images: usize, seed: u64) -> Stream {
        let count = groups * images;
        let mut random = StdRng::seed_from_u64(seed);
        Stream {
            side: 8,
            groups: (0..groups)
                .map(|index| Group { shard: PathBuf::new(), index, first: index * images, images })
                .collect(),
            rows: (0..count).map(|index| row(&index.to_string(), random.random_bool(0.5))).collect(),
        }
    }

    #[test]
    fn every_image_comes_once_whatever_the_buffer() {
        let stream = planned(7, 10, 0);
        for buffer in [1, 9, 10, 11, 35, 69, 70, 1000] {
            let plan = stream.shuffled(buffer, &mut StdRng::seed_from_u64(3));
            let mut order: Vec<usize> = plan.order().collect();
            assert_ne!(order, (0..70).collect::<Vec<_>>());
            assert!(plan.windows.iter().all(|(_, images)| images.len() >= buffer.min(70)), "{buffer}");
            for count in [0, 1, 10, 33, 70] {
                let rest: Vec<usize> = plan.clone().skip(count).order().collect();
                assert_eq!(rest, order[count..], "without the first {count}");
            }
            order.sort_unstable();
            assert_eq!(order, (0..70).collect::<Vec<_>>(), "buffer {buffer}");
        }
        assert_eq!(stream.in_order().order().collect::<Vec<_>>(), (0..70).collect::<Vec<_>>());
    }

    /// Minibatches of a stream are like those of images in memory: as many of each class on average and in spread, and
    /// every image as early as any other.
    #[test]
    fn minibatches_are_distributed_as_those_of_images_in_memory() {
        const BATCH: usize = 16;
        const SETS: u64 = 40;
        const EPOCHS: u64 = 50;
        let streams: Vec<Stream> = (0..SETS).map(|seed| planned(16, 25, seed)).collect();
        let figures = |order: &dyn Fn(&Stream, StdRng) -> Vec<usize>| {
            let (mut differences, mut batches, mut spread) = (0.0, 0.0, 0.0);
            for stream in &streams {
                let count = stream.len() as f64;
                let mean = BATCH as f64 * stream.rows.iter().map(|row| row.label.index()).sum::<i64>() as f64
                    / count;
                let mut places = vec![0.0; stream.len()];
                for epoch in 0..EPOCHS {
                    let order = order(stream, StdRng::seed_from_u64(epoch));
                    for batch in order.chunks_exact(BATCH) {
                        let positive: i64 = batch.iter().map(|image| stream.rows[*image].label.index()).sum();
                        differences += (positive as f64 - mean).powi(2);
                        batches += 1.0;
                    }
                    for (place, image) in order.iter().enumerate() {
                        places[*image] += place as f64 / count / EPOCHS as f64;
                    }
                }
                spread += places.iter().map(|place| (place - 0.5).powi(2)).sum::<f64>() / count / SETS as f64;
            }
            (differences / batches, spread)
        };
        let memory = figures(&|stream, mut random| {
            let mut order: Vec<usize> = (0..stream.len()).collect();
            order.shuffle(&mut random);
            order
        });
        let streamed = figures(&|stream, mut random| stream.shuffled(100, &mut random).order().collect());
        assert!((memory.0 / streamed.0 - 1.0).abs() < 0.04, "the spread of classes: {memory:?} {streamed:?}");
        // A place in [0, 1) has variance 1/12; the mean over the epochs so many times less.
        for (_, spread) in [memory, streamed] {
            assert!((spread * 12.0 * EPOCHS as f64 - 1.0).abs() < 0.25, "{spread}");
        }
    }

    #[test]
    fn what_is_read_is_what_was_planned() {
        let folder = tempfile::tempdir().unwrap();
        let grey = |shard: u32, index: u32| (shard * 100 + index) as u8;
        // Noise of 160 KB each: 26 to a row group.
        let picture = |value: u8| {
            let pixels: Vec<u8> = (0..400u64 * 400)
                .map(|i| {
                    if i % 400 < 200 && i / 400 < 390 {
                        (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
                    } else {
                        value
                    }
                })
                .collect();
            imaging::encode_png(&GreyImage { width: 400, height: 400, pixels }).unwrap()
        };
        let shards: Vec<PathBuf> = (0..2)
            .map(|shard| {
                let row = |index| ImageRow {
                    rows: 400,
                    columns: 400,
                    png: picture(grey(shard, index)),
                    ..row(&format!("{shard}-{index:03}"), index % 3 == 0)
                };
                let path = folder.path().join(format!("{shard}.parquet"));
                write_shard(&path, &(0..100).map(row).collect::<Vec<_>>()).unwrap();
                path
            })
            .collect();
        let stream = Stream::of(&shards, 8).unwrap();
        assert_eq!(stream.len(), 200);
        assert!(stream.groups.len() > 4, "{} row groups", stream.groups.len());
        let plan = stream.shuffled(60, &mut StdRng::seed_from_u64(1)).skip(5);
        let order: Vec<usize> = plan.order().collect();
        let read: Vec<Squares> = stream.read(plan, 32).collect::<Result<_, _>>().unwrap();
        assert_eq!(
            read.iter().map(|squares| squares.places.len()).collect::<Vec<_>>(),
            [32, 32, 32, 32, 32, 32, 3]
        );
        assert_eq!(read.iter().flat_map(|squares| squares.places.clone()).collect::<Vec<_>>(), order);
        for squares in &read {
            for (place, pixels) in squares.places.iter().zip(squares.pixels.chunks(64)) {
                let expected = grey(*place as u32 / 100, *place as u32 % 100);
                assert_eq!(pixels[7], expected, "image {place}: its upper right corner");
            }
        }
        assert_eq!(stream.rows[103].label, Label::Covid);
        let first = stream.read(stream.in_order(), 4).next().unwrap().unwrap();
        assert_eq!(first.places, [0, 1, 2, 3], "what is not wanted is not waited for");

        let bytes = std::fs::read(&shards[0]).unwrap();
        std::fs::write(&shards[0], &bytes[..bytes.len() / 2]).unwrap();
        let result: Result<Vec<Squares>, Error> = stream.read(stream.in_order(), 32).collect();
        assert!(result.unwrap_err().to_string().contains("0.parquet"));
    }
}
