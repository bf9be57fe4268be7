//! The tables of every layout; the first byte says which.

#![no_main]

use fuzz::layouts::ALL;

libfuzzer_sys::fuzz_target!(
    init: {
        let inputs = ALL.iter().enumerate().map(|(index, layout)| [&[index as u8][..], &layout.input()].concat());
        fuzz::put("tables", inputs);
    },
    |input: &[u8]| {
        if let Some((&layout, tables)) = input.split_first() {
            ALL[usize::from(layout) % ALL.len()].list(tables);
        }
    }
);
