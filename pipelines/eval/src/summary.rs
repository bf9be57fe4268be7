//! The paper's table: AUROC in and out of distribution, by method.

use metrics::Auroc;
use stage::{Column, Table};

use crate::evaluate::Evaluated;

/// Prints the table, methods in the order of the registry.
pub(crate) fn print(mut evaluated: Vec<Evaluated>) {
    if evaluated.is_empty() {
        return;
    }
    let rank = |method: &str| method::METHODS.iter().position(|known| known.name == method);
    evaluated.sort_by_key(|one| (rank(&one.model.method), one.model.seed(), one.model.name.clone()));
    let words = ["model", "method"].map(Column::text);
    let numbers =
        ["seed", "validation", "IID [95 % CI]", "OOD [95 % CI]", "OOD - IID", "average"].map(Column::number);
    let mut table = Table::new(words.into_iter().chain(numbers));
    for one in &evaluated {
        let both = one.iid.as_ref().zip(one.ood.as_ref());
        let number = |value: Option<f64>, sign: bool| match value {
            Some(value) if sign => format!("{value:+.3}"),
            Some(value) => format!("{value:.3}"),
            None => "-".to_owned(),
        };
        table.row([
            one.model.name.clone(),
            one.model.method.clone(),
            one.model.seed().to_string(),
            number(one.model.training["best"]["validation_auroc"].as_f64(), false),
            with_interval(one.iid.as_ref()),
            with_interval(one.ood.as_ref()),
            number(both.map(|(iid, ood)| ood.value - iid.value), true),
            number(both.map(|(iid, ood)| f64::midpoint(iid.value, ood.value)), false),
        ]);
    }
    println!("\nAUROC");
    table.print();
}

fn with_interval(auroc: Option<&Auroc>) -> String {
    auroc.map_or("-".to_owned(), |auroc| format!("{:.3} [{:.3}, {:.3}]", auroc.value, auroc.low, auroc.high))
}
