# Sourced by ./run and ./test: installs what is missing on Debian and its relatives. Nothing is touched when all is there.

# need PACKAGE…: installs those of the Debian packages that are missing.
need() {
    command -v dpkg-query >/dev/null 2>&1 || return 0 # another distribution: its own package manager knows better
    missing=""
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    sudo=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || { echo "Please install these packages, then start again:$missing" >&2; return 1; }
        sudo=sudo
    fi
    echo "Installing:$missing" >&2
    $sudo apt-get -o DPkg::Lock::Timeout=300 update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $missing >&2
}

# need_build_packages: what the program is built from, besides Rust: ALSA for the microphone, speech-dispatcher for the voice.
need_build_packages() {
    need gcc libc6-dev pkg-config libasound2-dev libspeechd-dev libclang-dev clang
}

# need_desk_packages: a microphone, a loudspeaker and a voice without hardware.
need_desk_packages() {
    need python3 pulseaudio pulseaudio-utils libasound2-plugins speech-dispatcher speech-dispatcher-espeak-ng \
        speech-dispatcher-audio-plugins espeak-ng flite
}

# need_screen_packages: a screen without a monitor, keys, pictures of it, and the accessibility bus; what a window needs.
need_screen_packages() {
    need python3 xvfb xdotool imagemagick dbus at-spi2-core libglib2.0-bin python3-pyatspi gir1.2-atspi-2.0 orca \
        libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon0 libxkbcommon-x11-0 libgl1 libgl1-mesa-dri
}

# need_rust: says where to get Rust when cargo is not there.
need_rust() {
    command -v cargo >/dev/null 2>&1 && return 0
    [ -f "$HOME/.cargo/env" ] && . "$HOME/.cargo/env"
    command -v cargo >/dev/null 2>&1 || { echo "Rust 1.95 or newer is needed: see rustup.rs, then start again." >&2; return 1; }
}
