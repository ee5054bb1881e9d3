//! The loudspeaker. The speech service plays by itself; here it is only looked at.

/// The loudspeaker that the system prefers, in words.
///
/// # Errors
/// The reason why there is none.
#[cfg(feature = "sound")]
pub fn check() -> Result<String, String> {
    use cpal::traits::{DeviceTrait, HostTrait};

    // See `capture`: ALSA's complaints do not belong on the terminal.
    #[cfg(target_os = "linux")]
    let _complaints = alsa::Output::local_error_handler();
    let device = cpal::default_host().default_output_device().ok_or("there is no loudspeaker")?;
    let config = device.default_output_config().map_err(|_| "the loudspeaker cannot be opened")?;
    Ok(format!("{} channels, {} samples a second", config.channels(), config.sample_rate()))
}

/// The loudspeaker that the system prefers, in words.
///
/// # Errors
/// Always: this program was built without sound.
#[cfg(not(feature = "sound"))]
pub fn check() -> Result<String, String> {
    Err("this program was built without sound".into())
}
