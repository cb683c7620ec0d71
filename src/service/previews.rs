//! Previews of pictures: small enough for a slow connection. Each is made at the first request for it, and stored
//! beside the files until its picture is removed.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageReader, Limits, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder,
};
use tokio::task::spawn_blocking;

use super::{
    Service,
    attachments::{UNFINISHED, head_of},
    pictures,
};
use crate::{
    domain::{Actor, Attachment, AttachmentId, Problem},
    storage::private,
};

/// Maximum width and height in pixels.
const SIDE: u32 = 640;
/// Larger pictures are their own previews, because decoding needs four bytes for each pixel.
const MOST_PIXELS: i64 = 40_000_000;
/// Memory that decoding may use, beside the pixels.
const MOST_ALLOC: u64 = 512 * 1024 * 1024;
const JPEG_QUALITY: u8 = 82;

impl Service {
    /// The preview of a picture. A picture that is as small, or that cannot be decoded, is its own preview.
    ///
    /// # Errors
    /// `not_found`, also for a file that pages do not show as a picture.
    pub async fn preview(&self, actor: &Actor, id: AttachmentId) -> Result<(Attachment, PathBuf), Problem> {
        let (file, path) = self.attachment(actor, id).await?;
        if !file.is_picture() {
            return Err(Problem::not_found());
        }
        let (width, height) = (file.width.unwrap_or_default(), file.height.unwrap_or_default());
        let is_small = width <= i64::from(SIDE) && height <= i64::from(SIDE);
        if is_small || width.saturating_mul(height) > MOST_PIXELS {
            return Ok((file, path));
        }
        let to = self.preview_file(id);
        if !tokio::fs::try_exists(&to).await.unwrap_or_default() {
            let permit = self.files.pictures.clone().acquire_owned().await.map_err(|_| Problem::unavailable())?;
            let (from, to) = (path.clone(), to.clone());
            let made = spawn_blocking(move || {
                let _permit = permit;
                // Another request may have made it meanwhile.
                if to.exists() { Ok(()) } else { make(&from, &to) }
            });
            if let Err(error) = made.await.unwrap_or_else(|_| Err(io::Error::other("the decoder panicked"))) {
                tracing::info!(%error, attachment = %id, "a picture has no preview");
                return Ok((file, path));
            }
        }
        // Opaque previews are JPEG, the others PNG.
        let head = head_of(&to).await.map_err(|_| Problem::not_found())?;
        let media_type = pictures::picture_type(&head).unwrap_or(pictures::UNKNOWN).to_owned();
        Ok((Attachment { media_type, ..file }, to))
    }
}

/// Writes the preview of the picture at `from`.
fn make(from: &Path, to: &Path) -> io::Result<()> {
    let mut reader = ImageReader::open(from)?.with_guessed_format()?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_ALLOC);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(io::Error::other)?;
    let orientation = decoder.orientation().map_err(io::Error::other)?;
    let profile = decoder.icc_profile().map_err(io::Error::other)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(io::Error::other)?;
    picture = picture.thumbnail(SIDE, SIDE);
    picture.apply_orientation(orientation);

    let folder = to.parent().ok_or(io::ErrorKind::NotFound)?;
    private::folder(folder)?;
    let unfinished = folder.join(AttachmentId::new().to_string()).with_extension(UNFINISHED);
    let written = private::file(&unfinished).and_then(|file| write(&picture, profile, file));
    let renamed = written.and_then(|()| fs::rename(&unfinished, to));
    renamed.inspect_err(|_| drop(fs::remove_file(&unfinished)))
}

fn write(picture: &DynamicImage, profile: Option<Vec<u8>>, file: File) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    let is_opaque = !picture.color().has_alpha();
    // The profile says how the numbers of the pixels look. Not every format can have one.
    let encoded = if is_opaque {
        let mut encoder = JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY);
        profile.map(|profile| encoder.set_icc_profile(profile).ok());
        DynamicImage::ImageRgb8(picture.to_rgb8()).write_with_encoder(encoder)
    } else {
        let mut encoder = PngEncoder::new(&mut file);
        profile.map(|profile| encoder.set_icc_profile(profile).ok());
        DynamicImage::ImageRgba8(picture.to_rgba8()).write_with_encoder(encoder)
    };
    encoded.map_err(io::Error::other)?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, RgbImage, RgbaImage};

    use super::*;

    fn preview_of(picture: &DynamicImage, format: ImageFormat) -> DynamicImage {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("previews/to"));
        picture.save_with_format(&from, format).unwrap();
        make(&from, &to).unwrap();
        assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1, "nothing unfinished stays");
        ImageReader::open(&to).unwrap().with_guessed_format().unwrap().decode().unwrap()
    }

    #[test]
    fn a_preview_fits_and_keeps_its_shape() {
        let wide = DynamicImage::ImageRgb8(RgbImage::from_pixel(1_280, 320, [200, 30, 30].into()));
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
            let preview = preview_of(&wide, format);
            assert_eq!((preview.width(), preview.height()), (640, 160), "{format:?}");
            let [red, green, blue] = preview.to_rgb8().get_pixel(320, 80).0;
            assert!(red > 180 && green < 60 && blue < 60, "{format:?}: {red} {green} {blue}");
        }
    }

    #[test]
    fn transparent_pixels_stay_transparent() {
        let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(700, 700, [0, 0, 0, 0].into()));
        assert_eq!(preview_of(&clear, ImageFormat::Png).to_rgba8().get_pixel(5, 5).0[3], 0);
    }

    #[test]
    fn what_is_no_picture_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("previews/to"));
        for bytes in [&b""[..], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a"] {
            fs::write(&from, bytes).unwrap();
            assert!(make(&from, &to).is_err());
        }
        assert!(!to.exists());
    }
}
