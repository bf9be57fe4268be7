//! The sanity check of Adebayo et al. 2018: a map of a network whose weights are drawn anew, from the head down, part by
//! part, must become another.

use nn::{Architecture, Network};

/// The parts of a network from the head down; `stem` is the first convolution.
pub const CASCADE: [&str; 6] = ["head", "block 4", "block 3", "block 2", "block 1", "stem"];

/// Draws the weights of a part of [`CASCADE`] anew, as before training; BatchNorms become neutral.
///
/// # Panics
/// There is no such part.
pub fn redraw(model: &Network, part: &str, seed: u64) {
    let place = CASCADE.iter().position(|known| *known == part).expect("a part of the cascade");
    let layers = layers(model.architecture())[place];
    let begins = |name: &str, layer: &str| {
        name.strip_prefix(layer).is_some_and(|rest| rest.starts_with(['.', '_'])) // `_auxiliary` BatchNorms too
    };
    model.redraw(seed, |name| layers.iter().any(|layer| begins(name, layer)));
}

/// How the names of each part's weights begin.
fn layers(architecture: Architecture) -> [&'static [&'static str]; 6] {
    match architecture {
        Architecture::ResNet18 | Architecture::ResNet34 | Architecture::ResNet50 => {
            [&["fc"], &["layer4"], &["layer3"], &["layer2"], &["layer1"], &["conv1", "bn1"]]
        }
        Architecture::DenseNet121 => [
            &["classifier"],
            &["features.denseblock4", "features.norm5"],
            &["features.denseblock3", "features.transition3"],
            &["features.denseblock2", "features.transition2"],
            &["features.denseblock1", "features.transition1"],
            &["features.conv0", "features.norm0"],
        ],
        Architecture::EfficientNetB0 => [
            &["classifier"],
            &["features.8", "features.7"],
            &["features.6", "features.5"],
            &["features.4", "features.3"],
            &["features.2", "features.1"],
            &["features.0"],
        ],
    }
}

#[cfg(test)]
mod tests {
    use nn::{Init, Options};

    use super::*;

    #[test]
    fn every_weight_belongs_to_one_part() {
        for &architecture in Architecture::ALL {
            let (model, _) =
                Network::new(&Options { architecture, ..Options::default() }, &Init::Scratch).unwrap();
            let weights = |model: &Network| model.state().into_iter().filter(|(_, weight)| weight.dim() > 1);
            let mut times: std::collections::BTreeMap<String, usize> =
                weights(&model).map(|(name, _)| (name, 0)).collect();
            for (seed, part) in (1..).zip(CASCADE) {
                let before = model.copies();
                redraw(&model, part, seed);
                for (name, weight) in weights(&model) {
                    *times.get_mut(&name).unwrap() += usize::from(weight != before[&name]);
                }
            }
            assert!(times.values().all(|times| *times == 1), "{architecture}: {times:?}");
        }
    }
}
