//! Pictures as numbers: two browsers never draw a letter alike, but a page's parts are where they are and have their colours.

use std::path::Path;
use std::process::Command;

/// An RGB picture.
pub struct Picture {
    pub width: usize,
    pub height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Reads any picture file.
    pub fn read(file: &Path) -> Self {
        let size = Command::new("identify").args(["-format", "%w %h"]).arg(file).output().unwrap();
        let size = String::from_utf8_lossy(&size.stdout).into_owned();
        let (width, height) = size.split_once(' ').unwrap_or_else(|| panic!("no picture: {}", file.display()));
        let rgb = Command::new("convert").arg(file).args(["-depth", "8", "rgb:-"]).output().unwrap();
        let picture = Self { width: width.parse().unwrap(), height: height.parse().unwrap(), pixels: rgb.stdout };
        assert_eq!(picture.pixels.len(), picture.width * picture.height * 3);
        picture
    }

    /// The share of pixels that have this colour, within a little.
    pub fn share(&self, colour: [u8; 3]) -> f64 {
        let near = |pixel: &[u8]| pixel.iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 3);
        self.pixels.chunks_exact(3).filter(|pixel| near(pixel)).count() as f64 / (self.width * self.height) as f64
    }

    /// A part of it.
    pub fn part(&self, left: usize, top: usize, width: usize, height: usize) -> Self {
        assert!(left + width <= self.width && top + height <= self.height, "{}x{} has no such part", self.width, self.height);
        let row = |y: usize| &self.pixels[((top + y) * self.width + left) * 3..][..width * 3];
        Self { width, height, pixels: (0..height).flat_map(row).copied().collect() }
    }

    /// How differently `other` and the best fitting part of this look: that begins at a left edge and in a range of tops.
    pub fn best_difference(&self, other: &Self, (left, tops): (usize, std::ops::Range<usize>)) -> f64 {
        tops.filter(|top| top + other.height <= self.height)
            .map(|top| self.part(left, top, other.width, other.height).difference(other))
            .fold(f64::INFINITY, f64::min)
    }

    /// How differently two pictures of one size look, 0 to 255: the mean difference of their blurred pixels.
    fn difference(&self, other: &Self) -> f64 {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let (mine, theirs) = (self.blurred(), other.blurred());
        mine.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).sum::<f64>() / mine.len() as f64
    }

    /// Mean colours of tiles: wide enough that a letter's shape does not matter.
    fn blurred(&self) -> Vec<f64> {
        const TILE: usize = 16;
        let mut tiles = Vec::new();
        for top in (0..self.height - self.height % TILE).step_by(TILE) {
            for left in (0..self.width - self.width % TILE).step_by(TILE) {
                for channel in 0..3 {
                    let pixel = |x: usize, y: usize| f64::from(self.pixels[((top + y) * self.width + left + x) * 3 + channel]);
                    let sum: f64 = (0..TILE).flat_map(|y| (0..TILE).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).sum();
                    tiles.push(sum / (TILE * TILE) as f64);
                }
            }
        }
        tiles
    }
}
