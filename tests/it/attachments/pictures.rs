//! Pictures are made anew: nothing but their pixels is kept.

use std::io::Cursor;

use image::{DynamicImage, GenericImageView, ImageFormat, Rgb, Rgba};
use serde_json::json;

use super::{blobs, get, stored, try_upload, upload};
use crate::on_both_stores;

/// A picture whose left half is red and whose right half is blue.
fn halves(width: u32, height: u32) -> DynamicImage {
    let colour = |x| if x < width / 2 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) };
    image::RgbImage::from_fn(width, height, |x, _| colour(x)).into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// What a camera writes beside the pixels: that it was held upright, and where it was (51.5074 north).
fn exif() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    };
    let tiff = [
        &b"II*\0\x08\0\0\0\x02\0"[..],
        &entry(0x0112, 3, 1, [6, 0, 0, 0]),
        &entry(0x8825, 4, 1, 38_u32.to_le_bytes()),
        &[0; 4],
        &[2, 0],
        &entry(1, 2, 2, *b"N\0\0\0"),
        &entry(2, 5, 1, 68_u32.to_le_bytes()),
        &[0; 4],
        &515_074_u32.to_le_bytes(),
        &10_000_u32.to_le_bytes(),
        b"HOPE-CAMERA-4711",
    ]
    .concat();
    [b"Exif\0\0", &tiff[..]].concat()
}

/// The JPEG with a segment of its own after its start.
fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, content, &jpeg[2..]].concat()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn png_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(&[kind, content].concat());
    [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], kind, content, &crc.sum().to_be_bytes()]
        .concat()
}

/// A PNG that says how large it is, and has next to nothing.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
    let nothing = [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1];
    [
        &b"\x89PNG\r\n\x1A\n"[..],
        &png_chunk(b"IHDR", &header),
        &png_chunk(b"IDAT", &nothing),
        &png_chunk(b"IEND", b""),
    ]
    .concat()
}

