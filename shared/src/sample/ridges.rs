//! Ridge patterns that look like fingerprints to the eye, to a size check and to a compressor, and belong to nobody.
//!
//! A ridge picture is `cos(phase)`. The phase is a smooth flow around a core (whorl, loop or arch) with a period
//! of about 9 pixels (0.46 mm at 500 ppi), plus one turn around each minutia: a ridge ends or forks exactly there
//! (the AM-FM model of Larkin and Fletcher, "A coherent framework for fingerprint analysis", 2007). The turns are
//! multiplied as complex numbers, which is what keeps a finger under 30 ms.
#![allow(
    clippy::many_single_char_names,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "pixels are small numbers"
)]

use std::f32::consts::TAU;

use super::{Size, dice::Dice};

/// Pixels per metre at 500 ppi: PNG pHYs.
const PIXELS_PER_METRE: u32 = 19_685;

#[derive(Clone, Copy)]
enum Flow {
    Whorl,
    Loop(f32),
    Arch,
}

/// Where the ridges of one finger run.
struct Print {
    flow: Flow,
    core: (f32, f32),
    wave: f32,
    warp: (f32, f32, f32),
    pressure: f32,
    minutiae: Vec<(f32, f32, f32)>,
}

/// A fingerprint as a 500 ppi PNG, grey: the ridges are of the finger, the grain is of the capture.
pub(super) fn fingerprint(finger: &mut Dice, capture: &mut Dice, size: Size) -> Vec<u8> {
    let (width, height, depth) = match size {
        Size::Tiny => (80, 100, png::BitDepth::Two),
        Size::Usual => (400 + finger.below(17), 500 + finger.below(25), png::BitDepth::Two),
        Size::Large => (400 + finger.below(17), 500 + finger.below(25), png::BitDepth::Eight),
    };
    let print = Print::throw(finger, width as f32, height as f32);
    // two bits a pixel keep an image near the 25 KB that a compressed print has in the field
    let grain = if depth == png::BitDepth::Two { 26.0 } else { 24.0 };
    let grey = print.draw(&capture.grain((width * height) as usize), width, height, grain);
    png(&grey, width, depth)
}

impl Print {
    fn throw(dice: &mut Dice, width: f32, height: f32) -> Self {
        let flow = match dice.below(10) {
            0..4 => Flow::Whorl,
            4..9 => Flow::Loop(dice.between(-0.5, 0.5)),
            _ => Flow::Arch,
        };
        let count = if width < 100.0 { 3 } else { 16 };
        let minutiae = (0..count).map(|_| {
            let turn = if dice.chance(50) { 1.0 } else { -1.0 };
            (width * dice.between(0.12, 0.88), height * dice.between(0.1, 0.9), turn)
        });
        let minutiae = minutiae.collect();
        Self {
            flow,
            core: (width * dice.between(0.42, 0.58), height * dice.between(0.38, 0.5)),
            wave: TAU / dice.between(8.0, 10.5),
            warp: (dice.between(2.0, 7.0), dice.between(40.0, 90.0), dice.between(0.0, TAU)),
            pressure: dice.between(70.0, 100.0),
            minutiae,
        }
    }

    /// Distance, in pixels, that the ridges of the smooth flow are counted by; from the core.
    fn distance(&self, x: f32, y: f32) -> f32 {
        match self.flow {
            Flow::Whorl => (x * x + y * y * 0.62).sqrt(),
            // the slant sets in slowly, so that ridges bend at the core and do not break
            Flow::Loop(slant) if y > 0.0 => (x - slant * y * y / (y + 90.0)).abs(),
            Flow::Loop(_) => (x * x + y * y).sqrt(),
            Flow::Arch => y + 60.0 * (-x * x / 9000.0).exp(),
        }
    }

    /// All turns around minutiae along the row at `y`, as complex numbers of any length.
    fn turns(&self, y: f32, row: &mut [(f32, f32)]) {
        row.fill((1.0, 0.0));
        for &(mx, my, turn) in &self.minutiae {
            // scaled so that sixteen factors stay within an f32
            let b = turn * (y - my) / 128.0;
            for (i, z) in row.iter_mut().enumerate() {
                let a = (i as f32 + 0.5 - mx) / 128.0;
                *z = (z.0 * a - z.1 * b, z.0 * b + z.1 * a);
            }
        }
    }

    /// Grey values: dark ridges on a light ground that fades out at the edge of the finger, with grain everywhere.
    fn draw(&self, noise: &[u8], width: u32, height: u32, grain: f32) -> Vec<u8> {
        let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
        let (depth, length, shift) = self.warp;
        let bend: Vec<f32> = (0..width).map(|x| depth * (x as f32 / length + shift).cos()).collect();
        let mut turns = vec![(1.0, 0.0); width as usize];
        let mut grey = Vec::with_capacity(noise.len());
        for (j, noise) in noise.chunks(width as usize).enumerate() {
            let y = j as f32 + 0.5;
            let sway = depth * (y / length + shift).sin();
            self.turns(y, &mut turns);
            grey.extend(turns.iter().zip(&bend).zip(noise).enumerate().map(|(i, ((&(re, im), bend), &noise))| {
                let x = i as f32 + 0.5;
                let phase = self.wave * self.distance(x - self.core.0 + sway, y - self.core.1 + bend);
                let (sin, cos) = phase.sin_cos();
                let ridge = (cos * re - sin * im) / (re * re + im * im).sqrt().max(f32::MIN_POSITIVE);
                let (ex, ey) = ((x - cx) / cx, (y - cy) / cy);
                let inside = ((1.08 - (ex * ex + ey * ey).sqrt()) * 6.0).clamp(0.0, 1.0);
                let paper = 226.0 - inside * (226.0 - 140.0);
                (paper + inside * self.pressure * ridge + (f32::from(noise) / 255.0 - 0.5) * grain).clamp(0.0, 255.0) as u8
            }));
        }
        grey
    }
}

/// Grey values as a PNG of 2 or 8 bits a pixel that says 500 ppi.
pub(super) fn png(grey: &[u8], width: u32, depth: png::BitDepth) -> Vec<u8> {
    let height = grey.len() as u32 / width;
    let mut out = Vec::with_capacity(grey.len() / 2);
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: PIXELS_PER_METRE, yppu: PIXELS_PER_METRE, unit: png::Unit::Meter }));
    let mut writer = encoder.write_header().expect("a Vec takes all");
    let packed = if depth == png::BitDepth::Two { pack(grey, width as usize) } else { grey.to_vec() };
    writer.write_image_data(&packed).expect("as many bytes as the header says");
    writer.finish().expect("a Vec takes all");
    out
}

/// Four grey levels, four pixels a byte, each row padded to a whole byte.
fn pack(grey: &[u8], width: usize) -> Vec<u8> {
    let byte = |four: &[u8]| (0..4).fold(0, |byte, i| byte << 2 | four.get(i).map_or(0, |v| v >> 6));
    grey.chunks(width).flat_map(|row| row.chunks(4).map(byte)).collect()
}
