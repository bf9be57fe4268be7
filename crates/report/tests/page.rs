//! The page as a reader gets it.

mod made_up;

use std::collections::BTreeSet;

use report::{Model, Page, Probe};

fn html(page: &Page) -> String {
    page.draw().unwrap().to_html().unwrap()
}

/// Three decimals with a true minus.
fn written(value: f64) -> String {
    format!("{value:.3}").replace("-0.000", "0.000").replace('-', "−")
}

#[track_caller]
fn holds(html: &str, what: &str) {
    assert!(html.contains(what), "the page lacks {what:?}");
}

#[test]
fn every_number_given_stands_on_the_page() {
    let page = made_up::page(1);
    let html = html(&page);
    let mut numbers = Vec::new();
    for model in &page.models {
        holds(&html, &model.name);
        numbers.push(model.validation);
        numbers.extend(model.further.iter().map(|test| test.auroc.value));
        for result in [&model.iid, &model.ood].into_iter().flatten() {
            let interval = result.by_patient.unwrap();
            let performance = result.figures.performance.as_ref().unwrap();
            let decisions = performance.decisions.unwrap();
            numbers.extend([result.auroc.value, interval.low, interval.high]);
            let mut estimates = vec![performance.average_precision, performance.calibration_error];
            estimates.extend([
                performance.sensitivity_at_95_specificity,
                performance.specificity_at_95_sensitivity,
            ]);
            estimates.extend([decisions.sensitivity, decisions.specificity, decisions.f1]);
            estimates.extend(
                [decisions.positive_predictive_value, decisions.negative_predictive_value]
                    .into_iter()
                    .flatten(),
            );
            numbers.extend(estimates.iter().flat_map(|figure| [figure.value, figure.low, figure.high]));
            numbers.extend(result.figures.sources.iter().map(|one| one.auroc.value));
            numbers.extend(result.figures.source_confound.iter().map(|confound| confound.auroc.low));
            if let Some(versus) = &result.versus_natural {
                let test = versus.less.test;
                numbers.extend([test.difference, test.low, test.high, test.z]);
                holds(&html, "p (patients)");
            }
        }
    }
    for probe in &page.probes {
        numbers.push(probe.border_area);
        for figure in [probe.box_lift_above_another, probe.hits_above_another].into_iter().flatten() {
            let interval = figure.interval.unwrap();
            numbers.extend([figure.value, interval.low, interval.high]);
        }
        for figure in probe.figures().into_iter().flatten() {
            let (interval, less) = (figure.interval.unwrap(), figure.less.map(|less| less.value));
            numbers.extend([figure.value, interval.low, interval.high].into_iter().chain(less));
        }
    }
    numbers.extend(page.sanity.iter().flat_map(|(_, one)| &one.correlations).map(|(_, value)| *value));
    holds(&html, "Telling the sources apart, without any knowledge of the disease, reaches");
    let found = page.findings[0].iid.as_ref().unwrap();
    let of_first = found.each[0].auroc.unwrap();
    numbers.extend([of_first.value, of_first.low, of_first.high, found.mean.value]);
    holds(&html, "<th scope=\"row\">Atypical Appearance</th>");
    for trail in &page.trails {
        holds(&html, &format!("<code>{}</code>", trail.command));
        holds(&html, &format!("<code>{}</code>", trail.weights));
    }
    numbers.extend(
        page.galleries
            .values()
            .flat_map(|one| &one.rows)
            .flat_map(|row| &row.overlays)
            .map(|overlay| overlay.score),
    );
    assert!(numbers.len() > 100);
    for number in numbers {
        holds(&html, &written(number));
    }
    for count in ["3,565", "2,931", "1,021", "2,544", "4 (no pixels)", "17 (same image as another patient"] {
        holds(&html, count);
    }
}

#[test]
fn the_page_loads_nothing_and_runs_its_own_script_alone() {
    let html = html(&made_up::page(2));
    let (outside, script) = html.split_once("<script>").unwrap();
    assert!(!["fetch(", "import", "http", "WebSocket", "eval("].iter().any(|word| script.contains(word)));
    for forbidden in ["src=\"http", "src=\"/", "<link", "<script ", "@import", "url(", "<iframe", "onload="] {
        assert!(!outside.contains(forbidden), "{forbidden}");
    }
    assert_eq!(html.matches("src=\"data:image/png;base64,").count(), (3 + 2) * 5);
    assert_eq!(html.matches("<img").count(), (3 + 2) * 5);
    assert_eq!(html.matches("<script").count(), 1);
    holds(
        &html,
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-",
    );
    assert_eq!(
        html.matches("<svg").count(),
        1 + 3 + 2 + 2 + 1 + 8 + 2 + 3 * 2,
        "all settings, the paper’s tables, ROC, reliability, FGSM, one of training per model; lines and panels of boxes"
    );
}

