//! Windows and macOS are asked every now and then: what they tell by themselves they tell to windows.

use std::ops::ControlFlow;
use std::time::Duration;

/// A screen reader that starts is noticed after this time.
const EVERY: Duration = Duration::from_secs(2);

pub(super) fn watch(mut on_change: impl FnMut(bool) -> ControlFlow<()>) {
    let mut told = None;
    loop {
        let running = is_running();
        if told.replace(running) != Some(running) && on_change(running).is_break() {
            return;
        }
        std::thread::sleep(EVERY);
    }
}

#[cfg(windows)]
fn is_running() -> bool {
    use windows_sys::Win32::UI::WindowsAndMessaging::{SPI_GETSCREENREADER, SystemParametersInfoW};

    let mut running: windows_sys::core::BOOL = 0;
    // SAFETY: for this question the system writes one BOOL to the address.
    let told = unsafe { SystemParametersInfoW(SPI_GETSCREENREADER, 0, (&raw mut running).cast(), 0) };
    told != 0 && running != 0
}

#[cfg(target_os = "macos")]
fn is_running() -> bool {
    objc2_app_kit::NSWorkspace::sharedWorkspace().isVoiceOverEnabled()
}
