//! Portraits, signatures and scanned pages: drawn shapes with grain, plainly artificial, sized like the real ones.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::many_single_char_names,
    reason = "pixels are small numbers"
)]

use jpeg_encoder::{ColorType, Density, Encoder};

use super::{Size, dice::Dice, ridges::png};

type Rgb = [f32; 3];

/// Is the point inside of the ellipse around `at` with half axes `half`?
fn within(x: f32, y: f32, at: (f32, f32), half: (f32, f32)) -> bool {
    let (dx, dy) = ((x - at.0) / half.0, (y - at.1) / half.1);
    dx * dx + dy * dy <= 1.0
}

/// Colours and proportions of one drawn face; measures are parts of the picture's width and height.
struct Face {
    wall: Rgb,
    cloth: Rgb,
    skin: Rgb,
    hair: Rgb,
    centre: f32,
    width: f32,
    eyes: f32,
    mouth: f32,
    scarf: bool,
}

impl Face {
    fn throw(dice: &mut Dice, woman: bool) -> Self {
        let mut colour = |low: f32, high: f32| [dice.between(low, high), dice.between(low, high), dice.between(low, high)];
        let (wall, cloth, hair) = (colour(190.0, 240.0), colour(40.0, 200.0), colour(15.0, 70.0));
        let tone = dice.between(0.55, 1.0);
        Self {
            wall,
            cloth,
            skin: [232.0 * tone, 188.0 * tone, 150.0 * tone],
            hair,
            centre: dice.between(0.48, 0.52),
            width: dice.between(0.21, 0.26),
            eyes: dice.between(0.075, 0.1),
            mouth: dice.between(0.06, 0.1),
            scarf: dice.chance(70) && woman,
        }
    }

    /// Colour at (x, y), both from 0 to 1.
    fn at(&self, x: f32, y: f32) -> Rgb {
        let c = self.centre;
        let inside = |dx: f32, cy: f32, w: f32, h: f32| within(x, y, (c + dx, cy), (w, h));
        let dark = self.skin.map(|v| v * 0.45);
        if inside(-self.eyes, 0.41, 0.032, 0.014) || inside(self.eyes, 0.41, 0.032, 0.014) {
            return if inside(-self.eyes, 0.41, 0.013, 0.012) || inside(self.eyes, 0.41, 0.013, 0.012) { [30.0; 3] } else { [245.0; 3] };
        }
        if inside(0.0, 0.58, self.mouth, 0.013) || inside(0.0, 0.5, 0.014, 0.035) {
            return dark;
        }
        if inside(0.0, 0.45, self.width, 0.24) {
            let light = 1.0 - 0.5 * (x - c).abs() / self.width;
            return self.skin.map(|v| v * light);
        }
        let covered = inside(0.0, 0.42, self.width * 1.22, 0.3) && (self.scarf || y < 0.42);
        if covered {
            return if self.scarf { self.cloth } else { self.hair };
        }
        if inside(0.0, 1.05, 0.44, 0.34) || (inside(0.0, 0.7, 0.09, 0.16)) {
            return if y > 0.76 { self.cloth } else { self.skin };
        }
        self.wall.map(|v| v * (1.0 - 0.25 * y))
    }
}

/// A portrait as a JPEG; 413 × 531 pixels (35 × 45 mm at 300 dpi) in the usual size. The face is of the resident,
/// the grain is of the capture.
pub(super) fn portrait(resident: &mut Dice, capture: &mut Dice, woman: bool, size: Size) -> Vec<u8> {
    let (width, height, quality, grain) = match size {
        Size::Tiny => (144, 185, 66, 18.0),
        Size::Usual => (413, 531, 80, 22.0),
        Size::Large => (826, 1062, 88, 28.0),
    };
    jpeg(&rgb(&Face::throw(resident, woman), &capture.grain(width * height), width, grain), width, ColorType::Rgb, quality)
}