#[test]
fn drawings_carry_their_legends_and_pictures() {
    let page = made_up::page(2);
    let drawings = page.draw().unwrap().drawings().unwrap();
    let names: Vec<&str> = drawings.iter().map(|drawing| drawing.name.as_str()).collect();
    let beside = ["figure-3", "table-1", "table-2"];
    let expected = [
        "trainings",
        "roc-iid",
        "reliability-iid",
        "roc-ood",
        "reliability-ood",
        "fgsm-iid",
        "heat-maps-iid",
        "heat-maps-iid.effusion",
        "heat-maps-ood",
        "boxes-iid",
        "boxes-ood",
    ];
    assert_eq!(BTreeSet::from_iter(names), expected.into_iter().chain(beside).collect());
    for drawing in &drawings {
        let picture = image::load_from_memory(drawing.png.as_bytes()).unwrap().to_rgb8();
        let white = picture.pixels().filter(|pixel| pixel.0 == [255; 3]).count();
        assert!(white > 1000 && white < (picture.width() * picture.height()) as usize - 1000);
        if drawing.name.starts_with("boxes") || beside.contains(&&*drawing.name) {
            continue; // of detectors, of the paper's lines
        }
        for method in ["NT", "SG", "AT", "SGA"] {
            let forms = [format!(">{method}<"), format!(">{method} 0."), format!(">\n{method}\n<")];
            let written = forms.iter().any(|form| drawing.svg.contains(form));
            assert!(written, "{}: {method}", drawing.name);
        }
    }
    let of = |name: &str| drawings.iter().find(|drawing| drawing.name == name).unwrap();
    assert_eq!(
        of("heat-maps-iid").svg.matches("<image").count(),
        2 * 5,
        "two images by image and four methods"
    );
    let trained = made_up::METHODS.len() * 2;
    for name in ["figure-3", "trainings"] {
        assert_eq!(
            of(name).svg.matches("<circle").count(),
            2 * trained,
            "{name}: IID and OOD of each training"
        );
    }
}

#[test]
fn text_is_escaped() {
    let mut page = made_up::page(1);
    page.title = "<script>alert(1)</script>".to_owned();
    page.models[0].name = "\"><b>".to_owned();
    let html = html(&page);
    holds(&html, "&lt;script&gt;");
    holds(&html, "Somebody&#x27;s &lt;collection&gt; &amp; friends");
    assert_eq!(html.matches("<script").count(), 1, "the page's own");
    assert!(!html.contains("<b>"));
}

#[test]
fn detectors_stand_in_a_table_of_their_own() {
    let html = html(&made_up::page(1));
    holds(&html, "<h2 id=\"boxes-found\">Boxes found</h2>");
    holds(&html, "sga-0a1b2c3d</th><td>IID</td><td class=\"n\">1,200</td><td class=\"n\">1,563</td>");
    let mut page = made_up::page(1);
    page.detectors[0].iid = None;
    holds(&self::html(&page), "not evaluated on images with radiologists");
}

