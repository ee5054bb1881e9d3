//! The running program behind every surface: requests in, a [`View`] out. Window, terminal and tests all hold a session.

mod request;
mod view;

pub use request::Request;
pub use view::{CameraState, Clip, EarState, Page, PageRow, Preview, Status, View, Work};
