//! Pictures in the window: a texture no larger than it is drawn, renewed at most ten times a second, and text outlined.

use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{
    Color32, ColorImage, Context, Rect, Response, Role, Sense, Shape, TextureHandle, TextureOptions, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};
use image::RgbImage;

use super::widgets::outline;
use crate::reading::Quad;

/// Seconds between two uploads of a picture that keeps changing.
const RENEW: f64 = 0.1;
/// The whole picture in texture coordinates.
const WHOLE: Rect = Rect { min: pos2(0.0, 0.0), max: pos2(1.0, 1.0) };

/// A picture on the graphics card.
#[derive(Default)]
pub struct Texture {
    picture: Option<Arc<RgbImage>>,
    handle: Option<TextureHandle>,
    size: [u32; 2],
    at: f64,
}

impl Texture {
    /// The texture of `picture` for that many pixels of the screen.
    fn of(&mut self, ctx: &Context, picture: &Arc<RgbImage>, pixels: Vec2) -> Option<&TextureHandle> {
        let size = no_larger(picture.dimensions().into(), pixels);
        let same = self.picture.as_ref().is_some_and(|had| Arc::ptr_eq(had, picture)) && self.size == size;
        let now = ctx.input(|input| input.time);
        let wait = self.at + RENEW - now;
        if same {
            return self.handle.as_ref();
        }
        if self.handle.is_some() && wait > 0.0 {
            ctx.request_repaint_after(Duration::from_secs_f64(wait));
            return self.handle.as_ref();
        }
        let image = pixels_of(picture, size);
        match &mut self.handle {
            Some(handle) => handle.set(image, TextureOptions::LINEAR),
            none => *none = Some(ctx.load_texture("picture", image, TextureOptions::LINEAR)),
        }
        (self.picture, self.size, self.at) = (Some(picture.clone()), size, now);
        self.handle.as_ref()
    }
}

/// The size of a picture that is drawn on `pixels`, its shape kept, never enlarged.
fn no_larger([width, height]: [u32; 2], pixels: Vec2) -> [u32; 2] {
    let scale = (pixels.x / width.max(1) as f32).min(pixels.y / height.max(1) as f32).min(1.0);
    [width, height].map(|side| ((side as f32 * scale).round() as u32).max(1))
}

fn pixels_of(picture: &RgbImage, size: [u32; 2]) -> ColorImage {
    let [width, height] = size.map(|side| side as usize);
    if picture.dimensions() == (size[0], size[1]) {
        return ColorImage::from_rgb([width, height], picture.as_raw());
    }
    let small = image::imageops::thumbnail(picture, size[0], size[1]);
    ColorImage::from_rgb([width, height], small.as_raw())
}

/// A line of text in a picture.
pub(super) struct Outline<'a> {
    pub(super) quad: &'a Quad,
    pub(super) colour: Color32,
    /// It is being spoken: its inside is tinted too.
    pub(super) filled: bool,
}

/// Draws a picture as large as `room` allows, with lines of text in it; screen readers hear `name`.
pub(super) fn show<'a>(
    ui: &mut Ui,
    texture: &mut Texture,
    picture: &Arc<RgbImage>,
    room: Vec2,
    name: &str,
    outlines: impl IntoIterator<Item = Outline<'a>>,
) -> Response {
    let (width, height) = picture.dimensions();
    let whole = vec2(width.max(1) as f32, height.max(1) as f32);
    let scale = (room.x / whole.x).min(room.y / whole.y).max(0.0);
    let (rect, response) = ui.allocate_exact_size(whole * scale, Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    if ui.is_rect_visible(rect) && rect.is_positive() {
        let pixels = rect.size() * ui.ctx().pixels_per_point();
        if let Some(handle) = texture.of(ui.ctx(), picture, pixels) {
            ui.painter().image(handle.id(), rect, WHOLE, Color32::WHITE);
        }
        let painter = ui.painter_at(rect);
        for line in outlines {
            let corners = line.quad.0.map(|p| [rect.min.x + p.x * scale, rect.min.y + p.y * scale]);
            if line.filled {
                let inside = corners.map(|[x, y]| pos2(x, y)).to_vec();
                painter.add(Shape::convex_polygon(
                    inside,
                    line.colour.gamma_multiply(0.35),
                    eframe::egui::Stroke::NONE,
                ));
            }
            painter.extend(outline(corners, line.colour, if line.filled { 4.0 } else { 2.0 }));
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_texture_is_no_larger_than_it_is_drawn_nor_than_its_picture() {
        assert_eq!(no_larger([1600, 1200], vec2(400.0, 400.0)), [400, 300]);
        assert_eq!(no_larger([100, 50], vec2(400.0, 400.0)), [100, 50]);
        assert_eq!(no_larger([0, 0], vec2(400.0, 0.0)), [1, 1]);
        let picture = RgbImage::from_pixel(40, 20, image::Rgb([10, 200, 30]));
        let image = pixels_of(&picture, [4, 2]);
        assert_eq!((image.size, image.pixels[0]), ([4, 2], Color32::from_rgb(10, 200, 30)));
    }

    #[test]
    fn a_moving_picture_is_uploaded_ten_times_a_second_and_a_still_one_once() {
        let ctx = Context::default();
        let mut texture = Texture::default();
        let frame = || Arc::new(RgbImage::new(8, 8));
        let mut uploads = 0;
        let still = frame();
        for step in 0..100 {
            let input = eframe::egui::RawInput { time: Some(f64::from(step) * 0.02), ..Default::default() };
            let output = ctx.run_ui(input, |ui| {
                let picture = if step < 50 { frame() } else { still.clone() };
                texture.of(ui.ctx(), &picture, vec2(8.0, 8.0));
            });
            let id = texture.handle.as_ref().map(TextureHandle::id);
            uploads += id.and_then(|id| output.textures_delta.set.get(&id)).map_or(0, |deltas| deltas.len());
            output.drop_without_applying_deltas();
        }
        assert!((10..=12).contains(&uploads), "{uploads} uploads in one second of movement and one of rest");
    }
}