#[test]
fn boxes_found_stand_on_the_images_with_their_scores_beside_the_radiologists() {
    let mut page = made_up::page(1);
    let whole = html(&page);
    holds(&whole, "Drawn are boxes found with a score of 0.3 or more");
    holds(&whole, "aria-label=\"Chest X-ray 0123456789abcdef, radiologists’ boxes: 2\"");
    let found = "found in 0123456789abcdef: 3, scores 0.87, 0.41, 0.33; right: 1; radiologists’ boxes: 2\"";
    holds(&whole, &format!("aria-label=\"Boxes that sga-0a1b2c3d {found}"));
    holds(&whole, "found in 456789abcdef0123: 0; right: 0; radiologists’ boxes: 0\"");
    assert_eq!(whole.matches("<image id=\"film-").count(), 3, "each image is embedded once");
    assert_eq!(whole.matches("<use href=\"#film-").count(), 3);
    // The box from 0.9 on, beyond the right edge, is cut to the image of side 192, and so is its score.
    holds(&whole, "<rect x=\"172.8\" y=\"1.0\" width=\"18.2\"");
    holds(&whole, "<text x=\"160.0\" y=\"15.0\"");

    let drawings = page.draw().unwrap().drawings().unwrap();
    let drawing = drawings.iter().find(|drawing| drawing.name == "boxes-iid").unwrap();
    for text in
        [">3 found, 1 right<", ">1 found, 0 right<", ">2 by radiologists<", ">sga-0a1b2c3d<", ">0.87<"]
    {
        assert!(drawing.svg.contains(text), "{text}: {}", drawing.svg);
    }
    let colours = |name: &str| {
        let drawing = drawings.iter().find(|drawing| drawing.name == name).unwrap();
        let picture = image::load_from_memory(drawing.png.as_bytes()).unwrap().to_rgb8();
        let of = |colour: [u8; 3]| picture.pixels().filter(|pixel| pixel.0 == colour).count();
        [of([0, 229, 255]), of([230, 159, 0])]
    };
    let (with, without) = (colours("boxes-iid"), colours("boxes-ood"));
    assert!(with.iter().zip(without).all(|(with, without)| *with > without + 500), "{with:?} {without:?}");

    page.boxes.rows.clear();
    assert!(!html(&page).contains("Drawn are boxes"));
}

#[test]
fn an_empty_page_is_still_a_page() {
    let html = html(&Page { title: "Nothing yet".to_owned(), ..Page::default() });
    holds(&html, "No model has been evaluated yet.");
    holds(&html, "No data set has been read yet.");
    let findings = made_up::page(1).findings;
    assert!(!findings.is_empty());
    let other = self::html(&Page { findings, ..Page::default() });
    holds(&other, "No model that tells COVID-19 apart has been evaluated yet.");
    for section in
        ["ROC curves", "Heat maps</h2>", "<h2>Training", "Against natural", "Where the models look"]
    {
        assert!(!html.contains(section), "{section}");
    }
}

#[test]
fn a_model_without_tests_or_epochs_is_shown_with_dashes() {
    let mut page = made_up::page(1);
    page.models.truncate(1);
    page.models[0] =
        Model { iid: None, ood: None, epochs: vec![], further: vec![], ..page.models[0].clone() };
    let html = html(&page);
    holds(&html, &page.models[0].name);
    holds(&html, "<td class=\"n\">–</td>");
    holds(&html, "not every model was tested");
}

