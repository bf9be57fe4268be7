//! Where a process stands among others, as torchrun's or Slurm's environment says.

/// One process of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 0.
    pub rank: usize,
    /// How many there are.
    pub size: usize,
    /// Its number among those on this machine.
    pub local: usize,
    /// How many of them are on this machine, where that is told; else 1.
    pub local_size: usize,
    /// The machine of rank 0.
    pub host: String,
    /// Where they meet there.
    pub port: u16,
    /// Whether the program that started them serves the place where they meet; else rank 0 does.
    pub served: bool,
    /// How often they were started again.
    pub attempt: usize,
}

/// An environment that does not say where a process stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// A variable is missing.
    #[error(
        "{missing} is not set beside {beside}; torchrun sets it, or set it yourself: RANK=0 WORLD_SIZE=2 MASTER_ADDR=host MASTER_PORT=29500"
    )]
    Missing {
        /// The variable.
        missing: &'static str,
        /// One that is set.
        beside: &'static str,
    },
    /// A variable holds no number that it can.
    #[error("{name}={value}: {allowed}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: String,
    },
}

impl Place {
    /// The first of so many processes on this machine, which meet at any port that is free.
    pub fn here(size: usize) -> Self {
        let host = "127.0.0.1".to_owned();
        Self { rank: 0, size, local: 0, local_size: size, host, port: 0, served: false, attempt: 0 }
    }

    /// What the variables of torchrun say, or of a job step of Slurm (`srun`); `None` where there are neither.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Misplaced> {
        let torchrun = variable("WORLD_SIZE").is_some() || variable("RANK").is_some();
        // A batch script has Slurm's other variables too, and is one process whatever they say.
        let srun = variable("SLURM_STEP_NUM_TASKS").is_some();
        if torchrun {
            Self::of_torchrun(&variable).map(Some)
        } else if srun {
            Self::of_slurm(&variable).map(Some)
        } else {
            Ok(None)
        }
    }

    fn of_torchrun(variable: &impl Fn(&str) -> Option<String>) -> Result<Self, Misplaced> {
        let needed = |missing, beside| variable(missing).ok_or(Misplaced::Missing { missing, beside });
        needed("RANK", "WORLD_SIZE")?;
        needed("WORLD_SIZE", "RANK")?;
        let host = needed("MASTER_ADDR", "RANK")?;
        needed("MASTER_PORT", "RANK")?;
        let rank = number(variable, "RANK")?;
        Self {
            rank,
            size: number(variable, "WORLD_SIZE")?,
            local: number_or(variable, "LOCAL_RANK", rank)?,
            local_size: number_or(variable, "LOCAL_WORLD_SIZE", 1)?,
            host,
            port: port(variable)?,
            served: variable("TORCHELASTIC_USE_AGENT_STORE").as_deref() == Some("True"),
            attempt: number_or(variable, "TORCHELASTIC_RESTART_COUNT", 0)?,
        }
        .checked(["RANK", "WORLD_SIZE"])
    }

    fn of_slurm(variable: &impl Fn(&str) -> Option<String>) -> Result<Self, Misplaced> {
        let beside = "SLURM_STEP_NUM_TASKS";
        let needed = |missing| variable(missing).ok_or(Misplaced::Missing { missing, beside });
        needed("SLURM_PROCID")?;
        let nodes = variable("SLURM_STEP_NODELIST").or_else(|| variable("SLURM_JOB_NODELIST"));
        let host = match (variable("MASTER_ADDR"), nodes) {
            (Some(host), _) => host,
            (None, Some(nodes)) => first_host(&nodes),
            (None, None) => needed("SLURM_JOB_NODELIST")?,
        };
        let port = if variable("MASTER_PORT").is_some() {
            port(variable)?
        } else {
            needed("SLURM_JOB_ID")?;
            let step = number_or(variable, "SLURM_STEP_ID", 0)?;
            // Below the ports that systems give to whoever asks; steps of one job, and jobs one after another, differ.
            (10_000 + (number(variable, "SLURM_JOB_ID")? * 7 + step) % 20_000) as u16
        };
        let rank = number(variable, "SLURM_PROCID")?;
        Self {
            rank,
            size: number(variable, "SLURM_STEP_NUM_TASKS")?,
            local: number_or(variable, "SLURM_LOCALID", rank)?,
            local_size: 1, // srun gives each its own cores
            host,
            port,
            served: false,
            attempt: 0,
        }
        .checked(["SLURM_PROCID", beside])
    }

    fn checked(self, [rank, size]: [&'static str; 2]) -> Result<Self, Misplaced> {
        let wrong = |name, value: usize, allowed: String| {
            Err(Misplaced::Wrong { name, value: value.to_string(), allowed })
        };
        if self.size == 0 {
            return wrong(size, 0, "at least one process".to_owned());
        }
        if self.rank >= self.size {
            let last = self.size - 1;
            return wrong(
                rank,
                self.rank,
                format!("with {size}={} a whole number from 0 to {last}", self.size),
            );
        }
        Ok(self)
    }
}

fn number(variable: &impl Fn(&str) -> Option<String>, name: &'static str) -> Result<usize, Misplaced> {
    let value = variable(name).unwrap_or_default();
    value.parse().map_err(|_| Misplaced::Wrong {
        name,
        value,
        allowed: "a whole number from 0 on".to_owned(),
    })
}

fn number_or(
    variable: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: usize,
) -> Result<usize, Misplaced> {
    if variable(name).is_some() { number(variable, name) } else { Ok(default) }
}

