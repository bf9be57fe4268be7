//! The learning rate over a run.

use std::f64::consts::PI;

nn::choice! {
    "schedule",
    /// How the learning rate changes from step to step.
    pub enum Schedule {
        /// It stays.
        Constant = "constant",
        /// It falls to 0 along half a cosine (Loshchilov & Hutter 2017).
        Cosine = "cosine",
        /// It rises from 1/25 of the peak to the peak over 30 % of the steps, then falls to 1/250,000 of it, along half
        /// cosines (Smith & Topin 2018; PyTorch's `OneCycleLR` with `cycle_momentum=False`).
        OneCycle = "onecycle",
    }
}

impl Schedule {
    /// The learning rate of `step` (from 0) of `steps`, where `peak` is the largest.
    pub fn rate(self, peak: f64, step: u64, steps: u64) -> f64 {
        let last = steps.saturating_sub(1) as f64;
        match self {
            Self::Constant => peak,
            Self::Cosine => half_cosine(peak, 0.0, step as f64 / steps.max(1) as f64),
            Self::OneCycle => {
                let (start, end) = (peak / 25.0, peak / 25.0 / 1e4);
                let top = 0.3 * steps as f64 - 1.0;
                let step = step as f64;
                if step <= top {
                    half_cosine(start, peak, if top > 0.0 { step / top } else { 1.0 })
                } else {
                    half_cosine(peak, end, if last > top { (step - top) / (last - top) } else { 1.0 })
                }
            }
        }
    }
}

fn half_cosine(from: f64, to: f64, place: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * place).cos())
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn one_cycle_is_pytorchs() {
        // p = torch.nn.Parameter(torch.zeros(1)); o = torch.optim.SGD([p], lr=1.)
        // s = torch.optim.lr_scheduler.OneCycleLR(o, max_lr=.1, total_steps=20)
        // for i in range(20): print(i, s.get_last_lr()[0]); o.step(); s.step()
        let golden = [(0, 0.004), (2, 0.037_167), (5, 0.1), (6, 0.098_746), (12, 0.050_000), (19, 4e-7)];
        for (step, expected) in golden {
            let rate = Schedule::OneCycle.rate(0.1, step, 20);
            assert!((rate - expected).abs() < 1e-6, "step {step}: {rate}, expected {expected}");
        }
    }

    #[test]
    fn every_schedule_stays_between_zero_and_its_peak() {
        for schedule in Schedule::ALL {
            for steps in [1, 2, 3, 7, 1000] {
                for step in 0..steps {
                    let rate = schedule.rate(0.1, step, steps);
                    assert!((0.0..=0.1 + 1e-12).contains(&rate), "{schedule} {step}/{steps}: {rate}");
                }
            }
        }
    }
}
