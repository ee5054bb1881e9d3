//! Pictures in the places that a prompt keeps for them.

use burn::tensor::Tensor;

use super::VlmError;

/// `embedded` `[1, t, d]` of `tokens` with `features` `[n, positions, d]`, which may come in parts, in the places of
/// `image_token`, in order.
pub(super) fn put_features(
    embedded: Tensor<3>,
    tokens: &[u32],
    image_token: u32,
    features: Vec<Tensor<3>>,
) -> Result<Tensor<3>, VlmError> {
    let positions = |part: &Tensor<3>| part.dims()[0] * part.dims()[1];
    let places = tokens.iter().filter(|&&token| token == image_token).count();
    let count = features.iter().map(positions).sum();
    if places != count {
        return Err(VlmError::Places { places, features: count });
    }
    if count == 0 {
        return Ok(embedded);
    }
    let d = embedded.dims()[2];
    let features = features.into_iter().map(|part| {
        let count = positions(&part);
        part.reshape([1, count, d])
    });
    let features = Tensor::cat(features.collect(), 1);
    let mut parts = Vec::new();
    let (mut start, mut used) = (0, 0);
    for run in tokens.chunk_by(|a, b| (*a == image_token) == (*b == image_token)) {
        if run.first() == Some(&image_token) {
            parts.push(features.clone().narrow(1, used, run.len()));
            used += run.len();
        } else {
            parts.push(embedded.clone().narrow(1, start, run.len()));
        }
        start += run.len();
    }
    Ok(Tensor::cat(parts, 1))
}
