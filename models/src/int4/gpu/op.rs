//! The product as an operation of burn: lazy under fusion, launched on CubeCL.

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension};
use burn::tensor::{Int, Shape, Tensor};
use burn_cubecl::{CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_dtype};
use cubecl::{CubeCount, CubeDim};

use super::kernel::{LANES, packed_product};

/// Operations with packed weights.
#[backend_extension(Cube, Fusion)]
pub trait PackedOps: Backend {
    /// `x` `[m, columns]`, `codes` `[columns * bits / 32, out]`, `scales` and `offsets` `[groups, out]` to `[m, out]`.
    #[fusion(dtype = x, shape = output_shape(x, scales))]
    fn packed_product(
        x: FloatTensor<Self>,
        codes: IntTensor<Self>,
        scales: FloatTensor<Self>,
        offsets: FloatTensor<Self>,
        bits: u32,
        group_words: usize,
    ) -> FloatTensor<Self>;
}

/// See [`PackedOps::packed_product`].
pub fn product(
    x: Tensor<2>,
    codes: Tensor<2, Int>,
    scales: Tensor<2>,
    offsets: Tensor<2>,
    bits: u32,
    group_words: usize,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::packed_product(
        x.into_dispatch(),
        codes.into_dispatch(),
        scales.into_dispatch(),
        offsets.into_dispatch(),
        bits,
        group_words,
    ))
}

fn output_shape(x: &Shape, scales: &Shape) -> Shape {
    Shape::from([x[0], scales[1]])
}

impl PackedOps for CubeBackend {
    fn packed_product(
        x: FloatTensor<Self>,
        codes: IntTensor<Self>,
        scales: FloatTensor<Self>,
        offsets: FloatTensor<Self>,
        bits: u32,
        group_words: usize,
    ) -> FloatTensor<Self> {
        let (x, codes) = (into_contiguous(x), into_contiguous(codes));
        let (scales, offsets) = (into_contiguous(scales), into_contiguous(offsets));
        let dtype = x.dtype;
        let shape = output_shape(&x.shape(), &scales.shape());
        let (rows, outputs) = (shape[0], shape[1]);
        let out = empty_device_dtype(x.client.clone(), x.device.clone(), shape, dtype);
        // One row is split along the input so that there is work for enough threads; many rows share what they unpack.
        let (rows_per_thread, slices) = if rows == 1 { (1, 8) } else { (8, 4) };
        let count = CubeCount::Static((outputs as u32).div_ceil(LANES), (rows as u32).div_ceil(rows_per_thread), 1);
        packed_product::launch(
            &out.client,
            count,
            CubeDim::new_2d(LANES, slices),
            x.into_tensor_arg(),
            codes.into_tensor_arg(),
            scales.into_tensor_arg(),
            offsets.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            bits,
            group_words,
            rows_per_thread,
            slices,
            burn::backend::cubecl::dtype_to_storage_type(dtype),
        );
        out
    }
}
