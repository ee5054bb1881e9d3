//! The few controls of which every screen is made: large, named for screen readers, in sight once they have the focus.

use eframe::egui::accesskit::{Orientation, Role};
use eframe::egui::{
    Align2, Color32, CornerRadius, Frame, Galley, Id, Label, LayerId, Margin, Order, Rect, Response, RichText, Sense,
    Shape, Stroke, StrokeKind, TextEdit, TextStyle, TextWrapMode, Ui, UiBuilder, Widget, WidgetInfo, WidgetText, pos2,
    vec2,
};
use std::sync::Arc;

use super::theme::{Palette, TARGET};

/// A control that scrolls itself into sight when it gets the focus.
pub(super) fn in_sight(response: Response) -> Response {
    if response.gained_focus() {
        response.scroll_to_me(None);
    }
    response
}

/// A button, a toggle, a choice or a tab.
pub(super) struct Button {
    text: String,
    name: Option<String>,
    role: Role,
    on: Option<bool>,
    height: f32,
    width: Option<f32>,
}

impl Button {
    /// A button that does something.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), name: None, role: Role::Button, on: None, height: TARGET, width: None }
    }

    /// A button that stays down while something is on.
    pub(super) fn toggle(text: impl Into<String>, on: bool) -> Self {
        Self { on: Some(on), ..Self::new(text) }
    }

    /// One of several, of which one holds.
    pub(super) fn choice(text: impl Into<String>, on: bool) -> Self {
        Self { on: Some(on), role: Role::RadioButton, ..Self::new(text) }
    }

    /// A screen.
    pub(super) fn tab(text: impl Into<String>, on: bool) -> Self {
        Self { on: Some(on), role: Role::Tab, ..Self::new(text) }
    }

    /// A longer name for those who do not see what stands around it; the text should be its beginning.
    pub(super) fn named(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// One of the buttons that are used most.
    pub(super) fn large(self) -> Self {
        Self { height: 1.5 * TARGET, ..self }
    }

    fn padding(ui: &Ui) -> f32 {
        ui.spacing().button_padding.x
    }

    /// How wide it is when its text stands in one line.
    fn natural_width(&self, ui: &Ui) -> f32 {
        let text = layout(ui, &self.text, f32::INFINITY);
        (text.size().x.ceil() + 2.0 * Self::padding(ui)).max(TARGET)
    }
}

fn layout(ui: &Ui, text: &str, width: f32) -> Arc<Galley> {
    let mode = if width.is_finite() { TextWrapMode::Wrap } else { TextWrapMode::Extend };
    WidgetText::from(text).into_galley(ui, Some(mode), width, TextStyle::Button)
}

impl Widget for Button {
    fn ui(self, ui: &mut Ui) -> Response {
        let room = ui.available_width();
        let padding = ui.spacing().button_padding;
        let width = self.width.unwrap_or_else(|| self.natural_width(ui)).min(room);
        let text = layout(ui, &self.text, (width - 2.0 * padding.x).max(1.0));
        let size = vec2(width, (text.size().y + 2.0 * padding.y).max(self.height));
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let on = self.on.unwrap_or_default();
        if ui.is_rect_visible(rect) {
            let look = ui.style().interact_selectable(&response, on);
            ui.painter().rect(rect, look.corner_radius, look.weak_bg_fill, look.bg_stroke, StrokeKind::Inside);
            let at = Align2::CENTER_CENTER.align_size_within_rect(text.size(), rect).min;
            ui.painter().galley(at, text, look.fg_stroke.color);
        }
        let name = self.name.unwrap_or(self.text);
        response.widget_info(|| match self.on {
            Some(on) if self.role != Role::Tab => WidgetInfo::selected(self.role, true, on, &name),
            _ => WidgetInfo::labeled(self.role, true, &name),
        });
        if self.role == Role::Tab {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(on));
        }
        in_sight(response)
    }
}

