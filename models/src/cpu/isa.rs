//! Which instruction set the kernels use, chosen once per process.

use std::sync::OnceLock;

/// An instruction set the kernels are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// What every CPU of the target has: SSE2 on x86, NEON on 64-bit ARM, through the compiler's own vectorizer.
    Portable,
    /// x86 with AVX2 and FMA (most since 2013).
    Avx2,
    /// AVX2 with the 8-bit dot product of laptop CPUs since 2021.
    AvxVnni,
    /// AVX-512 with VNNI.
    Avx512Vnni,
}

impl Isa {
    const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::AvxVnni, Self::Avx512Vnni];

    /// The name `SIGHTREAD_ISA` knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avx-vnni",
            Self::Avx512Vnni => "avx512-vnni",
        }
    }

    /// All that this machine can run, slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|isa| isa.is_available())
    }

    /// The fastest one this machine has, or the one the environment variable `SIGHTREAD_ISA` names if it can run here.
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<Isa> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let wanted = std::env::var("SIGHTREAD_ISA").ok();
            let named = Self::available().find(|isa| Some(isa.name()) == wanted.as_deref());
            named.or(Self::available().last()).unwrap_or(Self::Portable)
        })
    }

    fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => Self::Avx2.is_available() && is_x86_feature_detected!("avxvnni"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }
}