on_both_stores! {
    async fn where_it_was_taken_is_not_kept(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let jpeg = encoded(&halves(400, 200), ImageFormat::Jpeg);
        let jpeg = with_segment(&jpeg, 0xFE, b"a comment about the ward");
        let jpeg = with_segment(&jpeg, 0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>somebody's name</x:xmpmeta>");
        let jpeg = with_segment(&jpeg, 0xE1, &exif());
        let traces: [&[u8]; 6] = [b"Exif", b"HOPE-CAMERA-4711", b"a comment", b"xmpmeta", b"somebody", &515_074_u32.to_le_bytes()];
        assert!(traces.iter().all(|trace| has(&jpeg, trace)));

        let kept = upload(app, &ada, "IMG_0001.JPG", &jpeg).await;
        assert_eq!((&kept["name"], &kept["mediaType"]), (&json!("IMG_0001.jpg"), &json!("image/jpeg")));
        // It was held upright: left is up.
        assert_eq!((&kept["width"], &kept["height"]), (&json!(200), &json!(400)));
        let given = get(app, &ada, kept["id"].as_str().unwrap()).await;
        assert_eq!(given.headers["content-type"], "image/jpeg");
        assert!(given.headers["content-disposition"].to_str().unwrap().starts_with("inline; "));
        for trace in traces {
            assert!(!has(&given.bytes, trace), "{:?} is still there", String::from_utf8_lossy(trace));
        }
        let image = image::load_from_memory(&given.bytes).unwrap();
        assert_eq!(image.dimensions(), (200, 400));
        let (top, bottom) = (image.get_pixel(100, 20), image.get_pixel(100, 380));
        assert!(top[0] > 200 && top[2] < 60, "red is up: {top:?}");
        assert!(bottom[2] > 200 && bottom[0] < 60, "blue is down: {bottom:?}");
    }

    async fn every_kind_of_picture_is_made_anew(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let clear: DynamicImage = image::RgbaImage::from_pixel(60, 30, Rgba([10, 200, 10, 100])).into();
        let hidden = b"<script>alert('hidden')</script>PK\x03\x04";
        for (format, image, name, media) in [
            (ImageFormat::Png, halves(60, 30), "a.png", "image/png"),
            (ImageFormat::Png, clear.clone(), "a.png", "image/png"),
            (ImageFormat::Gif, clear.clone(), "a.png", "image/png"),
            (ImageFormat::WebP, clear.clone(), "a.webp", "image/webp"),
            (ImageFormat::WebP, halves(60, 30), "a.jpg", "image/jpeg"),
            (ImageFormat::Jpeg, halves(60, 30), "a.jpg", "image/jpeg"),
        ] {
            let bytes = [encoded(&image, format), hidden.to_vec()].concat();
            let kept = upload(app, &ada, "a.exe", &bytes).await;
            assert_eq!((&kept["name"], &kept["mediaType"]), (&json!(name), &json!(media)), "{format:?}");
            assert_eq!((&kept["width"], &kept["height"]), (&json!(60), &json!(30)));
            let given = get(app, &ada, kept["id"].as_str().unwrap()).await;
            assert_eq!((&given.headers["content-type"], given.bytes.len()), (&media.parse().unwrap(), kept["size"].as_u64().unwrap() as usize));
            assert!(!has(&given.bytes, b"script") && !has(&given.bytes, b"PK\x03\x04"));
            let shown = image::load_from_memory(&given.bytes).unwrap();
            let (is, was) = (shown.get_pixel(45, 15), image.get_pixel(45, 15));
            let near = is.0.iter().zip(was.0).all(|(is, was)| is.abs_diff(was) < 12);
            assert!(near || format == ImageFormat::Gif, "{format:?}: {is:?} {was:?}");
        }
        let text = png_chunk(b"tEXt", b"Author\0somebody's name");
        let png = encoded(&halves(60, 30), ImageFormat::Png);
        let kept = upload(app, &ada, "a.png", &[&png[..33], &text, &png[33..]].concat()).await;
        assert!(!has(&get(app, &ada, kept["id"].as_str().unwrap()).await.bytes, b"somebody"));
    }

    async fn large_ones_become_as_large_as_a_screen(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let kept = upload(app, &ada, "wide.png", &encoded(&halves(5_120, 100), ImageFormat::Png)).await;
        assert_eq!((&kept["width"], &kept["height"]), (&json!(2_560), &json!(50)));
        let kept = upload(app, &ada, "wide.png", &encoded(&halves(2_560, 100), ImageFormat::Png)).await;
        assert_eq!((&kept["width"], &kept["height"]), (&json!(2_560), &json!(100)));
    }

    async fn bombs_are_refused_before_they_are_unpacked(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let gif = encoded(&halves(8, 8), ImageFormat::Gif);
        let gif = [&gif[..6], &[0xFF; 4], &gif[10..]].concat();
        let mut jpeg = encoded(&halves(8, 8), ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|two| two[0] == 0xFF && (0xC0..=0xC2).contains(&two[1])).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
        let webp = [&b"RIFF\x22\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\xFF\x3F\0\xFF\x3F\0VP8 \x04\0\0\0\0\0\0\0"[..]].concat();
        let sixteen_bits = claiming(5_000, 5_000);
        for (name, bomb) in [("a.png", claiming(60_000, 60_000)), ("b.png", claiming(1, 30_000_000)), ("c.gif", gif),
            ("d.jpg", jpeg), ("e.png", sixteen_bits)] {
            let asked = std::time::Instant::now();
            let (status, problem) = try_upload(app, &ada, name, &bomb).await;
            assert_eq!((status, &problem["code"]), (413, &json!("TOO_LARGE")), "{name}: {problem}");
            assert!(asked.elapsed() < std::time::Duration::from_secs(2), "{name} took {:?}", asked.elapsed());
            assert!(problem["detail"].as_str().unwrap().contains("25 megapixels"));
        }
        let (status, _) = try_upload(app, &ada, "f.webp", &webp).await;
        assert!(status == 413 || status == 422, "{status}");
        assert_eq!((stored(app).await, blobs(app)), (vec![], vec![]));
    }

    async fn damaged_ones_are_said_to_be_damaged(app: &TestApp) {
        let ada = app.person("Ada Moore").await;
        let whole = encoded(&halves(60, 30), ImageFormat::Png);
        let mut random = whole.clone();
        for (at, byte) in random.iter_mut().enumerate().skip(8) {
            *byte = (at * 131 % 251) as u8;
        }
        for bytes in [&whole[..60], &random[..], b"GIF89a", b"\xFF\xD8\xFF\xE0", b"RIFF\0\0\0\0WEBP"] {
            let (status, problem) = try_upload(app, &ada, "a.png", bytes).await;
            assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("file")), "{problem}");
            assert_eq!(problem["errors"][0]["code"], "INVALID");
        }
        assert_eq!(blobs(app), [""; 0]);
        upload(app, &ada, "a.png", &whole).await;
    }
}