/// The portrait's pixels, red, green and blue.
fn rgb(face: &Face, noise: &[u8], width: usize, grain: f32) -> Vec<u8> {
    let height = noise.len() / width;
    let mut rgb = Vec::with_capacity(3 * noise.len());
    for (i, &n) in noise.iter().enumerate() {
        let colour = face.at((i % width) as f32 / width as f32, (i / width) as f32 / height as f32);
        let n = (f32::from(n) / 255.0 - 0.5) * grain;
        rgb.extend(colour.map(|v| (v + n).clamp(0.0, 255.0) as u8));
    }
    rgb
}

/// A scanned page as a grey JPEG: a frame, a stamp and lines of marks that are no letters.
pub(super) fn page(dice: &mut Dice, size: Size) -> Vec<u8> {
    let (width, height, quality) = match size {
        Size::Tiny => (150, 212, 45),
        Size::Usual => (620, 877, 60),
        Size::Large => (1240, 1754, 70),
    };
    jpeg(&marked(dice, width, height), width, ColorType::Luma, quality)
}

/// The page's grey values.
fn marked(dice: &mut Dice, width: usize, height: usize) -> Vec<u8> {
    let mut noise = dice.grain(width * height);
    let marks = dice.grain(64 * 128);
    let stamp = (dice.between(0.6, 0.8), dice.between(0.7, 0.85));
    for (i, value) in noise.iter_mut().enumerate() {
        let (x, y) = ((i % width) as f32 / width as f32, (i / width) as f32 / height as f32);
        let (row, column) = ((y * 64.0) as usize, (x * 128.0) as usize);
        let margin = !(0.08..=0.92).contains(&x) || !(0.06..=0.94).contains(&y);
        // every row of marks has its own length, and a free row follows it
        let written = !margin && row % 2 == 1 && column < 60 + usize::from(marks[row]) % 56 && marks[row * 128 + column] > 70;
        let stamped = within(x, y, stamp, (0.12, 0.085)) && !within(x, y, stamp, (0.1, 0.07));
        let paper = if written { 60.0 } else { 232.0 } - if stamped { 50.0 } else { 0.0 } - 14.0 * y;
        *value = (paper + (f32::from(*value) / 255.0 - 0.5) * 22.0).clamp(0.0, 255.0) as u8;
    }
    noise
}

/// A signature as a PNG: one pen stroke that wanders, on grained paper.
pub(super) fn signature(dice: &mut Dice, size: Size) -> Vec<u8> {
    let (width, height) = match size {
        Size::Tiny => (72_i32, 28_i32),
        Size::Usual => (360, 120),
        Size::Large => (600, 200),
    };
    let mut grey: Vec<u8> = dice.grain((width * height) as usize).into_iter().map(|n| 196 + n % 60).collect();
    let (a, b, c) = (dice.between(5.0, 11.0), dice.between(11.0, 23.0), dice.between(0.0, 6.0));
    let pen = (height / 40).max(0);
    let steps = width * 12;
    for step in 0..steps {
        let t = step as f32 / steps as f32;
        let x = width as f32 * (0.08 + 0.8 * t + 0.05 * (b * t + c).sin());
        let y = height as f32 * (0.5 + 0.25 * (a * t + c).sin() + 0.14 * (b * t).cos());
        for (dx, dy) in (-pen..=pen).flat_map(|dx| (-pen..=pen).map(move |dy| (dx, dy))) {
            let (px, py) = ((x as i32 + dx).clamp(0, width - 1), (y as i32 + dy).clamp(0, height - 1));
            grey[(py * width + px) as usize] = 20;
        }
    }
    png(&grey, width as u32, ::png::BitDepth::Two)
}

fn jpeg(pixels: &[u8], width: usize, colour: ColorType, quality: u8) -> Vec<u8> {
    let bytes = if matches!(colour, ColorType::Luma) { 1 } else { 3 };
    let mut out = Vec::with_capacity(pixels.len() / 8);
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_density(Density::Inch { x: 300, y: 300 });
    let height = pixels.len() / width / bytes;
    encoder.encode(pixels, width as u16, height as u16, colour).expect("a Vec takes all, the sizes fit");
    out
}
