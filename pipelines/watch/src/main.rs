//! `sga-watch`: shows trainings while they run.

mod view;

use std::{path::Path, process::ExitCode, thread, time::Duration};

use console::Term;
use curves::{Course, courses};
use stage::{Allowed, Failure, Parameter, Parameters, Program, Result};

/// Time between two looks.
const PAUSE: Duration = Duration::from_secs(1);

static PROGRAM: Program = Program {
    stage: "watch",
    about: "Shows running trainings: how far they are, how long they will take, their curves. Ctrl-C ends the look, not the \
            training.",
    parameters: &[
        Parameter::unkeyed(
            "name",
            Allowed::Text("a model's name, or its beginning"),
            None,
            "the trainings to show (default: those that run, else the last one)",
        ),
        Parameter::unkeyed(
            "once",
            Allowed::Flag,
            Some("false"),
            "show it once and end, as where the output is no terminal",
        ),
        Program::OUT,
    ],
    examples: "  just watch\n  just watch name=sga-1a2b3c4d\n  just watch once=true",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| runs.iter().try_for_each(watch))
}

fn watch(run: &Parameters) -> Result<()> {
    let folder = Path::new(run.required("out")?).join("curves");
    let term = Term::stdout();
    let once = run.flag("once") || !term.is_term();
    loop {
        let courses = chosen(courses(&folder), run.text("name"));
        if courses.is_empty() {
            let of_name = run.text("name").map_or_else(String::new, |name| format!(" called {name}"));
            let what = format!("nothing in {} tells of a training{of_name}", folder.display());
            return Err(Failure::data(what).remedy("`just train` starts one; out= names another folder"));
        }
        let width = usize::from(term.size().1);
        let shown = view::view(&courses, if once { width.max(80) } else { width });
        if once {
            print!("{shown}");
            return Ok(());
        }
        term.clear_screen()?;
        let rows = usize::from(term.size().0).saturating_sub(1);
        print!("{}", shown.lines().take(rows).collect::<Vec<_>>().join("\n"));
        term.flush()?;
        if courses.iter().all(|course| course.outcome.is_some()) {
            println!();
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
}

/// The courses to show: those named, or those under way, or the last one.
fn chosen(mut courses: Vec<Course>, name: Option<&str>) -> Vec<Course> {
    if let Some(name) = name {
        courses.retain(|course| course.name.starts_with(name));
    } else if courses.iter().any(view::runs) {
        courses.retain(view::runs);
    } else {
        courses.truncate(1);
    }
    courses
}