#[test]
fn methods_stand_in_the_papers_order_whatever_the_order_given() {
    let mut page = made_up::page(1);
    let forward = html(&page);
    page.models.reverse();
    assert_eq!(html(&page), forward);
    let places: Vec<usize> =
        ["<th scope=\"row\">NT", "<th scope=\"row\">SG<", "<th scope=\"row\">AT", "<th scope=\"row\">SGA"]
            .map(|method| forward.find(method).unwrap())
            .to_vec();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn seeds_are_summed_up_by_mean_and_deviation() {
    let page = made_up::page(3);
    let html = html(&page);
    let oods: Vec<f64> =
        page.models[..3].iter().map(|model| model.ood.as_ref().unwrap().auroc.value).collect();
    let mean = oods.iter().sum::<f64>() / 3.0;
    let deviation = (oods.iter().map(|ood| (ood - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    holds(&html, &format!("{mean:.3} <span class=\"ci\">± {deviation:.3}"));
    holds(&html, "3 seeds");
    holds(&html, "Over 3 matched seeds, SGA less NT at the unseen hospital is");
    holds(
        &html,
        "The difference of the means, +0.027, has a 95 % CI of −0.013, 0.077 (patients resampled, p = 0.217): these",
    );
    holds(&html, "−0.031 <span class=\"ci\">(−0.071, +0.019)<br>p 0.217</span></td>");
    assert!(
        !html.contains("<h2 id=\"results\">Results"),
        "the table of every model comes after that of methods"
    );
}

#[test]
fn one_seed_has_no_table_of_seeds() {
    let html = html(&made_up::page(1));
    holds(&html, "<h2 id=\"results\">Results");
    assert!(!html.contains("over their seeds") && !html.contains('±'), "nothing to spread");
}

#[test]
fn the_headline_says_when_the_interval_includes_zero() {
    let mut page = made_up::page(1);
    let set = |page: &mut Page, low: f64, high: f64| {
        let ood = page.models[3].ood.as_mut().unwrap();
        let versus = &mut ood.versus_natural.as_mut().unwrap().less;
        (versus.by_patient, versus.p_by_patient) = (None, None);
        (versus.test.low, versus.test.high, versus.test.p) = (low, high, 0.1034);
        versus.test.difference = f64::midpoint(low, high);
    };
    set(&mut page, -0.01, 0.11);
    holds(&html(&page), "+0.050 (95 % CI −0.010, 0.110; p = 0.103); the interval includes 0");
    set(&mut page, 0.01, 0.09);
    holds(&html(&page), "the interval lies above 0");
    set(&mut page, -0.09, -0.01);
    holds(&html(&page), "−0.050 (95 % CI −0.090, −0.010; p = 0.103); the interval lies below 0");
}

#[test]
fn the_marker_is_spoken_of_where_its_place_is_known() {
    let mut page = made_up::page(1);
    let lift = |page: &Page, model: usize| {
        let of = |probe: &&Probe| probe.model == page.models[model].name;
        page.probes.iter().find(of).unwrap().marker_lift.unwrap().value
    };
    let (natural, sga) = (written(lift(&page, 0)), written(lift(&page, 3)));
    holds(&html(&page), &format!("in multiples of chance: {natural} NT, {sga} SGA."));
    page.probes.iter_mut().for_each(|probe| probe.marker_lift = None);
    assert!(!html(&page).to_lowercase().contains("marker ÷") && !html(&page).contains("film’s marker"));
}

#[test]
fn the_headline_is_of_what_was_trained_most_often_and_of_what_it_was_compared_with() {
    let mut page = made_up::page(2);
    let named = |model: &Model, parameters: &str| {
        let (name, parameters) = (format!("{} {parameters}", model.name), parameters.to_owned());
        Model { name, parameters, ..model.clone() }
    };
    // First by name, and trained once: k=0.05; of natural training lr=0.1 was trained twice and not compared with.
    let [natural, sga] = [&page.models[0], &page.models[6]];
    let more = [named(sga, "k=0.05"), named(natural, "lr=0.1"), named(&page.models[1], "lr=0.1")];
    page.models.remove(1);
    page.models[0].name = "nt-0".to_owned(); // which the others name
    page.models.extend(more);
    let html = html(&page);
    holds(&html, "<p>Naturally trained (NT), AUROC");
    holds(&html, "<p>Trained with SGA, AUROC");
    let drawn = html.find("<h2 id=\"roc\">").unwrap();
    let at = |title: &str| drawn + html[drawn..].find(title).unwrap_or_else(|| panic!("{title}"));
    assert!(at("</i>SGA <") < at("</i>SGA (k=0.05)"), "figures begin with what was trained most often");
}

#[test]
fn the_headline_is_of_no_shuffled_labels_and_of_equal_settings_the_best_on_validation() {
    let mut page = made_up::page(2);
    let sga = page.models[6].clone();
    let named = |seed: u64, parameters: &str, validation: f64| {
        let (name, parameters) = (format!("sga-{seed} {parameters}"), parameters.to_owned());
        Model { name, seed, parameters, validation, ..sga.clone() }
    };
    page.models.retain(|model| model.method != "sga");
    page.models.extend((0..3).map(|seed| named(seed, "k=0.05 shuffle_labels=true", 0.99)));
    page.models.extend([0.7, 0.7].iter().zip(0..).map(|(value, seed)| named(seed, "k=0.1", *value)));
    page.models.extend([0.9, 0.6].iter().zip(0..).map(|(value, seed)| named(seed, "k=0.2", *value)));
    holds(&html(&page), "<p>Trained with SGA (k=0.2), AUROC");
}

#[test]
fn the_headline_follows_the_direction() {
    let mut page = made_up::page(1);
    for (iid, ood, words) in [
        (0.97, 0.71, "falls from 0.970 to 0.710"),
        (0.76, 0.81, "rises from 0.760 to 0.810"),
        (0.8001, 0.8002, "stays at 0.800"),
    ] {
        page.models[0].iid.as_mut().unwrap().auroc.value = iid;
        page.models[0].ood.as_mut().unwrap().auroc.value = ood;
        holds(&html(&page), words);
    }
}
