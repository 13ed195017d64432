//! Pictures, made anew: decoded to their pixels and encoded again. What is not a pixel stays behind: the
//! place and the time where a camera was (EXIF, XMP), comments, thumbnails of what was cut off, and
//! whatever else was hidden in the file.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType as PngFilter, PngEncoder},
        webp::WebPEncoder,
    },
    imageops::FilterType,
};

use super::{
    SIZE_MAX,
    file::{FIELD, too_large},
    media::MediaType,
};
use crate::error::{Code, Error, Result};

/// Pixels that are decoded: a large camera's. A few bytes can claim to be billions of them.
pub const PIXELS_MAX: u64 = 25_000_000;
/// Bytes of those pixels: four channels of one byte. What has two bytes a channel has half as many.
const MEMORY_MAX: u64 = 4 * PIXELS_MAX;
/// Pixels of the long side of what is kept: a whole screen, or a page in print.
pub const SIDE_MAX: u32 = 2560;
/// Pixels of a side of a member's photo: sharp beside a name, and on a page of their own.
pub const PHOTO_SIDE: u32 = 512;
/// Of 100: no difference to be seen, at a third of the size.
const JPEG_QUALITY: u8 = 85;

/// A picture as it is kept.
pub struct Picture {
    pub media_type: MediaType,
    pub bytes: Vec<u8>,
    /// Width and height.
    pub pixels: (i64, i64),
}

/// Makes a picture anew, upright, and no larger than a screen. Of an animation, the first frame stays.
///
/// # Errors
/// `TOO_LARGE` for more pixels than are decoded, which is known before any are; `INVALID` for what
/// can't be decoded.
pub fn anew(bytes: &[u8], format: ImageFormat) -> Result<Picture> {
    let mut image = decoded(bytes, format)?;
    if image.width().max(image.height()) > SIDE_MAX {
        image = image.resize(SIDE_MAX, SIDE_MAX, FilterType::Triangle);
    }
    let pixels = (image.width().into(), image.height().into());
    let (media_type, bytes) = encoded(&eight_bits(image), format).map_err(unreadable)?;
    if bytes.len() > SIZE_MAX {
        return Err(too_large());
    }
    Ok(Picture { media_type, bytes, pixels })
}

/// Makes a member's photo anew: a square, cut from the middle, and a JPEG whatever it was. What was
/// transparent is white.
///
/// # Errors
/// As [`anew`].
pub fn photo(bytes: &[u8], format: ImageFormat) -> Result<Picture> {
    let image = decoded(bytes, format)?;
    let side = image.width().min(image.height()).clamp(1, PHOTO_SIDE);
    let mut square = image.resize_to_fill(side, side, FilterType::Triangle).into_rgba8();
    for pixel in square.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        let over = |colour: u8| {
            let mixed = u16::from(colour) * u16::from(alpha) + 255 * u16::from(255 - alpha);
            u8::try_from(mixed / 255).unwrap_or(u8::MAX)
        };
        pixel.0 = [over(red), over(green), over(blue), u8::MAX];
    }
    let square = DynamicImage::from(square).into_rgb8().into();
    let (media_type, bytes) = encoded(&square, ImageFormat::Jpeg).map_err(unreadable)?;
    Ok(Picture { media_type, bytes, pixels: (side.into(), side.into()) })
}

/// The pixels, the right way up.
fn decoded(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(2 * MEMORY_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX || decoder.total_bytes() > MEMORY_MAX {
        return Err(too_many_pixels());
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// As screens show it, in the fewest channels.
fn eight_bits(image: DynamicImage) -> DynamicImage {
    let color = image.color();
    match (color.has_color(), color.has_alpha()) {
        (false, false) => image.into_luma8().into(),
        (false, true) => image.into_luma_alpha8().into(),
        (true, false) => image.into_rgb8().into(),
        (true, true) => image.into_rgba8().into(),
    }
}

/// As what it was, where that keeps it best: a GIF has the quality of a PNG; a WebP without
/// transparency is a photo, which only JPEG keeps small here.
fn encoded(image: &DynamicImage, format: ImageFormat) -> Result<(MediaType, Vec<u8>), ImageError> {
    let mut bytes = Vec::new();
    let media_type = match format {
        ImageFormat::WebP if image.has_alpha() => {
            image.write_with_encoder(WebPEncoder::new_lossless(&mut bytes))?;
            MediaType::Webp
        }
        ImageFormat::WebP | ImageFormat::Jpeg => {
            image.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
            MediaType::Jpeg
        }
        _ => {
            let encoder =
                PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, PngFilter::Adaptive);
            image.write_with_encoder(encoder)?;
            MediaType::Png
        }
    };
    Ok((media_type, bytes))
}

/// A sentence of our own: the decoder's may repeat parts of the file.
fn unreadable(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => too_many_pixels(),
        _ => Error::refused(FIELD, Code::Invalid, "The picture is damaged: it can't be read."),
    }
}

fn too_many_pixels() -> Error {
    let message = format!("A picture can have at most {} megapixels.", PIXELS_MAX / 1_000_000);
    Error::Coded(Code::TooLarge, message)
}
