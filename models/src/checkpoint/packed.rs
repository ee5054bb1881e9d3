//! Reads packed 4-bit layers: `P.qweight`, `P.qzeros`, `P.scales`, `P.g_idx` and `P.bias`.

use half::f16;

use super::{Checkpoint, CheckpointError, CheckpointFormat};
use crate::int4::{PER_WORD, PackedLinear};

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
        if in_features == 0 || out_features == 0 || in_features % PER_WORD != 0 || out_features % PER_WORD != 0 {
            let widths = format!(
                "layer {prefix} is packed, but its widths {in_features} and {out_features} are no multiples of 8"
            );
            return Err(CheckpointError::Config(widths));
        }
        let group_size = config.group_size_for(in_features);
        let groups = in_features.div_ceil(group_size);

        let qweight = self.int_tensor(&name("qweight"), &[in_features / PER_WORD, out_features])?;
        let mut qzeros = self.int_tensor(&name("qzeros"), &[groups, out_features / PER_WORD])?;
        if config.checkpoint_format == CheckpointFormat::Gptq {
            // Writers of v1 subtract one from all eight at once, borrow included; adding it the same way undoes exactly that.
            qzeros.iter_mut().for_each(|word| *word = word.wrapping_add(0x1111_1111));
        }
        let scales = self.tensor(&name("scales"), &[groups, out_features])?;
        let scales: Vec<f16> = scales.into_iter().map(f16::from_f32).collect();
        if !scales.iter().all(|s| s.is_finite()) {
            return Err(CheckpointError::NotFinite { name: name("scales") });
        }
        let g_idx = match self.tensors.info(&name("g_idx")) {
            Some(_) => self.int_tensor(&name("g_idx"), &[in_features])?,
            None => (0..in_features).map(|i| (i / group_size) as i32).collect(),
        };
        if let Some(g) = g_idx.iter().find(|&&g| usize::try_from(g).is_ok_and(|g| g < groups) == false) {
            return Err(CheckpointError::Config(format!("{} names group {g} of {groups}", name("g_idx"))));
        }
        let bias = match self.tensors.info(&name("bias")) {
            Some(_) => Some(self.tensor(&name("bias"), &[out_features])?),
            None => None,
        };
        Ok(Some(PackedLinear { in_features, out_features, group_size, qweight, qzeros, scales, g_idx, bias }))
    }

    fn int_tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<i32>, CheckpointError> {
        let info = self.tensors.info(name).ok_or_else(|| CheckpointError::MissingTensor { name: name.into() })?;
        if info.shape != shape {
            return Err(CheckpointError::Shape { name: name.into(), expected: shape.into(), found: info.shape });
        }
        self.tensors.read_i32(name)
    }
}
