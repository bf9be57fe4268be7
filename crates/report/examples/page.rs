//! Prints a page of made-up numbers: `cargo run --release -p report --example page -- 3 > page.html` (3: seeds).

#[path = "../tests/made_up/mod.rs"]
mod made_up;

fn main() -> Result<(), report::Error> {
    let seeds = std::env::args().nth(1).and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    print!("{}", made_up::page(seeds).draw()?.to_html()?);
    Ok(())
}
