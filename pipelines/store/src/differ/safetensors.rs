//! The tensor in which two safetensors files differ most.

use std::{collections::BTreeMap, path::Path};

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::Error;

/// The tensor with the largest difference, and how many differ.
pub(super) fn differ(a: &Path, b: &Path) -> Result<Option<String>, Error> {
    let (a, b) = (fs_err::read(a)?, fs_err::read(b)?);
    let (a, b) = (SafeTensors::deserialize(&a)?, SafeTensors::deserialize(&b)?);
    let (a, b): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (a.tensors().into_iter().collect(), b.tensors().into_iter().collect());
    if let Some(name) = a.keys().find(|name| !b.contains_key(*name)) {
        return Ok(Some(format!("tensor {name}: only one has it")));
    }
    if let Some(name) = b.keys().find(|name| !a.contains_key(*name)) {
        return Ok(Some(format!("tensor {name}: only one has it")));
    }
    let mut differing = 0;
    let mut largest: Option<(f64, &String)> = None;
    for (name, a) in &a {
        let b = &b[name];
        if a.dtype() != b.dtype() || a.shape() != b.shape() {
            return Ok(Some(format!("tensor {name}: shape or number format differs")));
        }
        if a.data() == b.data() {
            continue;
        }
        differing += 1;
        let difference = difference(a, b);
        if largest.is_none_or(|(so_far, _)| worse(so_far, difference)) {
            largest = Some((difference, name));
        }
    }
    Ok(largest.map(|(difference, name)| {
        format!(
            "tensor {name} differs by up to {difference:.3e}, the most of {differing} that differ of {}",
            a.len()
        )
    }))
}

/// The largest absolute difference of two tensors of one shape and format; NaN where the format is not of numbers.
fn difference(a: &TensorView<'_>, b: &TensorView<'_>) -> f64 {
    let (Some(a), Some(b)) = (numbers(a), numbers(b)) else { return f64::NAN };
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |most, next| if worse(most, next) { next } else { most })
}

/// Whether a difference is larger; one that is no number is larger than any.
fn worse(so_far: f64, next: f64) -> bool {
    next > so_far || (next.is_nan() && !so_far.is_nan())
}

fn numbers(tensor: &TensorView<'_>) -> Option<Vec<f64>> {
    let data = tensor.data();
    Some(match tensor.dtype() {
        Dtype::F64 => numbers_of(data, f64::from_le_bytes),
        Dtype::F32 => numbers_of(data, |bytes| f64::from(f32::from_le_bytes(bytes))),
        Dtype::F16 => numbers_of(data, |bytes| half::f16::from_le_bytes(bytes).to_f64()),
        Dtype::BF16 => numbers_of(data, |bytes| half::bf16::from_le_bytes(bytes).to_f64()),
        Dtype::I64 => numbers_of(data, |bytes| i64::from_le_bytes(bytes) as f64),
        Dtype::I32 => numbers_of(data, |bytes| f64::from(i32::from_le_bytes(bytes))),
        Dtype::U8 => data.iter().copied().map(f64::from).collect(),
        _ => return None,
    })
}

fn numbers_of<const N: usize>(data: &[u8], number: fn([u8; N]) -> f64) -> Vec<f64> {
    data.chunks_exact(N).map(|bytes| number(bytes.try_into().expect("a chunk of N bytes"))).collect()
}

#[cfg(test)]
mod tests {
    use safetensors::serialize_to_file;

    use super::*;

    fn write(path: &Path, weights: [f32; 2], bias: f32) {
        let [weights, bias]: [Vec<u8>; 2] =
            [weights.iter().flat_map(|x| x.to_le_bytes()).collect(), bias.to_le_bytes().to_vec()];
        let tensors = [
            ("fc.weight", TensorView::new(Dtype::F32, vec![2], &weights).unwrap()),
            ("fc.bias", TensorView::new(Dtype::F32, vec![1], &bias).unwrap()),
        ];
        serialize_to_file(tensors, &None, path).unwrap();
    }

    #[test]
    fn the_tensor_that_differs_most_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        write(&a, [1.0, 2.0], 0.5);
        write(&b, [1.25, 2.0], 0.375);
        let said = differ(&a, &b).unwrap().unwrap();
        assert_eq!(said, "tensor fc.weight differs by up to 2.500e-1, the most of 2 that differ of 2");
        assert_eq!(differ(&a, &a).unwrap(), None);
        write(&b, [f32::NAN, 9.0], 0.375);
        let said = differ(&a, &b).unwrap().unwrap();
        assert!(said.starts_with("tensor fc.weight differs by up to NaN"), "{said}");
    }
}