/// Buttons side by side, as many in a row as there is room for.
pub(super) fn flow(ui: &mut Ui, buttons: Vec<Button>) -> Vec<Response> {
    let room = ui.available_width();
    let gap = ui.spacing().item_spacing.x;
    let mut rows: Vec<Vec<(Button, f32)>> = vec![];
    let mut used = f32::INFINITY;
    for button in buttons {
        let width = button.natural_width(ui).min(room);
        if used + gap + width > room {
            rows.push(vec![]);
            used = -gap;
        }
        used += gap + width;
        if let Some(row) = rows.last_mut() {
            row.push((button, width));
        }
    }
    let mut responses = vec![];
    for row in rows {
        let taken: f32 = row.iter().map(|(_, width)| width + gap).sum::<f32>() - gap;
        // A row that is nearly full is filled, so that edges meet.
        let more = ((room - taken) / row.len() as f32).clamp(0.0, 60.0).floor();
        ui.horizontal(|ui| {
            for (button, width) in row {
                responses.push(ui.add(Button { width: Some(width + more), ..button }));
            }
        });
    }
    responses
}

/// A group that screen readers name.
pub(super) fn group<R>(ui: &mut Ui, role: Role, name: &str, contents: impl FnOnce(&mut Ui) -> R) -> R {
    ui.scope_builder(UiBuilder::new().accessibility_role(role).accessibility_label(name), contents).inner
}

/// Choices of which one holds, with a heading; the one that was pressed.
pub(super) fn choices<T: Copy + PartialEq>(ui: &mut Ui, name: &str, all: &[(T, &str)], now: T) -> Option<T> {
    subheading(ui, name);
    group(ui, Role::RadioGroup, name, |ui| {
        let buttons = all.iter().map(|(value, text)| Button::choice(*text, *value == now)).collect();
        let pressed = flow(ui, buttons).iter().position(Response::clicked)?;
        Some(all.get(pressed)?.0)
    })
}

/// The title of a screen. It can have the focus, so that a screen reader begins with it.
pub(super) fn title(ui: &mut Ui, text: &str) -> Response {
    let label = Label::new(RichText::new(text).heading()).wrap().sense(Sense::focusable_noninteractive());
    let response = ui.add(label);
    as_heading(ui, &response, text, 1);
    in_sight(response)
}

/// The heading of a part of a screen.
pub(super) fn subheading(ui: &mut Ui, text: &str) {
    ui.add_space(8.0);
    let response = ui.add(Label::new(RichText::new(text).strong().underline()).wrap());
    as_heading(ui, &response, text, 2);
}

fn as_heading(ui: &Ui, response: &Response, text: &str, level: usize) {
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Heading);
        node.clear_value();
        node.set_label(text);
        node.set_level(level);
    });
}

/// Text over as many lines as it needs.
pub(super) fn text(ui: &mut Ui, text: impl Into<String>) -> Response {
    ui.add(Label::new(text.into()).wrap())
}

/// Text in a colour of its own; the colour says nothing that the words do not.
pub(super) fn coloured(ui: &mut Ui, colour: Color32, text: impl Into<String>) -> Response {
    ui.add(Label::new(RichText::new(text.into()).color(colour)).wrap())
}

/// A row of a list.
#[derive(Debug, Clone, Default)]
pub(super) struct Item<'a> {
    /// The words.
    pub(super) text: &'a str,
    /// It is the one that matters now, and why, for screen readers.
    pub(super) current: Option<&'a str>,
    /// What is to be kept in mind with it.
    pub(super) note: Option<&'a str>,
}

/// Shows a row of a list; screen readers find one item with its words and its note.
pub(super) fn item(ui: &mut Ui, palette: &Palette, item: &Item<'_>) -> Response {
    let pad = vec2(12.0, 6.0);
    let room = ui.available_width();
    let inner = (room - 2.0 * pad.x).max(1.0);
    let text = layout(ui, item.text, inner);
    let note = item.note.map(|note| layout(ui, note, inner));
    let note_height = note.as_ref().map_or(0.0, |note| note.size().y);
    let size = vec2(room, text.size().y + note_height + 2.0 * pad.y);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    if ui.is_rect_visible(rect) {
        let (words, doubt) = match item.current {
            Some(_) => (palette.mark_text, palette.mark_text),
            None => (palette.text, palette.warn),
        };
        if item.current.is_some() {
            let edge = Stroke::new(palette.border_width + 1.0, palette.border);
            ui.painter().rect(rect, CornerRadius::same(6), palette.mark, edge, StrokeKind::Inside);
        }
        let at = rect.min + pad;
        let below = at + vec2(0.0, text.size().y);
        ui.painter().galley(at, text, words);
        if let Some(note) = note {
            ui.painter().galley(below, note, doubt);
        }
    }
    let name = item.note.map_or_else(|| item.text.to_string(), |note| format!("{}. {note}", item.text));
    response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_selected(item.current.is_some());
        if let Some(why) = item.current {
            node.set_description(why);
        }
    });
    response
}

