//! Colours and sizes: three palettes whose texts have a contrast of 7 to 1 or more, large type, thick focus.

use std::sync::Arc;

use eframe::egui::style::{ScrollStyle, Selection, TextCursorStyle, WidgetVisuals, Widgets};
use eframe::egui::{
    Color32, Context, CornerRadius, FontFamily, FontId, Shadow, Stroke, Style, TextStyle, Theme as Base,
    ThemePreference, Visuals, vec2,
};

use crate::settings::Theme;

/// The smallest text: 18 points of print, which are 24 pixels at the usual 96 dots per inch.
pub const TEXT: f32 = 24.0;
/// A screen's title.
pub const TITLE: f32 = 34.0;
/// Each side of what can be pressed is at least as long.
pub const TARGET: f32 = 48.0;

/// The colours of a theme.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Palette {
    /// Behind everything.
    pub page: Color32,
    /// Text on the page.
    pub text: Color32,
    /// Text that explains.
    pub weak: Color32,
    /// Behind what is typed.
    pub field: Color32,
    /// A button.
    pub button: Color32,
    /// Text on a button, however it is touched.
    pub button_text: Color32,
    /// A button under the mouse.
    pub hover: Color32,
    /// A button that is pressed or has the focus.
    pub press: Color32,
    /// Edges of whatever can be pressed or typed into.
    pub border: Color32,
    /// Width of these edges.
    pub border_width: f32,
    /// What is switched on or chosen.
    pub chosen: Color32,
    /// Text on that.
    pub chosen_text: Color32,
    /// The ring around what has the focus.
    pub focus: Color32,
    /// Width of the ring.
    pub focus_width: f32,
    /// Behind the row that is spoken.
    pub mark: Color32,
    /// Text on that.
    pub mark_text: Color32,
    /// Doubts and hints.
    pub warn: Color32,
    /// What went wrong.
    pub bad: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Dark on light.
pub const LIGHT: Palette = Palette {
    page: rgb(0xFBFAF7),
    text: rgb(0x14171C),
    weak: rgb(0x3D434D),
    field: rgb(0xFFFFFF),
    button: rgb(0xE3E8F0),
    button_text: rgb(0x10233F),
    hover: rgb(0xCBD6E6),
    press: rgb(0xB4C4DC),
    border: rgb(0x5A6779),
    border_width: 2.0,
    chosen: rgb(0x0B3A75),
    chosen_text: rgb(0xFFFFFF),
    focus: rgb(0xB0005A),
    focus_width: 5.0,
    mark: rgb(0xFFE27A),
    mark_text: rgb(0x14171C),
    warn: rgb(0x7A2B00),
    bad: rgb(0x8F0A1C),
};

/// Light on dark.
pub const DARK: Palette = Palette {
    page: rgb(0x14171C),
    text: rgb(0xF1F3F6),
    weak: rgb(0xC3CAD5),
    field: rgb(0x0B0D10),
    button: rgb(0x2A3441),
    button_text: rgb(0xFFFFFF),
    hover: rgb(0x384657),
    press: rgb(0x1C3A5E),
    border: rgb(0x8B9DB5),
    border_width: 2.0,
    chosen: rgb(0xB9D6FF),
    chosen_text: rgb(0x0A2240),
    focus: rgb(0xFFC53D),
    focus_width: 5.0,
    mark: rgb(0xFFD95E),
    mark_text: rgb(0x14171C),
    warn: rgb(0xFFC58A),
    bad: rgb(0xFFB3B3),
};

/// White and yellow on black, thick lines.
pub const HIGH_CONTRAST: Palette = Palette {
    page: rgb(0x000000),
    text: rgb(0xFFFFFF),
    weak: rgb(0xFFFFFF),
    field: rgb(0x000000),
    button: rgb(0x000000),
    button_text: rgb(0xFFFF00),
    hover: rgb(0x1C1C00),
    press: rgb(0x333300),
    border: rgb(0xFFFFFF),
    border_width: 3.0,
    chosen: rgb(0xFFFF00),
    chosen_text: rgb(0x000000),
    focus: rgb(0x00FFFF),
    focus_width: 6.0,
    mark: rgb(0xFFFF00),
    mark_text: rgb(0x000000),
    warn: rgb(0xFFFF00),
    bad: rgb(0xFFC7C7),
};

impl Palette {
    /// The palette that is drawn with now.
    pub fn of(ctx: &Context, theme: Theme) -> Self {
        match (theme, ctx.theme()) {
            (Theme::HighContrast, _) => HIGH_CONTRAST,
            (_, Base::Light) => LIGHT,
            (_, Base::Dark) => DARK,
        }
    }
}

