//! The lamp of a camera.
//!
//! Only Video4Linux tells desktop programs about lamps (its flash controls, as torch); the crate `cameras` has no word for
//! them on any system.

use cameras::DeviceId;

use crate::camera::CameraError;

#[cfg(target_os = "linux")]
pub(super) use linux::Lamp;

#[cfg(target_os = "linux")]
mod linux {
    use std::panic::catch_unwind;

    use v4l::Device as Node;
    use v4l::control::{Control, Value};

    use super::*;

    /// `V4L2_CID_FLASH_LED_MODE` of `linux/v4l2-controls.h`.
    const LED_MODE: u32 = 0x009C_0901;
    /// `V4L2_FLASH_LED_MODE_NONE`.
    const OFF: i64 = 0;
    /// `V4L2_FLASH_LED_MODE_TORCH`.
    const TORCH: i64 = 2;

    /// A lamp; it goes out with the camera: who cannot see it would leave it on.
    pub(in crate::camera::device) struct Lamp {
        node: Node,
        lit: bool,
    }

    impl Lamp {
        pub(in crate::camera::device) fn find(id: &DeviceId) -> Option<Self> {
            // The crate panics on texts of a driver that are no UTF-8.
            catch_unwind(|| {
                let node = Node::with_path(&id.0).ok()?;
                matches!(node.control(LED_MODE).ok()?.value, Value::Integer(_)).then_some(Self { node, lit: false })
            })
            .ok()
            .flatten()
        }

        pub(in crate::camera::device) fn switch(&mut self, on: bool) -> Result<(), CameraError> {
            let value = Value::Integer(if on { TORCH } else { OFF });
            let done = self.node.set_control(Control { id: LED_MODE, value });
            done.map_err(|error| CameraError::Torch(error.to_string()))?;
            self.lit = on;
            Ok(())
        }
    }

    impl Drop for Lamp {
        fn drop(&mut self) {
            if self.lit {
                // The camera may be gone, and its lamp with it.
                let _ = self.switch(false);
            }
        }
    }
}

/// No lamp.
#[cfg(not(target_os = "linux"))]
pub(super) enum Lamp {}

#[cfg(not(target_os = "linux"))]
impl Lamp {
    pub(super) fn find(_: &DeviceId) -> Option<Self> {
        None
    }

    pub(super) fn switch(&mut self, _: bool) -> Result<(), CameraError> {
        match *self {}
    }
}
