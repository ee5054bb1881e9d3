//! The activations of all sequences, carried from stage to stage through both models.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use sightread_models::text::{Block, BlockStack, BlockState};

use super::activations::{Activations, Keep};
use super::network::Network;
use super::options::QuantizeOptions;
use super::{Event, Listener, tell};
use crate::PipelineError;
use crate::matrix::Matrix;

/// The activations of all sequences, calibration first, in the model quantized so far and in the one in full precision.
pub(super) struct Streams {
    pub(super) quantized: Stream,
    /// Of all sequences, or of the held-out ones only.
    pub(super) full: Stream,
    pub(super) calibration: usize,
}

/// Residuals and inputs of sequences `first..first + len`.
pub(super) struct Stream {
    residual: Activations,
    pub(super) input: Activations,
    first: usize,
    len: usize,
}

/// One stage of the blocks of a stack.
#[derive(Clone, Copy)]
pub(super) struct StageStep<'a> {
    pub(super) stack: &'a dyn BlockStack,
    pub(super) stage: usize,
    pub(super) device: &'a Device,
}

impl Streams {
    /// The inputs of the first block of `stack`, made of what is left of the stack before.
    pub(super) fn start(
        network: &dyn Network,
        stack: usize,
        mut before: Option<Self>,
        options: &QuantizeOptions,
        spill: Option<&Path>,
        listener: &mut Listener<'_>,
    ) -> Result<Self, PipelineError> {
        let calibration = network.calibration();
        let count = calibration + network.held_out();
        let first = if options.needs_full_precision_stream() { 0 } else { calibration };
        let stream = |first: usize| -> Result<Stream, PipelineError> {
            let len = count - first;
            let residual = Activations::new(len, Keep::Single, spill)?;
            let input = Activations::new(len, Keep::Half, spill)?;
            Ok(Stream { residual, input, first, len })
        };
        let mut streams = Self { quantized: stream(0)?, full: stream(first)?, calibration };
        let mut begin = network.begin(stack)?;
        for n in 0..count {
            tell(listener, Event::Step)?;
            let [quantized, full] = match &mut before {
                Some(before) => {
                    let full = if n < first { None } else { Some(before.full.residual.take(n - first)?) };
                    [Some(before.quantized.residual.take(n)?), full]
                }
                None => [None, None],
            };
            let one_input = quantized.is_none();
            let x = begin(n, quantized)?;
            if n >= first {
                let x = if one_input { x.clone() } else { begin(n, full)? };
                streams.full.residual.put(n - first, x)?;
            }
            streams.quantized.residual.put(n, x)?;
        }
        Ok(streams)
    }
}

impl Stream {
    pub(super) fn begin(
        &mut self,
        block: &dyn Block,
        device: &Device,
        listener: &mut Listener<'_>,
    ) -> Result<(), PipelineError> {
        for n in 0..self.len {
            tell(listener, Event::Step)?;
            let state = block.begin(to_tensor(self.residual.take(n)?, device));
            self.keep(n, state)?;
        }
        Ok(())
    }

    pub(super) fn advance(
        &mut self,
        block: &dyn Block,
        StageStep { stack, stage, device }: StageStep<'_>,
        listener: &mut Listener<'_>,
    ) -> Result<(), PipelineError> {
        for n in 0..self.len {
            tell(listener, Event::Step)?;
            let residual = to_tensor(self.residual.take(n)?, device);
            let input = to_tensor(self.input.take(n)?, device);
            let state = block.advance(stage, BlockState { residual, input }, &mut stack.cache());
            self.keep(n, state)?;
        }
        Ok(())
    }

    fn keep(&mut self, n: usize, state: BlockState) -> Result<(), PipelineError> {
        self.residual.put(n, to_matrix(state.residual)?)?;
        self.input.put(n, to_matrix(state.input)?)
    }

    /// The input of sequence `n` of all, if this stream has it.
    pub(super) fn input_of(&mut self, n: usize) -> Result<Option<Matrix>, PipelineError> {
        if n < self.first { Ok(None) } else { self.input.get(n - self.first).map(Some) }
    }
}

/// `[1, t, width]` on the device.
pub(super) fn to_tensor(matrix: Matrix, device: &Device) -> Tensor<3> {
    let shape = [1, matrix.rows(), matrix.cols()];
    Tensor::from_data(TensorData::new(matrix.into_data(), shape), device)
}

/// `[1, t, width]` from the device.
pub(super) fn to_matrix(tensor: Tensor<3>) -> Result<Matrix, PipelineError> {
    let [b, t, width] = tensor.dims();
    let data = tensor.try_into_data().map_err(|e| PipelineError::Device(format!("{e:?}")))?;
    let values = data.try_into_vec::<f32>().map_err(|e| PipelineError::Device(format!("{e:?}")))?;
    Matrix::from_rows(b * t, width, values).ok_or(PipelineError::Internal("the shape of an activation"))
}
