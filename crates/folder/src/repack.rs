//! Which packs to write anew.
//!
//! Changed files go into a new pack and stay behind in their old one, which is immutable. So that neither dead contents
//! nor small packs pile up, a pack goes into the new one when less than half of it is needed, or when it is small and not
//! much larger than what is new. Hence at most half of a version's packs is dead, the sizes of its small packs double,
//! and a content is written anew only when the pack that it goes to is half as large again.

/// How full a pack is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fill {
    /// Bytes of all its contents.
    pub(crate) size: u64,
    /// Bytes of those that are needed.
    pub(crate) live: u64,
}

/// The packs to write anew together with `pending` new bytes; `limit` is the size of a full pack.
pub(crate) fn repacked(packs: &[Fill], mut pending: u64, limit: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..packs.len()).collect();
    // First those that go in any case, then the small ones.
    order.sort_by_key(|&index| (!packs[index].is_sparse(), packs[index].live, index));
    let mut anew: Vec<usize> = order
        .into_iter()
        .filter(|&index| {
            let pack = packs[index];
            let small = pack.size < limit / 2 && pack.live <= 2 * pending;
            let goes = pack.is_sparse() || small;
            pending += if goes { pack.live } else { 0 };
            goes
        })
        .collect();
    anew.sort_unstable();
    anew
}

impl Fill {
    fn is_sparse(self) -> bool {
        2 * self.live < self.size
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: u64 = 1000;

    /// Packs after an add of `new` bytes in which the fraction `lost` of every pack was deleted; and the bytes written.
    fn after(packs: &[Fill], new: u64, lost: f64) -> (Vec<Fill>, u64) {
        let aged: Vec<Fill> = packs
            .iter()
            .map(|pack| Fill { live: (pack.live as f64 * (1.0 - lost)) as u64, ..*pack })
            .collect();
        let anew = repacked(&aged, new % LIMIT, LIMIT);
        let written = new + anew.iter().map(|&index| aged[index].live).sum::<u64>();
        let mut kept: Vec<Fill> =
            (0..aged.len()).filter(|index| !anew.contains(index)).map(|index| aged[index]).collect();
        for begin in (0..written).step_by(LIMIT as usize) {
            let size = LIMIT.min(written - begin);
            kept.push(Fill { size, live: size });
        }
        (kept, written)
    }

    proptest! {
        #[test]
        fn dead_space_and_small_packs_stay_few(
            history in proptest::collection::vec((0_u64..3000, prop_oneof![Just(0.0), 0.0..0.9]), 1..80)
        ) {
            let mut packs = Vec::new();
            for (new, lost) in history {
                packs = after(&packs, new, lost).0;
                let (size, live) =
                    packs.iter().fold((0, 0), |sum, pack| (sum.0 + pack.size, sum.1 + pack.live));
                prop_assert!(size <= 2 * live, "{size} bytes for {live}");
                let small = packs.iter().filter(|pack| pack.size < LIMIT / 2).count();
                prop_assert!(small <= 12, "{small} small packs: {packs:?}");
            }
        }
    }

    #[test]
    fn a_small_change_leaves_full_packs_alone() {
        let packs = [Fill { size: 1000, live: 990 }; 30];
        assert_eq!(repacked(&packs, 300, LIMIT), [0_usize; 0]);
        let packs = [Fill { size: 1000, live: 499 }, Fill { size: 1000, live: 500 }];
        assert_eq!(repacked(&packs, 0, LIMIT), [0]);
    }

    #[test]
    fn a_thousand_small_adds_write_each_byte_a_few_times() {
        let (mut packs, mut total) = (Vec::new(), 0);
        for _ in 0..1000 {
            let (next, written) = after(&packs, 10, 0.0);
            (packs, total) = (next, total + written);
        }
        assert!(packs.len() <= 32, "{} packs of 10,000 bytes", packs.len());
        assert!(total < 8 * 10_000, "{total} bytes written for 10,000");
    }
}
