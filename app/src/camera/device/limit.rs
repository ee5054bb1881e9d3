//! Work that may never end.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::camera::CameraError;

/// Does it on another thread, which is left behind when the time is over.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> Result<T, CameraError> + Send + 'static,
) -> Result<T, CameraError> {
    let (done, result) = channel();
    std::thread::Builder::new()
        .name("camera driver".into())
        // Nobody takes it when the time is over: then it is closed here.
        .spawn(move || drop(done.send(work())))
        .map_err(|error| CameraError::Driver(error.to_string()))?;
    result.recv_timeout(limit).unwrap_or_else(|error| match error {
        RecvTimeoutError::Timeout => Err(CameraError::Hangs),
        RecvTimeoutError::Disconnected => Err(CameraError::Driver("its driver gives nonsense".into())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_gives_its_result_or_is_left_behind() {
        let long = Duration::from_secs(60);
        assert_eq!(within(long, || Ok(7)), Ok(7));
        assert_eq!(within(long, || Err::<(), _>(CameraError::InUse)), Err(CameraError::InUse));
        assert!(matches!(within::<()>(long, || panic!("as some drivers do")), Err(CameraError::Driver(_))));
        let (_go, wait) = channel::<()>();
        let hangs = move || {
            let _ = wait.recv();
            Ok(())
        };
        assert_eq!(within(Duration::from_millis(20), hangs), Err(CameraError::Hangs));
    }
}
