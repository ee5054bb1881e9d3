//! Which device a network runs on: a real GPU through wgpu, else the CPU.

use std::path::Path;
#[cfg(feature = "wgpu")]
use std::sync::OnceLock;

pub use burn::tensor::Device;

/// What the caller asked for on the command line or in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// A real GPU through wgpu if there is one, else the CPU.
    #[default]
    Auto,
    /// wgpu, even on a software adapter.
    Wgpu,
    /// The CPU (burn's Flex backend and our kernels).
    Cpu,
}

/// Why no device could be opened.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// wgpu was asked for by name and found no adapter.
    #[error("no graphics adapter answers through wgpu ({0}); install a Vulkan driver or use the CPU backend")]
    NoAdapter(String),
    /// This program was built without the `wgpu` feature.
    #[error("this build has no wgpu support; use the CPU backend")]
    NotBuilt,
}

impl Backend {
    /// Opens the device. `Auto` never picks a software adapter: it is many times slower than the CPU backend.
    pub fn open(self) -> Result<Device, DeviceError> {
        match self {
            Backend::Cpu => Ok(Device::flex()),
            Backend::Auto => Ok(open_real_gpu().unwrap_or_else(Device::flex)),
            Backend::Wgpu => open_wgpu(),
        }
    }
}

#[cfg(feature = "wgpu")]
fn open_wgpu() -> Result<Device, DeviceError> {
    // Once per process: burn refuses to set up the same adapter again.
    static OPENED: OnceLock<Result<Device, String>> = OnceLock::new();
    let opened = OPENED.get_or_init(|| Device::wgpu_options().init().map_err(|e| format!("{e:?}")));
    opened.clone().map_err(DeviceError::NoAdapter)
}

#[cfg(not(feature = "wgpu"))]
fn open_wgpu() -> Result<Device, DeviceError> {
    Err(DeviceError::NotBuilt)
}

fn open_real_gpu() -> Option<Device> {
    // Asking the graphics driver takes a tenth of a second; without a device file the answer is known.
    if cfg!(target_os = "linux") && !["/dev/dri", "/dev/nvidia0"].iter().any(|file| Path::new(file).exists()) {
        return None;
    }
    open_wgpu().ok().filter(|d| d.identity().is_some_and(|i| i.physical.is_some()))
}

/// The device in words: backend, adapter, and whether it is a real GPU.
pub fn describe(device: &Device) -> String {
    match device.identity() {
        Some(identity) => {
            let kind = if identity.physical.is_some() { "real" } else { "software" };
            format!("{identity:?} ({kind})")
        }
        None => format!("{device:?}"),
    }
}

#[cfg(all(test, feature = "wgpu"))]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_gives_what_the_first_gave() {
        assert_eq!(Backend::Wgpu.open().ok(), Backend::Wgpu.open().ok());
    }
}
