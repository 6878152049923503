//! Draws what egui tessellates on the processor: pictures that are the same on every machine, and need no graphics driver.
//!
//! What a fragment shader of egui does, and nothing else: colours are multiplied and blended as they are, in gamma space.

use std::collections::HashMap;

use egui::epaint::{ImageData, ImageDelta, Mesh, Primitive, Vertex};
use egui::{Context, FullOutput, TextureFilter, TextureId, TexturesDelta};
use egui_kittest::TestRenderer;
use image::RgbaImage;

/// How far two pictures of one thing may be apart, for `SnapshotOptions::threshold`: some three of 256 shades. From run to run a
/// glyph lies elsewhere in its texture, and what is read there is rounded otherwise.
pub const SAME_PICTURE: f32 = 5.0;

/// Places on screen are rounded to this part of a pixel, so that triangles with a common edge neither overlap nor leave a gap.
const SUBPIXEL: f32 = 256.0;

/// A renderer for [`egui_kittest::HarnessBuilder::renderer`].
#[derive(Default)]
pub struct Raster {
    textures: HashMap<TextureId, Texture>,
}

struct Texture {
    size: [usize; 2],
    pixels: Vec<[f32; 4]>,
    filter: TextureFilter,
}

impl TestRenderer for Raster {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, deltas) in delta.set.drain() {
            for delta in deltas {
                self.set(id, &delta);
            }
        }
        // What is freed may still be in the picture of this frame, and a test is too short for it to matter.
        delta.free.clear();
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = ctx.pixels_per_point();
        let size = (ctx.content_rect().size() * scale).round();
        let mut canvas = Canvas::new(size.x as usize, size.y as usize);
        for primitive in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = &primitive.primitive else {
                return Err("a paint callback cannot be drawn without a graphics driver".to_owned());
            };
            let texture = self.textures.get(&mesh.texture_id).ok_or_else(|| format!("no texture is called {:?}", mesh.texture_id))?;
            canvas.clip = [
                (primitive.clip_rect.left() * scale).round().clamp(0.0, size.x) as usize,
                (primitive.clip_rect.top() * scale).round().clamp(0.0, size.y) as usize,
                (primitive.clip_rect.right() * scale).round().clamp(0.0, size.x) as usize,
                (primitive.clip_rect.bottom() * scale).round().clamp(0.0, size.y) as usize,
            ];
            canvas.mesh(mesh, texture, scale);
        }
        canvas.finish()
    }
}

impl Raster {
    fn set(&mut self, id: TextureId, delta: &ImageDelta) {
        let ImageData::Color(image) = &delta.image;
        let pixels = image.pixels.iter().map(|pixel| pixel.to_array().map(|part| f32::from(part) / 255.0));
        let Some([left, top]) = delta.pos else {
            self.textures.insert(id, Texture { size: image.size, pixels: pixels.collect(), filter: delta.options.magnification });
            return;
        };
        let Some(texture) = self.textures.get_mut(&id) else { return };
        let pixels: Vec<_> = pixels.collect();
        for (row, line) in pixels.chunks(image.size[0].max(1)).enumerate() {
            let at = (top + row) * texture.size[0] + left;
            texture.pixels[at..at + line.len()].copy_from_slice(line);
        }
    }
}

impl Texture {
    fn sample(&self, u: f32, v: f32) -> [f32; 4] {
        let [width, height] = self.size;
        let (x, y) = (u * width as f32, v * height as f32);
        let pixel = |x: f32, y: f32| {
            let at = |value: f32, most: usize| (value.max(0.0) as usize).min(most - 1);
            self.pixels[at(y, height) * width + at(x, width)]
        };
        if self.filter == TextureFilter::Nearest {
            return pixel(x.floor(), y.floor());
        }
        let (left, top) = ((x - 0.5).floor(), (y - 0.5).floor());
        let (right, down) = (x - 0.5 - left, y - 0.5 - top);
        let upper = mix(pixel(left, top), pixel(left + 1.0, top), right);
        let lower = mix(pixel(left, top + 1.0), pixel(left + 1.0, top + 1.0), right);
        mix(upper, lower, down)
    }
}

fn mix(a: [f32; 4], b: [f32; 4], part: f32) -> [f32; 4] {
    std::array::from_fn(|index| (b[index] - a[index]).mul_add(part, a[index]))
}

/// A corner of a triangle: place in parts of a pixel, place in the texture, premultiplied colour.
#[derive(Clone, Copy)]
struct Corner {
    at: [i64; 2],
    uv: [f32; 2],
    color: [f32; 4],
}

impl Corner {
    fn of(vertex: &Vertex, scale: f32) -> Self {
        let at = |value: f32| (value * scale * SUBPIXEL).round().clamp(-1e9, 1e9) as i64;
        Self {
            at: [at(vertex.pos.x), at(vertex.pos.y)],
            uv: [vertex.uv.x, vertex.uv.y],
            color: vertex.color.to_array().map(|part| f32::from(part) / 255.0),
        }
    }

    /// Everything but its place, to the bit.
    fn look(&self) -> ([u32; 2], [u32; 4]) {
        (self.uv.map(f32::to_bits), self.color.map(f32::to_bits))
    }
}

/// Twice the area of a triangle, positive when its corners run clockwise on screen.
fn area(a: [i64; 2], b: [i64; 2], c: [i64; 2]) -> i64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

/// Pixels exactly on an edge belong to the triangle below or right of it.
fn owns_edge(a: [i64; 2], b: [i64; 2]) -> bool {
    b[1] < a[1] || (b[1] == a[1] && b[0] > a[0])
}

