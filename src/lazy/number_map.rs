//! Numbers by number: what is known of some of a file's symbols or sections.

use rustc_hash::{FxBuildHasher, FxHashMap};
use std::ops::{Index, IndexMut};

/// A number for each symbol or section of a file, [`NumberMap::NONE`] at first: a vector where most of the file is linked at
/// once; where a first call links a few sections, a list, which becomes a vector when it gets long, or a hash map if that
/// would be a long one.
#[derive(Debug)]
pub(super) enum NumberMap {
    Dense(Vec<u32>),
    Few { numbers: Vec<(u32, u32)>, size: usize },
    Many(FxHashMap<u32, u32>),
}

/// Up to so many numbers, a list is searched faster than anything else is made.
const FEW: usize = 16;

/// A vector of up to so many numbers is made faster than a hash map is filled.
const SMALL: usize = 512;

impl Default for NumberMap {
    /// A map of nothing.
    fn default() -> NumberMap {
        NumberMap::Few { numbers: Vec::new(), size: 0 }
    }
}

impl NumberMap {
    /// Nothing yet.
    pub const NONE: u32 = u32::MAX;

    /// Forgets everything, for `size` keys of which most are going to be there, or only a few: `sparse`. The memory of a list is kept.
    pub fn reset(&mut self, sparse: bool, size: usize) {
        if !sparse {
            *self = NumberMap::Dense(vec![NumberMap::NONE; size]);
            return;
        }
        let mut numbers = match std::mem::take(self) {
            NumberMap::Few { numbers, .. } => numbers,
            NumberMap::Dense(_) | NumberMap::Many(_) => Vec::new(),
        };
        numbers.clear();
        *self = NumberMap::Few { numbers, size };
    }
}

impl Index<usize> for NumberMap {
    type Output = u32;

    fn index(&self, index: usize) -> &u32 {
        let key = index as u32;
        match self {
            NumberMap::Dense(numbers) => &numbers[index],
            NumberMap::Few { numbers, .. } => {
                numbers.iter().find(|number| number.0 == key).map_or(&NumberMap::NONE, |number| &number.1)
            }
            NumberMap::Many(numbers) => numbers.get(&key).unwrap_or(&NumberMap::NONE),
        }
    }
}

impl IndexMut<usize> for NumberMap {
    fn index_mut(&mut self, index: usize) -> &mut u32 {
        if let NumberMap::Few { numbers, size } = self
            && numbers.len() == FEW
        {
            let few = numbers.drain(..);
            *self = if *size <= SMALL {
                let mut dense = vec![NumberMap::NONE; *size];
                few.for_each(|(key, number)| dense[key as usize] = number);
                NumberMap::Dense(dense)
            } else {
                let mut many = FxHashMap::with_capacity_and_hasher(4 * FEW, FxBuildHasher);
                many.extend(few);
                NumberMap::Many(many)
            };
        }
        let key = index as u32;
        match self {
            NumberMap::Dense(numbers) => &mut numbers[index],
            NumberMap::Few { numbers, .. } => {
                let place = numbers.iter().position(|number| number.0 == key).unwrap_or(numbers.len());
                if place == numbers.len() {
                    if place == 0 {
                        numbers.reserve_exact(FEW);
                    }
                    numbers.push((key, NumberMap::NONE));
                }
                &mut numbers[place].1
            }
            NumberMap::Many(numbers) => numbers.entry(key).or_insert(NumberMap::NONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_what_they_are_however_many_there_are() {
        let count = FEW * 3;
        let mut map = NumberMap::default();
        for (sparse, size) in [(true, count), (true, SMALL + 1), (false, count), (true, count)] {
            map.reset(sparse, size);
            for n in (0..count).step_by(2) {
                map[n] = n as u32 * 7;
                map[n] += 1;
            }
            let expected = |n: usize| if n.is_multiple_of(2) { n as u32 * 7 + 1 } else { NumberMap::NONE };
            assert!((0..count).all(|n| map[n] == expected(n)), "{map:?}");
        }
    }
}