/// Dresses the whole window; returns the palette. Does nothing where `worn` says that it is dressed so.
pub(super) fn apply(ctx: &Context, theme: Theme, worn: &mut Option<Theme>) -> Palette {
    if *worn != Some(theme) {
        *worn = Some(theme);
        let dark = if theme == Theme::HighContrast { HIGH_CONTRAST } else { DARK };
        ctx.set_style_of(Base::Light, Arc::new(style(&LIGHT, false)));
        ctx.set_style_of(Base::Dark, Arc::new(style(&dark, true)));
        ctx.set_theme(match theme {
            Theme::System => ThemePreference::System,
            Theme::Light => ThemePreference::Light,
            Theme::Dark | Theme::HighContrast => ThemePreference::Dark,
        });
    }
    Palette::of(ctx, theme)
}

/// How egui's own widgets look.
fn style(palette: &Palette, dark: bool) -> Style {
    let mut style = Style { visuals: visuals(palette, dark), ..Style::default() };
    let font = |size| FontId::new(size, FontFamily::Proportional);
    style.text_styles = [
        (TextStyle::Small, font(TEXT)),
        (TextStyle::Body, font(TEXT)),
        (TextStyle::Button, font(TEXT)),
        (TextStyle::Heading, font(TITLE)),
        (TextStyle::Monospace, FontId::new(TEXT, FontFamily::Monospace)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(10.0, 10.0);
    spacing.button_padding = vec2(14.0, 9.0);
    spacing.interact_size = vec2(TARGET, TARGET);
    spacing.icon_width = 30.0;
    spacing.icon_width_inner = 18.0;
    spacing.icon_spacing = 12.0;
    spacing.scroll = ScrollStyle { bar_width: 16.0, handle_min_length: TARGET, ..ScrollStyle::solid() };
    spacing.scroll.foreground_color = true;
    // Fading would take contrast away.
    spacing.scroll.fade.strength = 0.0;
    // Nothing moves by itself: it costs time, and some people cannot bear it.
    style.animation_time = 0.0;
    // Text that can be selected is a target for screen readers, which it should not be; there are keys to copy it.
    style.interaction.selectable_labels = false;
    style.scroll_animation = eframe::egui::style::ScrollAnimation::none();
    style
}

fn visuals(palette: &Palette, dark: bool) -> Visuals {
    let base = if dark { Visuals::dark() } else { Visuals::light() };
    let widget = |fill, text| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(palette.border_width, palette.border),
        fg_stroke: Stroke::new(2.0, text),
        corner_radius: CornerRadius::same(8),
        expansion: 0.0,
    };
    Visuals {
        widgets: Widgets {
            noninteractive: widget(palette.page, palette.text),
            inactive: widget(palette.button, palette.button_text),
            hovered: widget(palette.hover, palette.button_text),
            active: widget(palette.press, palette.button_text),
            open: widget(palette.press, palette.button_text),
        },
        selection: Selection {
            bg_fill: palette.chosen,
            stroke: Stroke::new(palette.border_width, palette.chosen_text),
        },
        text_cursor: TextCursorStyle {
            stroke: Stroke::new(3.0, palette.text),
            // A window that waits draws nothing.
            blink: false,
            ..TextCursorStyle::default()
        },
        weak_text_color: Some(palette.weak),
        hyperlink_color: palette.text,
        faint_bg_color: palette.page,
        extreme_bg_color: palette.field,
        code_bg_color: palette.page,
        warn_fg_color: palette.warn,
        error_fg_color: palette.bad,
        window_fill: palette.page,
        window_stroke: Stroke::new(palette.border_width, palette.border),
        window_shadow: Shadow::NONE,
        panel_fill: palette.page,
        popup_shadow: Shadow::NONE,
        // Nothing is greyed out; what cannot be done now says why when it is pressed.
        disabled_alpha: 1.0,
        ..base
    }
}

/// The contrast of two colours by WCAG 2: 1 for equal ones, 21 for black and white.
pub fn contrast(a: Color32, b: Color32) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Color32) -> f32 {
    let linear = |byte: u8| {
        let c = f32::from(byte) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast(Color32::BLACK, Color32::WHITE) - 21.0).abs() < 0.01);
        assert!((contrast(rgb(0x777777), Color32::WHITE) - 4.48).abs() < 0.01);
        assert_eq!(contrast(rgb(0x123456), rgb(0x123456)), 1.0);
    }

    #[test]
    fn edges_and_the_focus_ring_stand_out_from_what_is_beside_them() {
        for palette in [LIGHT, DARK, HIGH_CONTRAST] {
            for beside in [palette.page, palette.field, palette.button, palette.hover, palette.press] {
                let border = contrast(palette.border, beside);
                assert!(border >= 3.0, "{:?} on {beside:?}: {border}", palette.border);
            }
            // The ring has the page on both sides.
            assert!(contrast(palette.focus, palette.page) >= 3.0);
            assert!(contrast(palette.chosen, palette.button) >= 3.0, "chosen and not chosen differ");
            assert!(palette.focus_width >= 4.0);
        }
    }
}
