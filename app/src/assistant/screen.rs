//! The screens of the program. Each can be opened by key, button, voice and the command line.

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum Screen {
    /// Camera, text and questions.
    #[default]
    Reader,
    /// What was read and asked before.
    History,
    /// Models on this machine.
    Models,
    /// What can be chosen.
    Settings,
    /// The first-run check.
    SetUp,
    /// Keys and spoken commands.
    Help,
}

impl Screen {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::Reader, Self::History, Self::Models, Self::Settings, Self::SetUp, Self::Help];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "Reader",
            Self::History => "History",
            Self::Models => "Models",
            Self::Settings => "Settings",
            Self::SetUp => "Set-up",
            Self::Help => "Help",
        }
    }
}
