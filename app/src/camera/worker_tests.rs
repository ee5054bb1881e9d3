//! Tests of the camera's thread with sources that come and go, stall and hang.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use image::RgbImage;

use super::*;
use crate::camera::jpeg::tests::sample;
use crate::camera::stream::tests::{multipart, part, serve, until_closed};

const SOON: Duration = Duration::from_secs(60);
const QUICK: Times = Times {
    gap: Duration::from_millis(5),
    poll: Duration::from_millis(5),
    stall: Duration::from_millis(60),
    first_wait: Duration::from_millis(5),
    last_wait: Duration::from_millis(40),
    settled: Duration::from_secs(3600),
    goodbye: SOON,
};

/// A camera that can be plugged in and pulled out, and what is done with it.
#[derive(Default)]
struct Fake {
    plugged: AtomicBool,
    stalls: AtomicBool,
    attempts: Mutex<Vec<Instant>>,
    fetched: AtomicUsize,
    lamp: Option<Mutex<Result<bool, CameraError>>>,
}

struct Opened(Arc<Fake>);

impl Fake {
    fn open(self: &Arc<Self>) -> Result<Box<dyn FrameSource>, CameraError> {
        self.attempts.lock().unwrap().push(Instant::now());
        if self.plugged.load(Ordering::SeqCst) {
            Ok(Box::new(Opened(Arc::clone(self))))
        } else {
            Err(CameraError::NotFound)
        }
    }

    fn start(self: &Arc<Self>, times: Times) -> (Camera, Receiver<CameraEvent>) {
        let (send, events) = channel();
        let fake = Arc::clone(self);
        let camera = Camera::start_with(move || fake.open(), times, move |event| drop(send.send(event))).unwrap();
        (camera, events)
    }
}

impl FrameSource for Opened {
    fn name(&self) -> String {
        "fake".into()
    }

    fn next_frame(&mut self, _: Duration) -> Result<Frame, CameraError> {
        if !self.0.plugged.load(Ordering::SeqCst) {
            return Err(CameraError::Unplugged);
        }
        if self.0.stalls.load(Ordering::SeqCst) {
            return Err(CameraError::Stalled);
        }
        self.0.fetched.fetch_add(1, Ordering::SeqCst);
        Ok(Frame::now(Arc::new(RgbImage::new(2, 2))))
    }

    fn has_torch(&self) -> bool {
        self.0.lamp.is_some()
    }

    fn set_torch(&mut self, on: bool) -> Result<(), CameraError> {
        let mut lamp = self.0.lamp.as_ref().ok_or(CameraError::NoTorch)?.lock().unwrap();
        lamp.as_mut().map(|lit| *lit = on).map_err(|error| error.clone())
    }
}

/// The next event that is no picture.
fn news(events: &Receiver<CameraEvent>) -> CameraEvent {
    loop {
        match events.recv_timeout(SOON).expect("an event") {
            CameraEvent::Frame(_) => {}
            event => return event,
        }
    }
}

fn expect_lost(events: &Receiver<CameraEvent>, reason: &CameraError) {
    let event = news(events);
    assert!(matches!(&event, CameraEvent::Lost(lost) if lost == reason), "{event:?}");
}

