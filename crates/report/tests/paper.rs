//! The paper's tables, ours beside theirs.

mod made_up;

use report::{File, Model, files};

fn file(models: &[Model], name: &str) -> String {
    let files: Vec<File> = files(models).unwrap();
    files.into_iter().find(|file| file.name == name).unwrap_or_else(|| panic!("no {name}")).text
}

/// A made-up SGA model under other words.
fn sga(seed: u64, k: f64, lambda: f64, rest: &[(&str, &str)]) -> Model {
    let mut model = made_up::page(seed + 1).models.pop().unwrap();
    let objective = model.objective.as_mut().unwrap();
    (objective.k, objective.lambda) = (k, lambda);
    objective.rest.extend(rest.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    model
}

fn ood(model: &Model) -> f64 {
    model.ood.as_ref().unwrap().auroc.value
}

#[test]
fn a_sweep_fills_the_lines_of_its_values() {
    let mut models = made_up::page(3).models;
    models.push(sga(0, 0.2, 1.0, &[]));
    models.push(sga(0, 0.1, 1.5, &[]));
    let table = file(&models, "table-1.md");
    let line = |label: &str| {
        let start = format!("| {label} |");
        table.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("{label} in {table}"))
    };
    assert!(line("0.05").contains("| – | – | 0.81 |"), "not trained, the paper's number stands: {table}");
    assert!(line("0.2").contains("| 1 | ") && !line("0.2").contains('±'), "one seed has no spread: {table}");
    assert!(line("0.1").contains("| 3 | "), "λ = 1.5 is of the other table: {table}");
    let values: Vec<f64> = models.iter().filter(|model| model.method == "sga").take(3).map(ood).collect();
    let mean = values.iter().sum::<f64>() / 3.0;
    assert!(line("0.1").contains(&format!("| {mean:.3} ± ")) && line("0.1").contains("| 0.82 |"), "{table}");
    assert!(line("0 (AT)").contains("+0.05 |"), "the paper's AT rises: {table}");
    assert!(file(&models, "table-2.md").contains("| 0 (NT) | 3 |"));
    assert!(file(&models, "figure-3.md").contains("| SG | 3 |"));
}

#[test]
fn settings_that_the_paper_does_not_vary_are_kept_apart() {
    let mut models = made_up::page(1).models; // NT among them, to which eps_space makes no difference
    models.truncate(1);
    models.push(sga(0, 0.1, 1.0, &[("eps_space", "pixel")]));
    models.push(sga(1, 0.1, 1.0, &[("eps_space", "normalised")]));
    let table = file(&models, "table-2.md");
    for space in ["pixel", "normalised"] {
        for line in [format!("| 1 | eps_space={space} | 1 |"), format!("| 0 (NT) | eps_space={space} | 1 |")]
        {
            assert!(table.contains(&line), "{line} in {table}");
        }
    }
}

#[test]
fn a_search_of_natural_training_adds_no_settings_to_the_others() {
    let mut models = made_up::page(1).models;
    let mut slow = models[0].clone();
    slow.objective.as_mut().unwrap().rest.insert("lr".to_owned(), "0.001".to_owned());
    for model in &mut models {
        model.objective.as_mut().unwrap().rest.insert("lr".to_owned(), "0.01".to_owned());
    }
    let before = file(&models, "figure-3.md");
    models.push(slow);
    assert_eq!(file(&models, "figure-3.md"), before);
    models.retain(|model| model.method == "nt");
    let searched = file(&models, "figure-3.md");
    for rate in ["0.001", "0.01"] {
        assert!(searched.contains(&format!("| NT | lr={rate} | 1 |")), "{searched}");
    }
    assert!(!searched.contains("| SGA |"), "of several settings empty lines are left out: {searched}");
}

#[test]
fn every_form_holds_the_same_numbers() {
    let models = made_up::page(2).models;
    let [md, tex, csv] = ["md", "tex", "csv"].map(|form| file(&models, &format!("figure-3.{form}")));
    let mut rows = csv.lines().skip(1);
    assert_eq!(rows.clone().count(), 4 * 4, "{csv}");
    let sga = rows.find(|row| row.starts_with("SGA,,ood,2,")).unwrap_or_else(|| panic!("{csv}"));
    let cells: Vec<&str> = sga.split(',').collect();
    let [mean, deviation] = [cells[4], cells[5]].map(|cell| format!("{:.3}", cell.parse::<f64>().unwrap()));
    assert_eq!(cells[6], "0.82");
    assert!(md.contains(&format!("{mean} ± {deviation} | 0.82 |")), "{md}");
    assert!(tex.contains(&format!("${mean} \\pm {deviation}$ & $0.82$")), "{tex}");
    assert_eq!(tex.matches(" \\\\\n").count(), 5, "a head and four lines: {tex}");
}

#[test]
fn without_models_the_tables_stand_empty_and_the_page_has_none() {
    assert!(file(&[], "table-1.md").contains("| 0.1 | – | – | 0.80 |"));
    let html = report::Page::default().draw().unwrap().to_html().unwrap();
    assert!(!html.contains("Beside the paper"));
}
