//! The text of boxes, in one cell of a table: as the layout `csv` writes it, and as SIIM-FISABIO-RSNA does.

#![no_main]

use std::sync::LazyLock;

use fuzz::layouts::{CSV, HOSPITAL_A};

/// The tables of hospital A up to the boxes of its first image, and what follows them.
static AROUND: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let tables = HOSPITAL_A.input();
    let ids = b"_image,";
    let start = tables.windows(ids.len()).position(|window| window == ids).expect("an image") + ids.len();
    let boxes = &tables[start..];
    let end = if boxes[0] == b'"' {
        boxes.windows(2).position(|pair| pair == b"\",").expect("an end of quotes") + 1
    } else {
        boxes.iter().position(|&byte| byte == b',').expect("a next column")
    };
    (tables[..start].to_vec(), boxes[end..].to_vec())
});

libfuzzer_sys::fuzz_target!(
    init: {
        let texts = ["1 2 3 4", "1.5 -2 3e1 4; 5 6 7 8", "[{'x': 1.5, 'y': 2, 'width': 3, 'height': 4}]", "[]"];
        fuzz::put("boxes", texts.map(|text| text.as_bytes().to_vec()));
    },
    |text: &[u8]| {
        let doubled = text.iter().flat_map(|&byte| vec![byte; if byte == b'"' { 2 } else { 1 }]);
        let cell = [&b"\""[..], &doubled.filter(|&byte| byte != 0).collect::<Vec<_>>(), b"\""].concat();
        CSV.list(&[b"path,label,patient,boxes\na.png,0,1,", &cell[..], b"\n"].concat());
        HOSPITAL_A.list(&[&AROUND.0[..], &cell, &AROUND.1].concat());
    }
);
