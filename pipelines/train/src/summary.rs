//! The table at the end of a sweep: what each run came to, and in which words the runs differ.

use schema::Asked;
use serde_json::Value;
use stage::{Column, Parameters, Table};
use store::spelled;

use crate::figure;

/// A trained network.
pub(crate) struct Trained {
    pub(crate) name: String,
    pub(crate) asked: Asked,
    pub(crate) parameters: Parameters,
    /// The figures of the chosen epoch.
    pub(crate) best: Value,
}

/// Prints the table, when there is more than one run.
pub(crate) fn summarise(trained: &[Trained]) {
    if trained.len() > 1 {
        println!();
        table(trained).print();
    }
}

fn table(trained: &[Trained]) -> Table {
    let words = Parameters::differing(&trained.iter().map(|one| &one.parameters).collect::<Vec<_>>());
    let of_word = |(name, values): &(&str, Vec<Option<&Value>>)| {
        if values.iter().flatten().all(|value| value.is_number()) {
            Column::number(*name)
        } else {
            Column::text(*name)
        }
    };
    let mut titles = trained.iter().map(|one| figure::title(one.asked));
    let title = titles.next().filter(|first| titles.all(|title| title == *first)).unwrap_or("validation");
    let figures = ["best epoch", title].map(Column::number);
    let mut table =
        Table::new([Column::text("model")].into_iter().chain(words.iter().map(of_word)).chain(figures));
    for (place, one) in trained.iter().enumerate() {
        let words = words.iter().map(|(_, values)| values[place].map_or_else(|| "-".to_owned(), spelled));
        let figures = [one.best["epoch"].to_string(), format!("{:.3}", figure::of(&one.best, one.asked))];
        table.row([one.name.clone()].into_iter().chain(words).chain(figures));
    }
    table
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stage::Sweep;

    use super::*;
    use crate::{parameters::PROGRAM, run::Run};

    fn trained(words: &[&str]) -> Vec<Trained> {
        let mut sweep = Sweep::default();
        for word in words {
            sweep.set_word(PROGRAM.parameters, word).unwrap();
        }
        let runs = sweep.runs(PROGRAM.parameters).unwrap().into_iter().map(|run| Run::resolve(run).unwrap());
        runs.map(|run| Trained {
            name: format!("{}-1", run.method.name),
            asked: run.asked,
            parameters: run.parameters,
            best: json!({"epoch": 3, figure::name(run.asked): 0.75}),
        })
        .collect()
    }

    #[test]
    fn the_words_in_which_runs_differ_are_shown_and_no_others() {
        let lines = |words: &[&str]| {
            table(&trained(words)).to_string().lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let shown = lines(&["task=covid,detect", "arch=resnet18,resnet34", "k=0.2"]);
        let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cells(&shown[0]), ["model", "arch", "task", "best", "epoch", "validation"]);
        assert_eq!(cells(&shown[3]), ["sga-1", "resnet18", "detect", "3", "0.750"]);
        let shown = lines(&["lr=0.01,0.1", "method=nt", "seed=4"]);
        assert_eq!(cells(&shown[0]), ["model", "lr", "best", "epoch", "validation", "AUROC"]);
        // What follows from the method differs too, or is there for one alone.
        let shown = lines(&["method=nt,fast"]);
        assert_eq!(cells(&shown[0])[..5], ["model", "method", "eps", "step_size", "start"]);
        assert!(shown[2].contains(" - "), "nt has no step: {shown:?}");
    }
}
