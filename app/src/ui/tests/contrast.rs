//! Every text that is painted stands out from what is painted behind it.

use eframe::egui::epaint::{ClippedShape, TextShape};
use eframe::egui::{Color32, Rect, Shape};

use super::super::theme::contrast;
use super::*;

/// Texts with their colour and the colour behind them.
fn texts(shapes: &[ClippedShape]) -> Vec<(String, Color32, Color32)> {
    let mut grounds: Vec<(Rect, Color32)> = vec![];
    let mut found = vec![];
    for ClippedShape { clip_rect, shape, .. } in shapes {
        let mut flat = vec![];
        flatten(shape, &mut flat);
        for shape in flat {
            match shape {
                Shape::Rect(rect) if rect.fill.a() == 255 => grounds.push((rect.rect.intersect(*clip_rect), rect.fill)),
                Shape::Text(text) => found.extend(colours(text, *clip_rect, &grounds)),
                _ => {}
            }
        }
    }
    found
}

fn flatten<'a>(shape: &'a Shape, out: &mut Vec<&'a Shape>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| flatten(shape, out)),
        shape => out.push(shape),
    }
}

fn colours(text: &TextShape, clip: Rect, grounds: &[(Rect, Color32)]) -> Vec<(String, Color32, Color32)> {
    let seen = text.galley.rect.translate(text.pos.to_vec2()).intersect(clip);
    if !seen.is_positive() || text.galley.is_empty() {
        return vec![];
    }
    let behind = grounds.iter().rev().find(|(rect, _)| rect.contains(seen.center()));
    let behind = behind.expect("text is painted on something").1;
    let colour = |own: Color32| match text.override_text_color {
        Some(colour) => colour,
        None if own == Color32::PLACEHOLDER => text.fallback_color,
        None => own,
    };
    let sections = text.galley.job.sections.iter();
    sections.map(|section| (text.galley.text().to_string(), colour(section.format.color), behind)).collect()
}

#[test]
fn every_text_has_a_contrast_of_seven_to_one() {
    let mut seen = 0;
    for (view_name, view) in fixtures::all() {
        for theme in [Theme::Light, Theme::Dark, Theme::HighContrast] {
            let mut window = window(with(view.clone(), |settings| settings.theme = theme));
            let look = |window: &Window, state: &str| {
                let texts = texts(&window.output().shapes);
                for (text, colour, behind) in &texts {
                    let ratio = contrast(*colour, *behind);
                    assert!(
                        ratio >= 7.0,
                        "{view_name}, {theme:?}, {state}: {text:?} {colour:?} on {behind:?}: {ratio}"
                    );
                    assert_eq!(colour.a(), 255, "{text:?} is not faded");
                }
                texts.len()
            };
            seen += look(&window, "at rest");
            let targets: Vec<_> = nodes(&window).iter().filter(|node| can(node, Action::Click)).map(name).collect();
            let Some(target) = targets.get(targets.len() / 2) else { continue };
            window.get_all_by_label(target).next().expect("it is there").focus();
            window.run();
            look(&window, "with the focus on a control");
            window.get_all_by_label(target).next().expect("it is there").hover();
            window.run();
            look(&window, "under the mouse");
        }
    }
    assert!(seen > 500, "only {seen} texts were seen");
}

#[test]
fn what_is_typed_and_the_hint_before_it_stand_out() {
    for theme in [Theme::Light, Theme::Dark, Theme::HighContrast] {
        let mut window = window(with(fixtures::read(), |settings| settings.theme = theme));
        let ratio_of = |window: &Window, part: &str| {
            let texts = texts(&window.output().shapes);
            let (_, colour, behind) = texts.iter().find(|(text, ..)| text.contains(part)).expect("the text is painted");
            contrast(*colour, *behind)
        };
        window.get_by_label("Your question").focus();
        window.run();
        assert!(ratio_of(&window, "What is the total?") >= 7.0);
        window.event(Event::Text("When?".into()));
        window.run();
        assert!(ratio_of(&window, "When?") >= 7.0);
    }
}

#[test]
fn the_theme_of_the_system_is_followed() {
    let mut window = window(fixtures::ready());
    for (system, page) in [
        (eframe::egui::Theme::Light, super::super::theme::LIGHT.page),
        (eframe::egui::Theme::Dark, super::super::theme::DARK.page),
    ] {
        window.input_mut().system_theme = Some(system);
        window.run();
        assert_eq!(window.ctx.global_style().visuals.panel_fill, page);
    }
}
