//! Nothing is cut off, at any size.

use eframe::egui::accesskit::Role;

use super::*;

const SIZES: [[f32; 2]; 2] = [[1024.0, 768.0], [800.0, 480.0]];

/// Everything that has a place, but not the insides of a text field, which scroll.
fn placed<'a>(window: &'a Window) -> impl Iterator<Item = Node<'a>> {
    let all = nodes(window).into_iter();
    all.filter(|node| node.accesskit_node().has_bounds() && format!("{:?}", node.accesskit_node().role()) != "TextRun")
}

#[test]
fn nothing_is_cut_off_at_the_sides_at_any_size() {
    for (view_name, view) in fixtures::all() {
        for size in SIZES {
            for scale in [1.0, 2.0, 3.0] {
                let window = sized(with(view.clone(), |settings| settings.scale = scale), size);
                let whole = window.ctx.content_rect();
                assert!((whole.width() * scale - size[0]).abs() < 2.0, "the scale counts");
                for node in placed(&window) {
                    let rect = node.rect();
                    let inside = rect.left() >= -0.5 && rect.right() <= whole.right() + 0.5;
                    let what = format!("{view_name}, {size:?} at {scale}: {:?} {:?}", name(&node), rect);
                    assert!(inside, "{what}: outside of {whole:?}");
                }
            }
        }
    }
}

#[test]
fn whatever_can_be_pressed_is_large_enough() {
    for (view_name, view) in fixtures::all() {
        for scale in [1.0, 3.0] {
            let window = sized(with(view.clone(), |settings| settings.scale = scale), [800.0, 480.0]);
            let mut targets = 0;
            // A scroll bar is not the only way to scroll: keys and wheels do, and every control with the focus.
            let pressed =
                |node: &&Node<'_>| can(node, Action::Click) && node.accesskit_node().role() != Role::ScrollBar;
            for node in nodes(&window).iter().filter(pressed) {
                let size = node.rect().size();
                let large = size.x >= 47.9 && size.y >= 47.9;
                assert!(large, "{view_name} at {scale}: {:?} is {size:?}", name(node));
                targets += 1;
            }
            assert!(targets >= 6, "{view_name}: the screens at least");
        }
    }
}

#[test]
fn everything_can_be_scrolled_to() {
    for (view_name, view) in fixtures::all() {
        for scale in [1.0, 3.0] {
            let mut window = sized(with(view.clone(), |settings| settings.scale = scale), [800.0, 480.0]);
            let targets: Vec<_> = nodes(&window).iter().filter(|n| can(n, Action::Focus)).map(name).collect();
            // The first, the last and some between; each is scrolled to when it gets the focus.
            for target in targets.iter().step_by(targets.len().div_ceil(4)).chain(targets.last()) {
                window.get_all_by_label(target).next().expect("it is there").focus();
                window.run();
                let whole = window.ctx.content_rect().expand(1.0);
                let rect = window.get_all_by_label(target).next().expect("it is there").rect();
                let seen = whole.intersect(rect);
                let enough = seen.height() >= rect.height().min(whole.height() * 0.5) - 1.0;
                assert!(seen.is_positive() && enough, "{view_name} at {scale}: {target:?} at {rect:?} in {whole:?}");
            }
        }
    }
}

#[test]
fn the_row_that_is_spoken_is_scrolled_into_sight() {
    let mut window = window(fixtures::long());
    for row in [41, 0, 59, 20] {
        window.state_mut().view.row = Some(row);
        window.run();
        let current = window.get_by(|node| node.is_selected() == Some(true) && node.description().is_some());
        let rect = current.rect();
        let height = window.ctx.content_rect().height();
        assert!(rect.top() > 60.0 && rect.bottom() < height - 40.0, "row {row} at {rect:?} of {height}");
        assert!(name(&current).starts_with(&format!("{}.", row + 1)), "{:?}", name(&current));
    }
}
