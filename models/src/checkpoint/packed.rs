//! Reads packed 4-bit layers (`P.qweight`, `P.qzeros`, `P.scales`, `P.g_idx` and `P.bias`) and 8-bit rows.

use half::f16;

use super::safetensors::{Q8_ROWS, Q8_SCALE};
use super::{Checkpoint, CheckpointError, CheckpointFormat};
use crate::int4::{PER_WORD, PackedLinear, PackedShape};

/// 8-bit codes `[rows, width]` and one scale per row.
pub type RowsI8 = (Vec<i8>, Vec<f32>);

impl Checkpoint {
    /// The packed layer `prefix` of the given widths, or `None` if it is not packed in this model.
    ///
    /// Zero points stored as GPTQ v1 are brought to v2. A missing `g_idx` means columns in their natural order.
    ///
    /// # Errors
    /// [`CheckpointError`] if an array is missing, has another shape than the widths ask for, or holds values out of range.
    pub fn packed(
        &self,
        prefix: &str,
        in_features: usize,
        out_features: usize,
    ) -> Result<Option<PackedLinear>, CheckpointError> {
        let name = |array: &str| format!("{prefix}.{array}");
        if self.tensors.info(&name("qweight")).is_none() {
            return Ok(None);
        }
        let config = self.quantization_config()?.ok_or_else(|| {
            CheckpointError::Config(format!("layer {prefix} is packed but there is no quantization_config"))
        })?;
        let refused = |source| CheckpointError::Packed { prefix: prefix.into(), source };
        let group_size = config.group_size_for(in_features);
        let shape = PackedShape { in_features, out_features, group_size };
        shape.check().map_err(refused)?;
        let groups = shape.groups();

        let qweight = self.int_tensor(&name("qweight"), &[in_features / PER_WORD, out_features])?;
        let mut qzeros = self.int_tensor(&name("qzeros"), &[groups, out_features / PER_WORD])?;
        if config.checkpoint_format == CheckpointFormat::Gptq {
            // Writers of v1 subtract one from all eight at once, borrow included; adding it the same way undoes exactly that.
            qzeros.iter_mut().for_each(|word| *word = word.wrapping_add(0x1111_1111));
        }
        let scales = self.tensor(&name("scales"), &[groups, out_features])?;
        let g_idx = match self.tensors.info(&name("g_idx")) {
            Some(_) => self.int_tensor(&name("g_idx"), &[in_features])?,
            None => (0..in_features).map(|i| (i / group_size) as i32).collect(),
        };
        let bias = match self.tensors.info(&name("bias")) {
            Some(_) => Some(self.tensor(&name("bias"), &[out_features])?),
            None => None,
        };
        let scales = scales.into_iter().map(f16::from_f32).collect();
        let layer = PackedLinear { in_features, out_features, group_size, qweight, qzeros, scales, g_idx, bias };
        layer.validate().map_err(refused)?;
        Ok(Some(layer))
    }

    /// `owner.weight` of `[rows, width]` as the 8-bit codes and row scales it is stored in (see
    /// [`TensorSource::read_i8`](super::TensorSource::read_i8)), or `None` if it is stored plainly or not at all.
    ///
    /// # Errors
    /// [`CheckpointError`] if it has another shape or its scales are not finite.
    pub fn rows_i8(&self, owner: &str, rows: usize, width: usize) -> Result<Option<RowsI8>, CheckpointError> {
        let codes = format!("{owner}{Q8_ROWS}");
        if self.tensors.info(&codes).is_none() {
            return Ok(None);
        }
        self.expect_shape(&codes, &[rows, width])?;
        let scales = self.tensor(&format!("{owner}{Q8_SCALE}"), &[rows])?;
        Ok(Some((self.tensors.read_i8(&codes)?, scales)))
    }

    fn int_tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<i32>, CheckpointError> {
        self.expect_shape(name, shape)?;
        self.tensors.read_i32(name)
    }
}
