//! What can go wrong, each in a sentence fit to be spoken.

/// Why a layer or a model could not be quantized.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// No calibration input reached the layer.
    #[error("no calibration text reached the layer; give a calibration file with more text")]
    NoInputs,
    /// Weights or inputs are infinite or not numbers.
    #[error("{0} contain values that are not finite numbers; the model file may be damaged, fetch it again")]
    NotFinite(&'static str),
    /// Every input of a layer was zero.
    #[error(
        "every calibration input of the layer is zero, so nothing can be learned about it; use other calibration text"
    )]
    DeadLayer,
    /// The Hessian cannot be inverted with any sensible damping.
    #[error("the calibration inputs say too little about the layer; use more calibration text")]
    Singular,
    /// Two arrays that belong together differ in size.
    #[error("the layer's {what} have {found} columns, but its weights have {expected}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Columns found.
        found: usize,
        /// Columns expected.
        expected: usize,
    },
    /// The group size does not fit.
    #[error("a group size of {0} is not possible; use 32, 64 or 128")]
    GroupSize(usize),
}