/// Expects that it is opened and gives a picture at once.
fn expect_opened(events: &Receiver<CameraEvent>, lamp: Option<bool>) {
    let event = news(events);
    assert!(matches!(&event, CameraEvent::Opened { name, torch } if name == "fake" && *torch == lamp), "{event:?}");
    let event = events.recv_timeout(SOON).unwrap();
    assert!(matches!(event, CameraEvent::Frame(_)), "{event:?}");
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_camera_may_come_and_go_and_a_loss_is_told_once() {
    let fake = Arc::new(Fake::default());
    let (_camera, events) = fake.start(QUICK);
    let tried = |times: usize| until("it is tried again", || fake.attempts.lock().unwrap().len() >= times);
    tried(4);
    expect_lost(&events, &CameraError::NotFound);
    fake.plugged.store(true, Ordering::SeqCst);
    expect_opened(&events, None);
    fake.plugged.store(false, Ordering::SeqCst);
    let before = fake.attempts.lock().unwrap().len();
    tried(before + 4);
    expect_lost(&events, &CameraError::Unplugged);
    fake.plugged.store(true, Ordering::SeqCst);
    expect_opened(&events, None);
}

#[test]
fn waits_grow_to_a_limit() {
    let fake = Arc::new(Fake::default());
    let (_camera, _events) = fake.start(QUICK);
    until("it is tried again", || fake.attempts.lock().unwrap().len() >= 7);
    let attempts = fake.attempts.lock().unwrap();
    for (pair, least) in attempts.windows(2).zip([5, 10, 20, 40, 40, 40]) {
        let wait = pair[1] - pair[0];
        assert!(wait >= Duration::from_millis(least), "{wait:?} {least}");
    }
}

#[test]
fn a_camera_that_gives_nothing_is_lost_after_a_while_and_opened_again() {
    let fake = Arc::new(Fake::default());
    fake.plugged.store(true, Ordering::SeqCst);
    fake.stalls.store(true, Ordering::SeqCst);
    let start = Instant::now();
    let (_camera, events) = fake.start(QUICK);
    expect_lost(&events, &CameraError::Stalled);
    assert!(start.elapsed() >= QUICK.stall);
    fake.stalls.store(false, Ordering::SeqCst);
    expect_opened(&events, None);
}

#[test]
fn pictures_come_at_the_rate_that_is_wanted() {
    let fake = Arc::new(Fake::default());
    fake.plugged.store(true, Ordering::SeqCst);
    let (_camera, events) = fake.start(Times { gap: Duration::from_millis(30), ..QUICK });
    expect_opened(&events, None);
    let start = Instant::now();
    for _ in 0..5 {
        assert!(matches!(events.recv_timeout(SOON), Ok(CameraEvent::Frame(_))));
    }
    assert!(start.elapsed() >= Duration::from_millis(4 * 30), "{:?}", start.elapsed());
}

#[test]
fn nothing_is_fetched_while_the_receiver_is_busy() {
    let fake = Arc::new(Fake::default());
    fake.plugged.store(true, Ordering::SeqCst);
    let (let_go, wait) = channel::<()>();
    let (send, events) = channel();
    let source = Arc::clone(&fake);
    let busy = move |event| {
        let _ = send.send(event);
        let _ = wait.recv();
    };
    let camera = Camera::start_with(move || source.open(), QUICK, busy).unwrap();
    events.recv_timeout(SOON).unwrap();
    std::thread::sleep(10 * QUICK.gap);
    assert_eq!(fake.fetched.load(Ordering::SeqCst), 1);
    drop(let_go);
    drop(camera);
}

#[test]
fn a_driver_that_hangs_is_left_behind() {
    struct Hangs(Receiver<()>);
    impl FrameSource for Hangs {
        fn name(&self) -> String {
            "hangs".into()
        }
        fn next_frame(&mut self, _: Duration) -> Result<Frame, CameraError> {
            let _ = self.0.recv();
            Err(CameraError::Ended)
        }
    }
    let (_let_go, wait) = channel();
    let (opened, is_opened) = channel();
    let mut wait = Some(wait);
    let open = move || -> Result<Box<dyn FrameSource>, CameraError> {
        let _ = opened.send(());
        Ok(Box::new(Hangs(wait.take().ok_or(CameraError::NotFound)?)))
    };
    let goodbye = Duration::from_millis(50);
    let camera = Camera::start_with(open, Times { goodbye, ..QUICK }, |_| {}).unwrap();
    is_opened.recv_timeout(SOON).unwrap();
    let start = Instant::now();
    drop(camera);
    assert!(start.elapsed() >= goodbye, "it hangs");
    assert!(start.elapsed() < SOON);
}

#[test]
fn the_thread_ends_with_the_handle() {
    let fake = Arc::new(Fake::default());
    fake.plugged.store(true, Ordering::SeqCst);
    let (camera, events) = fake.start(QUICK);
    expect_opened(&events, None);
    drop(camera);
    // The sender is gone with the thread.
    while events.recv_timeout(SOON).is_ok() {}
    assert_eq!(events.try_recv().err(), Some(std::sync::mpsc::TryRecvError::Disconnected));
}

#[test]
fn the_lamp_is_switched_and_comes_back_with_the_camera() {
    let fake = Arc::new(Fake { lamp: Some(Mutex::new(Ok(false))), ..Fake::default() });
    fake.plugged.store(true, Ordering::SeqCst);
    let (camera, events) = fake.start(QUICK);
    expect_opened(&events, Some(false));
    camera.set_torch(true);
    assert!(matches!(news(&events), CameraEvent::Torch(true)));
    fake.plugged.store(false, Ordering::SeqCst);
    expect_lost(&events, &CameraError::Unplugged);
    *fake.lamp.as_ref().unwrap().lock().unwrap() = Ok(false);
    fake.plugged.store(true, Ordering::SeqCst);
    expect_opened(&events, Some(true));
    assert_eq!(*fake.lamp.as_ref().unwrap().lock().unwrap(), Ok(true));
    *fake.lamp.as_ref().unwrap().lock().unwrap() = Err(CameraError::Torch("stuck".into()));
    camera.set_torch(false);
    assert!(matches!(news(&events), CameraEvent::Torch(true)), "it does not obey");
}

#[test]
fn without_a_lamp_a_wish_for_light_changes_nothing() {
    let fake = Arc::new(Fake::default());
    fake.plugged.store(true, Ordering::SeqCst);
    let (camera, events) = fake.start(QUICK);
    expect_opened(&events, None);
    camera.set_torch(true);
    assert!(matches!(news(&events), CameraEvent::Torch(false)));
}

#[test]
fn a_network_camera_that_dies_is_found_again() {
    let (address, _requests) = serve(|connection, number| {
        // Alive, dead twice, alive.
        if number == 1 || number == 2 {
            return Ok(());
        }
        multipart(connection)?;
        for _ in 0..3 {
            part(connection, "", &sample(64, 48, 100))?;
        }
        if number == 0 { Ok(()) } else { until_closed(connection) }
    });
    let (send, events) = channel();
    let source = Source::Stream(address);
    let camera = Camera::start_with(move || open(&source), QUICK, move |event| drop(send.send(event))).unwrap();
    for number in 0..2 {
        let event = news(&events);
        assert!(matches!(event, CameraEvent::Opened { .. }), "{event:?}");
        assert!(matches!(events.recv_timeout(SOON), Ok(CameraEvent::Frame(_))));
        if number == 0 {
            expect_lost(&events, &CameraError::Ended);
        }
    }
    drop(camera);
}