struct Canvas {
    width: usize,
    height: usize,
    /// Premultiplied.
    pixels: Vec<[f32; 4]>,
    /// Left, top, right, bottom, pixels.
    clip: [usize; 4],
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0, 0.0, 0.0, 1.0]; width * height], clip: [0; 4] }
    }

    fn mesh(&mut self, mesh: &Mesh, texture: &Texture, scale: f32) {
        for corners in mesh.indices.chunks_exact(3) {
            let [a, b, c] = [0, 1, 2].map(|corner| Corner::of(&mesh.vertices[corners[corner] as usize], scale));
            match area(a.at, b.at, c.at) {
                0 => {}
                turn if turn > 0 => self.triangle([a, b, c], texture),
                _ => self.triangle([a, c, b], texture),
            }
        }
    }

    fn triangle(&mut self, corners: [Corner; 3], texture: &Texture) {
        let [a, b, c] = corners;
        let pixel = |value: i64| value.div_euclid(SUBPIXEL as i64).max(0) as usize;
        let least = |axis: usize| pixel(a.at[axis].min(b.at[axis]).min(c.at[axis]));
        let most = |axis: usize| pixel(a.at[axis].max(b.at[axis]).max(c.at[axis])) + 1;
        let [left, top, right, bottom] = self.clip;
        let whole = area(a.at, b.at, c.at) as f32;
        // An edge without its pixels counts as a hair outside.
        let edges = [(b.at, c.at), (c.at, a.at), (a.at, b.at)].map(|(from, to)| (from, to, i64::from(!owns_edge(from, to))));
        let plain = (a.look() == b.look() && b.look() == c.look()).then(|| multiply(a.color, texture.sample(a.uv[0], a.uv[1])));
        for y in least(1).max(top)..most(1).min(bottom) {
            for x in least(0).max(left)..most(0).min(right) {
                let center = [x, y].map(|at| ((at as f32 + 0.5) * SUBPIXEL) as i64);
                let weights = edges.map(|(from, to, less)| area(from, to, center) - less);
                if weights.iter().any(|weight| *weight < 0) {
                    continue;
                }
                let color = plain.unwrap_or_else(|| {
                    let shares = weights.map(|weight| weight as f32 / whole);
                    let mean =
                        |of: &dyn Fn(&Corner) -> f32| corners.iter().zip(shares).map(|(corner, share)| of(corner) * share).sum::<f32>();
                    let uv = [0, 1].map(|axis| mean(&|corner| corner.uv[axis]));
                    let color = std::array::from_fn(|part| mean(&|corner| corner.color[part]));
                    multiply(color, texture.sample(uv[0], uv[1]))
                });
                let under = &mut self.pixels[y * self.width + x];
                *under = std::array::from_fn(|part| under[part].mul_add(1.0 - color[3], color[part]).min(1.0));
            }
        }
    }

    fn finish(self) -> Result<RgbaImage, String> {
        let bytes = self.pixels.iter().flatten().map(|part| (part * 255.0).round() as u8).collect();
        RgbaImage::from_raw(self.width as u32, self.height as u32, bytes).ok_or_else(|| "the picture has no size".to_owned())
    }
}

fn multiply(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|part| a[part] * b[part])
}

#[cfg(test)]
mod tests {
    use egui::epaint::{Color32, WHITE_UV};
    use egui::{Pos2, Rect, pos2};

    use super::*;

    fn white() -> Texture {
        Texture { size: [1, 1], pixels: vec![[1.0; 4]], filter: TextureFilter::Linear }
    }

    fn canvas(width: usize, height: usize) -> Canvas {
        Canvas { clip: [0, 0, width, height], ..Canvas::new(width, height) }
    }

    fn fan(points: &[Pos2], color: Color32) -> Mesh {
        let mut mesh = Mesh::default();
        mesh.vertices.extend(points.iter().map(|pos| Vertex { pos: *pos, uv: WHITE_UV, color }));
        for corner in 1..points.len() as u32 - 1 {
            mesh.add_triangle(0, corner, corner + 1);
        }
        mesh
    }

    #[test]
    fn triangles_with_common_edges_cover_every_pixel_once() {
        let half = Color32::from_white_alpha(128);
        let points = [pos2(0.3, 0.2), pos2(17.0, 3.3), pos2(19.6, 14.5), pos2(8.0, 19.0), pos2(1.0, 11.0)];
        let mut canvas = canvas(20, 20);
        canvas.mesh(&fan(&points, half), &white(), 1.0);
        let drawn: Vec<f32> = canvas.pixels.iter().map(|pixel| pixel[0]).filter(|part| *part > 0.0).collect();
        assert!(drawn.len() > 150, "{}", drawn.len());
        assert!(drawn.iter().all(|part| (part - 128.0 / 255.0).abs() < 1e-6), "a pixel was blended twice");
    }

    #[test]
    fn a_rectangle_fills_its_pixels_inside_the_clip_only() {
        let mut mesh = Mesh::default();
        mesh.add_colored_rect(Rect::from_min_max(pos2(1.0, 1.0), pos2(4.0, 3.0)), Color32::from_rgb(255, 0, 0));
        let mut canvas = canvas(8, 8);
        canvas.clip = [2, 0, 8, 8];
        canvas.mesh(&mesh, &white(), 1.0);
        let red: Vec<usize> = (0..64).filter(|at| canvas.pixels[*at][0] > 0.0).collect();
        assert_eq!(red, [10, 11, 18, 19]);
    }

    #[test]
    fn between_two_texels_is_their_mean() {
        let texture = Texture { size: [2, 1], pixels: vec![[0.0; 4], [1.0; 4]], filter: TextureFilter::Linear };
        let red = |u: f32| (texture.sample(u, 0.5)[0] * 255.0).round() as u8;
        assert_eq!([red(0.25), red(0.5), red(1.0)], [0, 128, 255]);
    }
}