/// A field for one line of text, below its name.
pub(super) fn field(ui: &mut Ui, name: &str, value: &mut String, hint: &str) -> Response {
    let label = text(ui, name);
    let edit = TextEdit::singleline(value)
        .id_salt(name)
        .desired_width(f32::INFINITY)
        .min_size(vec2(0.0, TARGET))
        .hint_text(hint)
        .margin(Margin::symmetric(12, 10));
    in_sight(ui.add(edit).labelled_by(label.id))
}

/// Whether what stands in a field was finished with Enter.
pub(super) fn entered(response: &Response) -> bool {
    response.lost_focus() && response.ctx.input(|input| input.key_pressed(eframe::egui::Key::Enter))
}

/// A switch with its explanation.
pub(super) fn switch(ui: &mut Ui, on: &mut bool, name: &str) -> bool {
    in_sight(ui.checkbox(on, name)).clicked()
}

/// How far something is, as a bar and in words.
pub(super) fn progress(ui: &mut Ui, palette: &Palette, name: &str, share: Option<f32>, words: &str) {
    let size = vec2(ui.available_width(), 28.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let edge = Stroke::new(palette.border_width, palette.border);
    let round = CornerRadius::same(6);
    ui.painter().rect(rect, round, palette.field, edge, StrokeKind::Inside);
    if let Some(share) = share {
        let inner = rect.shrink(palette.border_width + 2.0);
        let done = Rect::from_min_size(inner.min, vec2(inner.width() * share.clamp(0.0, 1.0), inner.height()));
        ui.painter().rect_filled(done, round, palette.chosen);
    }
    response.widget_info(|| WidgetInfo::labeled(Role::ProgressIndicator, true, name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_orientation(Orientation::Horizontal);
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(100.0);
        if let Some(share) = share {
            node.set_numeric_value(f64::from((share.clamp(0.0, 1.0) * 100.0).round()));
        }
    });
    text(ui, words);
}

/// A box around what belongs together.
pub(super) fn card<R>(ui: &mut Ui, palette: &Palette, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let frame = Frame::new()
        .inner_margin(Margin::same(12))
        .corner_radius(CornerRadius::same(8))
        .stroke(Stroke::new(palette.border_width, palette.border));
    let response = frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        contents(ui)
    });
    response.inner
}

/// The ring around what has the focus, above everything.
pub(super) fn focus_ring(ui: &Ui, palette: &Palette) {
    let ctx = ui.ctx();
    let Some(focused) = ctx.memory(|memory| memory.focused()).and_then(|id| ctx.read_response(id)) else { return };
    let seen = focused.interact_rect;
    if !seen.is_positive() {
        return;
    }
    let gap = palette.focus_width / 2.0 + 1.0;
    let window = ctx.content_rect().shrink(palette.focus_width / 2.0);
    let ring = seen.expand(gap).intersect(window);
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("focus ring")));
    let stroke = Stroke::new(palette.focus_width, palette.focus);
    painter.rect_stroke(ring, CornerRadius::same(10), stroke, StrokeKind::Middle);
}

/// A closed line around four corners, readable on any picture: the colour on a wider line of the opposite lightness.
pub(super) fn outline(corners: [[f32; 2]; 4], colour: Color32, width: f32) -> [Shape; 2] {
    let points = corners.map(|[x, y]| pos2(x, y)).to_vec();
    let under = if super::theme::contrast(colour, Color32::BLACK) > 4.5 { Color32::BLACK } else { Color32::WHITE };
    [
        Shape::closed_line(points.clone(), Stroke::new(width + 3.0, under)),
        Shape::closed_line(points, Stroke::new(width, colour)),
    ]
}
