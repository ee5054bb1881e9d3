//! The system's microphone through the crate `cpal`: any format, any rate.

#[cfg(feature = "sound")]
pub(super) use device::open;

#[cfg(not(feature = "sound"))]
pub(super) fn open() -> Result<NoDevice, String> {
    Err("this program was built without sound".into())
}

/// Stands where a program without sound would have a microphone.
#[cfg(not(feature = "sound"))]
pub(super) enum NoDevice {}

#[cfg(not(feature = "sound"))]
impl super::listen::Source for NoDevice {
    fn read(&mut self) -> Result<Vec<f32>, String> {
        match *self {}
    }
}

#[cfg(feature = "sound")]
mod device {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Duration;

    use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
    use cpal::{ErrorKind, FromSample, SampleFormat, SizedSample, SupportedStreamConfig};

    use crate::speech::listen::Source;
    use crate::speech::resample::ToSpeechRate;

    /// The ring between the device's thread and ours holds this much; more is lost, and older sound is what counts.
    const RING_SECONDS: usize = 2;
    /// A device that cannot be set up in this time is not there.
    const SETUP_LIMIT: Duration = Duration::from_secs(5);

    /// An open microphone.
    pub(in crate::speech) struct Microphone {
        samples: rtrb::Consumer<f32>,
        failures: Receiver<cpal::Error>,
        resampler: ToSpeechRate,
        // Last, so that it is closed before what its callbacks write to.
        _stream: cpal::Stream,
    }

    /// Opens the microphone that the system prefers.
    pub(in crate::speech) fn open() -> Result<Microphone, String> {
        // ALSA writes its complaints to the terminal, which a screen reader would read out; they go to a buffer instead.
        #[cfg(target_os = "linux")]
        let _complaints = alsa::Output::local_error_handler();
        let device = cpal::default_host().default_input_device().ok_or("there is no microphone")?;
        let config = device.default_input_config().map_err(|error| explain(&error))?;
        let resampler = ToSpeechRate::new(config.sample_rate()).map_err(|error| error.to_string())?;
        let (producer, samples) = rtrb::RingBuffer::new(config.sample_rate() as usize * RING_SECONDS);
        let (report, failures) = sync_channel(1);
        let stream = build(&device, config, producer, report).map_err(|error| explain(&error))?;
        stream.play().map_err(|error| explain(&error))?;
        Ok(Microphone { samples, failures, resampler, _stream: stream })
    }

    impl Source for Microphone {
        fn read(&mut self) -> Result<Vec<f32>, String> {
            if let Ok(error) = self.failures.try_recv() {
                return Err(explain(&error));
            }
            let ready = self.samples.slots();
            let chunk = self.samples.read_chunk(ready).map_err(|error| error.to_string())?;
            let (first, second) = chunk.as_slices();
            let samples = [first, second].concat();
            chunk.commit_all();
            self.resampler.push(&samples).map_err(|error| error.to_string())
        }
    }

    fn build(
        device: &cpal::Device,
        config: SupportedStreamConfig,
        ring: rtrb::Producer<f32>,
        report: SyncSender<cpal::Error>,
    ) -> Result<cpal::Stream, cpal::Error> {
        match config.sample_format() {
            SampleFormat::I8 => stream::<i8>(device, config, ring, report),
            SampleFormat::I16 => stream::<i16>(device, config, ring, report),
            SampleFormat::I24 => stream::<cpal::I24>(device, config, ring, report),
            SampleFormat::I32 => stream::<i32>(device, config, ring, report),
            SampleFormat::I64 => stream::<i64>(device, config, ring, report),
            SampleFormat::U8 => stream::<u8>(device, config, ring, report),
            SampleFormat::U16 => stream::<u16>(device, config, ring, report),
            SampleFormat::U24 => stream::<cpal::U24>(device, config, ring, report),
            SampleFormat::U32 => stream::<u32>(device, config, ring, report),
            SampleFormat::U64 => stream::<u64>(device, config, ring, report),
            SampleFormat::F32 => stream::<f32>(device, config, ring, report),
            SampleFormat::F64 => stream::<f64>(device, config, ring, report),
            _ => Err(cpal::Error::new(ErrorKind::UnsupportedConfig)),
        }
    }

    /// A stream whose callback mixes the channels into the ring: it neither waits nor allocates.
    fn stream<T: SizedSample>(
        device: &cpal::Device,
        config: SupportedStreamConfig,
        mut ring: rtrb::Producer<f32>,
        report: SyncSender<cpal::Error>,
    ) -> Result<cpal::Stream, cpal::Error>
    where
        f32: FromSample<T>,
    {
        let channels = usize::from(config.channels().max(1));
        let take = move |data: &[T], _: &cpal::InputCallbackInfo| {
            for frame in data.chunks_exact(channels) {
                let sum: f32 = frame.iter().map(|&sample| f32::from_sample_(sample)).sum();
                // A full ring means that nobody listens at the moment.
                let _ = ring.push(sum / channels as f32);
            }
        };
        let complain = move |error: cpal::Error| {
            // The device's thread calls this without end when the sound system dies: only the first is wanted.
            if !harmless(error.kind()) {
                let _ = report.try_send(error);
            }
        };
        device.build_input_stream(config.into(), take, complain, Some(SETUP_LIMIT))
    }

    /// Whether the stream goes on after such an error.
    fn harmless(kind: ErrorKind) -> bool {
        matches!(kind, ErrorKind::Xrun | ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged)
    }

    fn explain(error: &cpal::Error) -> String {
        match error.kind() {
            ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => "the microphone is not there".into(),
            ErrorKind::HostUnavailable => "the sound system is not running".into(),
            ErrorKind::DeviceBusy => "another program uses the microphone".into(),
            ErrorKind::PermissionDenied => "the system does not let this program use the microphone".into(),
            ErrorKind::UnsupportedConfig => "the microphone has a sound format that I do not know".into(),
            _ => format!("the microphone cannot be used ({error})"),
        }
    }
}