fn port(variable: &impl Fn(&str) -> Option<String>) -> Result<u16, Misplaced> {
    let port = number(variable, "MASTER_PORT")?;
    u16::try_from(port).ok().filter(|port| *port > 0).ok_or_else(|| Misplaced::Wrong {
        name: "MASTER_PORT",
        value: port.to_string(),
        allowed: "a port from 1 to 65535".to_owned(),
    })
}

/// The first machine of a list as Slurm writes it: `gpu[003-007,12],login` is of `gpu003` first.
fn first_host(nodes: &str) -> String {
    let (before, range) = match nodes.find(['[', ',']) {
        Some(at) if nodes[at..].starts_with('[') => (&nodes[..at], &nodes[at + 1..]),
        Some(at) => (&nodes[..at], ""),
        None => (nodes, ""),
    };
    let first: String = range.chars().take_while(char::is_ascii_digit).collect();
    // What stands between the brackets and the next machine belongs to the name.
    let after = range.split_once(']').map_or("", |(_, after)| after.split(',').next().unwrap_or_default());
    format!("{before}{first}{after}")
}

#[cfg(test)]
mod tests {
    use super::{Place, first_host};

    fn of(variables: &[(&str, &str)]) -> Result<Option<Place>, String> {
        Place::of(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
            .map_err(|error| error.to_string())
    }

    const TORCHRUN: [(&str, &str); 8] = [
        ("LOCAL_WORLD_SIZE", "4"),
        ("RANK", "5"),
        ("LOCAL_RANK", "1"),
        ("WORLD_SIZE", "8"),
        ("MASTER_ADDR", "gpu3"),
        ("MASTER_PORT", "29500"),
        ("TORCHELASTIC_USE_AGENT_STORE", "True"),
        ("TORCHELASTIC_RESTART_COUNT", "2"),
    ];
    const SLURM: [(&str, &str); 7] = [
        ("SLURM_PROCID", "3"),
        ("SLURM_LOCALID", "1"),
        ("SLURM_NTASKS", "4"),
        ("SLURM_STEP_NUM_TASKS", "4"),
        ("SLURM_JOB_ID", "123456"),
        ("SLURM_STEP_ID", "1"),
        ("SLURM_JOB_NODELIST", "n[07-08]"),
    ];

    fn with<'a>(all: &[(&'a str, &'a str)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
        let others = all.iter().copied().filter(|(key, _)| *key != name);
        others.chain((!value.is_empty()).then_some((name, value))).collect()
    }

    #[test]
    fn torchruns_environment_is_read() {
        let expected = Place {
            rank: 5,
            size: 8,
            local: 1,
            local_size: 4,
            host: "gpu3".to_owned(),
            port: 29500,
            served: true,
            attempt: 2,
        };
        assert_eq!(of(&TORCHRUN), Ok(Some(expected.clone())));
        let both = [&SLURM[..], &TORCHRUN].concat();
        assert_eq!(of(&both), Ok(Some(expected)), "torchrun within a job of Slurm");
        let by_hand = of(&TORCHRUN[..6]).unwrap().unwrap();
        assert!(!by_hand.served && by_hand.attempt == 0);
    }

    #[test]
    fn slurms_environment_is_read_within_a_step_alone() {
        let place = of(&SLURM).unwrap().unwrap();
        assert_eq!((place.rank, place.size, place.local), (3, 4, 1));
        assert_eq!((place.host.as_str(), place.port, place.served), ("n07", 14_193, false));
        assert_eq!(of(&with(&SLURM, "MASTER_ADDR", "10.0.0.7")).unwrap().unwrap().host, "10.0.0.7");
        assert_eq!(of(&with(&SLURM, "MASTER_PORT", "29501")).unwrap().unwrap().port, 29501);
        assert_eq!(of(&with(&SLURM, "SLURM_STEP_NUM_TASKS", "")), Ok(None), "a batch script");
        assert_eq!(of(&[]), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_allowed() {
        for (variables, says) in [
            (with(&TORCHRUN, "RANK", "8"), "RANK=8: with WORLD_SIZE=8 a whole number from 0 to 7"),
            (with(&TORCHRUN, "RANK", "one"), "RANK=one: a whole number from 0 on"),
            (with(&TORCHRUN, "WORLD_SIZE", "0"), "WORLD_SIZE=0: at least one process"),
            (with(&TORCHRUN, "MASTER_PORT", "70000"), "MASTER_PORT=70000: a port from 1 to 65535"),
            (with(&TORCHRUN, "MASTER_ADDR", ""), "MASTER_ADDR is not set beside RANK"),
            (with(&TORCHRUN, "RANK", ""), "RANK is not set beside WORLD_SIZE"),
            (with(&SLURM, "SLURM_PROCID", "4"), "SLURM_PROCID=4: with SLURM_STEP_NUM_TASKS=4"),
            (
                with(&SLURM, "SLURM_JOB_NODELIST", ""),
                "SLURM_JOB_NODELIST is not set beside SLURM_STEP_NUM_TASKS",
            ),
        ] {
            let error = of(&variables).unwrap_err();
            assert!(error.starts_with(says), "{error}");
        }
    }

    #[test]
    fn the_first_machine_of_a_list_is_found() {
        for (nodes, first) in [
            ("n1", "n1"),
            ("n1,n2", "n1"),
            ("gpu[003-007,12],login", "gpu003"),
            ("a,b[1-2]", "a"),
            ("rack-[2,5]-gpu,x", "rack-2-gpu"),
        ] {
            assert_eq!(first_host(nodes), first);
        }
    }
}
