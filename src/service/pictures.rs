//! Pictures that pages can show: of a known type, complete, of a limited size, and without metadata of cameras and
//! programs.
//!
//! Nothing is decoded. The format's segments are read one by one, and those needed for drawing are copied. Of the
//! rest only the orientation is copied, rewritten. So a picture retains its quality, and reading costs one pass. A
//! file that violates these rules is an ordinary file.

use std::{
    io::{self, Write},
    ops::Range,
};

/// Maximum bytes of a picture, which is in memory while it is read.
pub(super) const MOST_BYTES: u64 = 32 * 1024 * 1024;
/// Maximum number of pixels: a browser needs four bytes for each.
const MOST_PIXELS: u64 = 100_000_000;
/// Number of first bytes that identify a file's type.
pub(super) const HEAD_BYTES: usize = 4_096;

/// The media type of files that are unknown or unsafe for pages.
pub(super) const UNKNOWN: &str = "application/octet-stream";
/// Permitted media types other than pictures. None can contain a page or script that a browser runs.
const OTHERS: [&str; 12] = [
    "application/pdf",
    "audio/aac",
    "audio/m4a",
    "audio/midi",
    "audio/mpeg",
    "audio/ogg",
    "audio/x-flac",
    "audio/x-wav",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/x-matroska",
];

/// The media type of a picture with these first bytes.
pub(super) fn picture_type(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ if head.starts_with(PNG) => Some("image/png"),
        _ => None,
    }
}

/// The media type of another file with these first bytes.
pub(super) fn other_type(head: &[u8]) -> &'static str {
    let found = infer::get(head).map(|kind| kind.mime_type());
    found.filter(|kind| OTHERS.contains(kind)).unwrap_or(UNKNOWN)
}

/// A picture that can be shown, and the parts of it that are stored.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) media_type: &'static str,
    /// Pixels after applying the orientation.
    pub(super) width: u32,
    pub(super) height: u32,
    kept: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    /// A range of the file.
    Same(Range<usize>),
    New(Vec<u8>),
}

impl Picture {
    /// `None` if browsers would not show the whole file as a picture.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let media_type = picture_type(bytes)?;
        let (Size { width, height }, orientation, kept) = match media_type {
            "image/jpeg" => jpeg(bytes)?,
            "image/png" => png(bytes)?,
            "image/gif" => gif(bytes)?,
            _ => webp(bytes)?,
        };
        let pixels = u64::from(width) * u64::from(height);
        if pixels == 0 || pixels > MOST_PIXELS {
            return None;
        }
        // From 5 on, rows and columns are swapped.
        let (width, height) = if orientation.0 >= 5 { (height, width) } else { (width, height) };
        Some(Self { media_type, width, height, kept })
    }

    /// Whether the file can be stored unchanged.
    pub(super) fn is_whole(&self, file: &[u8]) -> bool {
        let mut end = 0;
        let is_next = |part: &Part| {
            let start = end;
            match part {
                Part::Same(range) => {
                    end = range.end;
                    range.start == start
                }
                Part::New(bytes) => {
                    end += bytes.len();
                    file[start..].starts_with(bytes)
                }
            }
        };
        self.kept.iter().all(is_next) && end == file.len()
    }

    /// Writes the stored parts of `file`, from which this was read. Returns the number of bytes.
    pub(super) fn write(&self, file: &[u8], to: &mut impl Write) -> io::Result<u64> {
        let mut size = 0;
        for part in &self.kept {
            let bytes = match part {
                Part::Same(range) => &file[range.clone()],
                Part::New(bytes) => bytes,
            };
            to.write_all(bytes)?;
            size += bytes.len() as u64;
        }
        Ok(size)
    }
}

struct Size {
    width: u32,
    height: u32,
}

type Anatomy = (Size, Orientation, Vec<Part>);

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(le16(bytes, at)?) | u32::from(*bytes.get(at + 2)?) << 16)
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The orientation of a picture, from 1 (upright) to 8: EXIF 2.32, tag 0x0112.
#[derive(Clone, Copy)]
struct Orientation(u8);

impl Orientation {
    const UPRIGHT: Self = Self(1);

    /// From EXIF data, which has the form of TIFF 6.0.
    fn of(exif: &[u8]) -> Option<Self> {
        let is_little = match exif.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let short = |at| if is_little { le16(exif, at) } else { be16(exif, at) };
        let first = if is_little { le32(exif, 4)? } else { be32(exif, 4)? } as usize;
        let entries = usize::from(short(first)?);
        let at = (0..entries).map(|n| first + 2 + n * 12).find(|at| short(*at) == Some(0x0112))?;
        let value = u8::try_from(short(at + 8)?).ok()?;
        (short(at + 2)? == 3 && (1..=8).contains(&value)).then_some(Self(value))
    }

    /// EXIF data with only this value; `None` for the default.
    fn exif(self) -> Option<Vec<u8>> {
        let Self(value) = self;
        let tag = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0];
        (value != 1).then(|| [&b"MM\0*\0\0\0\x08\0\x01"[..], &tag, &[0; 4]].concat())
    }
}

/// ITU T.81, annex B. Reads the first picture only: cameras append others.
fn jpeg(bytes: &[u8]) -> Option<Anatomy> {
    const JFIF: &[u8] = b"JFIF\0";
    const EXIF: &[u8] = b"Exif\0\0";
    let mut kept = vec![Part::Same(0..2)];
    let (mut size, mut orientation, mut has_scan, mut after_jfif) = (None, Orientation::UPRIGHT, false, 1);
    let mut at = 2;
    loop {
        let start = at;
        if *bytes.get(at)? != 0xff {
            return None;
        }
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        match marker {
            0xd9 if has_scan => {
                kept.push(Part::Same(start..at));
                break;
            }
            // Invalid within a picture, or unsupported by browsers.
            0x00 | 0x01 | 0xc8 | 0xd0..=0xd9 | 0xde | 0xdf => return None,
            _ => {}
        }
        let length = usize::from(be16(bytes, at)?);
        let content = bytes.get(at + 2..at + length)?;
        at += length;
        match marker {
            0xe0 if content.starts_with(JFIF) && content.len() >= 14 => {
                // Without its thumbnail.
                let head = [&[0xff, 0xe0, 0, 16], &content[..12], &[0, 0]].concat();
                kept.push(Part::New(head));
                if kept.len() == 2 {
                    after_jfif = 2;
                }
            }
            0xe1 if content.starts_with(EXIF) => {
                orientation = Orientation::of(&content[EXIF.len()..]).unwrap_or(orientation);
            }
            0xe2 if content.starts_with(b"ICC_PROFILE\0") => kept.push(Part::Same(start..at)),
            0xee if content.starts_with(b"Adobe") => kept.push(Part::Same(start..at)),
            0xda => {
                size.as_ref()?;
                has_scan = true;
                // The data end with the next marker; stuffed zeroes and restarts do not count.
                loop {
                    at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
                    match *bytes.get(at + 1)? {
                        0x00 | 0xd0..=0xd7 => at += 2,
                        0xff => at += 1,
                        _ => break,
                    }
                }
                kept.push(Part::Same(start..at));
            }
            // Frame headers.
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                if size.is_some() {
                    return None;
                }
                size = Some(Size { width: be16(content, 3)?.into(), height: be16(content, 1)?.into() });
                kept.push(Part::Same(start..at));
            }
            // Tables.
            0xc4 | 0xcc | 0xdb..=0xdd => kept.push(Part::Same(start..at)),
            _ => {}
        }
    }
    if let Some(exif) = orientation.exif() {
        let length = u16::try_from(2 + EXIF.len() + exif.len()).ok()?.to_be_bytes();
        kept.insert(after_jfif, Part::New([&[0xff, 0xe1], &length[..], EXIF, &exif].concat()));
    }
    Some((size?, orientation, kept))
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The chunks for drawing a picture or an animation. Excludes texts, EXIF and the time.
const PNG_CHUNKS: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI",
    b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

/// W3C, Portable Network Graphics, third edition.
fn png(bytes: &[u8]) -> Option<Anatomy> {
    let mut kept = vec![Part::Same(0..PNG.len())];
    let (mut size, mut orientation, mut has_data) = (None, Orientation::UPRIGHT, false);
    let mut at = PNG.len();
    loop {
        let start = at;
        let length = be32(bytes, at)? as usize;
        let checked = bytes.get(at + 4..(at + 8).checked_add(length)?)?;
        at += 8 + length;
        if be32(bytes, at)? != crc32fast::hash(checked) {
            return None;
        }
        at += 4;
        let (kind, content) = checked.split_at(4);
        match kind {
            b"IHDR" if size.is_none() && content.len() == 13 => {
                size = Some(Size { width: be32(content, 0)?, height: be32(content, 4)? });
            }
            // Must be first and unique.
            _ if (kind == b"IHDR") == size.is_some() => return None,
            b"IDAT" => has_data = true,
            b"eXIf" => orientation = Orientation::of(content).unwrap_or(orientation),
            // An unknown chunk that is required for drawing.
            _ if kind[0].is_ascii_uppercase() && !PNG_CHUNKS.contains(&kind.try_into().ok()?) => return None,
            _ => {}
        }
        if PNG_CHUNKS.contains(&kind.try_into().ok()?) {
            kept.push(Part::Same(start..at));
        }
        if kind == b"IEND" {
            break;
        }
    }
    if let Some(exif) = orientation.exif() {
        let length = u32::try_from(exif.len()).ok()?.to_be_bytes();
        let checked = [b"eXIf", &exif[..]].concat();
        let sum = crc32fast::hash(&checked).to_be_bytes();
        // After the header.
        kept.insert(2, Part::New([&length[..], &checked, &sum].concat()));
    }
    has_data.then_some((size?, orientation, kept))
}

/// CompuServe, Graphics Interchange Format, version 89a.
fn gif(bytes: &[u8]) -> Option<Anatomy> {
    /// The position after the colour table that these flags declare.
    fn colours(flags: u8, at: usize) -> usize {
        if flags & 0x80 == 0 { at } else { at + (6 << (flags & 7)) }
    }
    /// The position after blocks with a length prefix, up to an empty one.
    fn blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
        loop {
            match usize::from(*bytes.get(at)?) {
                0 => return Some(at + 1),
                length => at += 1 + length,
            }
        }
    }
    let size = Size { width: le16(bytes, 6)?.into(), height: le16(bytes, 8)?.into() };
    let mut at = colours(*bytes.get(10)?, 13);
    bytes.get(..at)?;
    let mut kept = vec![Part::Same(0..at)];
    let mut has_data = false;
    loop {
        let start = at;
        let is_kept = match *bytes.get(at)? {
            0x3b => {
                kept.push(Part::Same(start..start + 1));
                break;
            }
            0x2c => {
                at = blocks(bytes, colours(*bytes.get(at + 9)?, at + 10) + 1)?;
                has_data = true;
                true
            }
            0x21 => {
                let label = *bytes.get(at + 1)?;
                at = blocks(bytes, at + 2)?;
                let name = bytes.get(start + 3..start + 14).unwrap_or_default();
                // Frame durations and repetitions. Excludes comments, XMP and the like.
                label == 0xf9 || label == 0xff && [b"NETSCAPE2.0", b"ANIMEXTS1.0"].iter().any(|known| name == *known)
            }
            _ => return None,
        };
        if is_kept {
            kept.push(Part::Same(start..at));
        }
    }
    has_data.then_some((size, Orientation::UPRIGHT, kept))
}

/// RFC 9649.
fn webp(bytes: &[u8]) -> Option<Anatomy> {
    const HAS_EXIF_OR_XMP: u8 = 0x0c;
    const HAS_EXIF: u8 = 0x08;
    let end = 8 + le32(bytes, 4)? as usize;
    let bytes = bytes.get(..end)?;
    let mut kept = vec![];
    let (mut size, mut orientation, mut has_data, mut extended) = (None, Orientation::UPRIGHT, false, None);
    let mut at = 12;
    while at < end {
        let start = at;
        let length = le32(bytes, at + 4)? as usize;
        let content = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
        // Odd lengths are padded to even ones.
        at += 8 + length + length % 2;
        bytes.get(..at)?;
        let kind = &bytes[start..start + 4];
        match kind {
            b"VP8X" if start == 12 && length == 10 => {
                size = Some(Size { width: le24(content, 4)? + 1, height: le24(content, 7)? + 1 });
                extended = Some(start..at);
                continue;
            }
            b"VP8 " => {
                has_data = true;
                if content.get(3..6)? != [0x9d, 0x01, 0x2a] {
                    return None;
                }
                let side = |at| Some(u32::from(le16(content, at)? & 0x3fff));
                size = Some(size.unwrap_or(Size { width: side(6)?, height: side(8)? }));
            }
            b"VP8L" => {
                has_data = true;
                if *content.first()? != 0x2f {
                    return None;
                }
                let sides = le32(content, 1)?;
                size = Some(size.unwrap_or(Size { width: (sides & 0x3fff) + 1, height: (sides >> 14 & 0x3fff) + 1 }));
            }
            b"ANMF" => has_data = true,
            b"EXIF" => {
                let exif = content.strip_prefix(b"Exif\0\0").unwrap_or(content);
                orientation = Orientation::of(exif).unwrap_or(orientation);
                continue;
            }
            b"ALPH" | b"ANIM" | b"ICCP" => {}
            _ => continue,
        }
        kept.push(Part::Same(start..at));
    }
    match extended {
        Some(range) => {
            let mut chunk = bytes[range].to_vec();
            chunk[8] &= !HAS_EXIF_OR_XMP;
            if let Some(exif) = orientation.exif() {
                chunk[8] |= HAS_EXIF;
                let length = u32::try_from(exif.len()).ok()?.to_le_bytes();
                kept.push(Part::New([b"EXIF", &length[..], &exif].concat()));
            }
            kept.insert(0, Part::New(chunk));
        }
        // Without the flag, browsers ignore EXIF data.
        None => orientation = Orientation::UPRIGHT,
    }
    let sizes = kept.iter().map(|part| match part {
        Part::Same(range) => range.len(),
        Part::New(bytes) => bytes.len(),
    });
    let length = u32::try_from(4 + sizes.sum::<usize>()).ok()?.to_le_bytes();
    kept.insert(0, Part::New([b"RIFF", &length[..], b"WEBP"].concat()));
    has_data.then_some((size?, orientation, kept))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"48.8584 N, 2.2945 E";

    /// EXIF data like a camera's: rotated to the right, and with further tags.
    fn exif() -> Vec<u8> {
        let tag = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
        };
        let place = tag(0x010f, 2, SECRET.len() as u32, [38, 0, 0, 0]);
        [b"II*\0\x08\0\0\0\x02\0", &place[..], &tag(0x0112, 3, 1, [6, 0, 0, 0]), &[0; 4], SECRET].concat()
    }

    fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
        [&[0xff, marker], &(content.len() as u16 + 2).to_be_bytes()[..], content].concat()
    }

    /// 3 × 2 pixels, in two scans.
    fn a_jpeg() -> Vec<u8> {
        [
            vec![0xff, 0xd8],
            segment(0xe0, &[b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01", &[9; 3][..]].concat()),
            segment(0xe1, &[b"Exif\0\0", &exif()[..]].concat()),
            segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat()),
            segment(0xe2, b"ICC_PROFILE\0\x01\x01profile"),
            segment(0xed, &[b"Photoshop 3.0\0", SECRET].concat()),
            segment(0xfe, SECRET),
            segment(0xdb, &[1; 65]),
            segment(0xc2, &[8, 0, 2, 0, 3, 1, 1, 0x11, 0]),
            segment(0xc4, &[0; 17]),
            segment(0xda, &[1, 1, 0, 0, 0, 0]),
            vec![0x12, 0xff, 0x00, 0x34, 0xff, 0xd0, 0x56],
            segment(0xda, &[1, 1, 0, 0, 0, 0]),
            vec![0x78, 0xff, 0xd9],
            // Another picture, as phones append it.
            [&[0xff, 0xd8], SECRET].concat(),
        ]
        .concat()
    }

    fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let checked = [kind, content].concat();
        [&(content.len() as u32).to_be_bytes()[..], &checked, &crc32fast::hash(&checked).to_be_bytes()].concat()
    }

    fn a_png() -> Vec<u8> {
        [
            PNG.to_vec(),
            chunk(b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]),
            chunk(b"gAMA", &[0, 0, 0xb1, 0x8f]),
            chunk(b"tEXt", &[b"Comment\0", SECRET].concat()),
            chunk(b"eXIf", &exif()),
            chunk(b"IDAT", &[0x78, 0x01]),
            chunk(b"IDAT", &[1, 8, 0, 0xf7, 0xff, 0, 1, 2, 3, 0, 4, 5, 6, 0, 0x59, 0, 0x16]),
            chunk(b"iTXt", &[b"XML:com.adobe.xmp\0", SECRET].concat()),
            chunk(b"IEND", &[]),
            SECRET.to_vec(),
        ]
        .concat()
    }

    fn a_gif() -> Vec<u8> {
        let length = SECRET.len() as u8;
        [
            b"GIF89a\x03\0\x02\0\x80\0\0",
            &[0; 6][..],
            b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0",
            &[&[0x21, 0xfe, length], SECRET, &[0]].concat(),
            &[b"\x21\xff\x0bXMP DataXMP", &[length][..], SECRET, &[0]].concat(),
            b"\x21\xf9\x04\0\0\0\0\0",
            b"\x2c\0\0\0\0\x03\0\x02\0\0\x02\x02\x44\x01\0",
            b"\x3b",
            SECRET,
        ]
        .concat()
    }

    fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"RIFF\0\0\0\0WEBP".to_vec();
        for (kind, content) in chunks {
            bytes.extend([*kind, &(content.len() as u32).to_le_bytes()[..], content].concat());
            bytes.resize(bytes.len().next_multiple_of(2), 0);
        }
        let length = bytes.len() as u32 - 8;
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    fn a_webp() -> Vec<u8> {
        let webp = riff(&[
            (b"VP8X", &[0x0c, 0, 0, 0, 2, 0, 0, 1, 0, 0]),
            (b"VP8L", &[0x2f, 2, 0x40, 0, 0, 7, 7]),
            (b"EXIF", &exif()),
            (b"XMP ", SECRET),
        ]);
        [&webp, SECRET].concat()
    }

    fn all() -> [(&'static str, Vec<u8>); 4] {
        [("image/jpeg", a_jpeg()), ("image/png", a_png()), ("image/gif", a_gif()), ("image/webp", a_webp())]
    }

    fn cleaned(bytes: &[u8]) -> Option<(Picture, Vec<u8>)> {
        let picture = Picture::read(bytes)?;
        let mut clean = Vec::new();
        let size = picture.write(bytes, &mut clean).unwrap();
        assert_eq!(size, clean.len() as u64);
        Some((picture, clean))
    }

    fn has(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn pictures_lose_locations_texts_and_trailing_data() {
        for (kind, bytes) in all() {
            assert!(has(&bytes, SECRET));
            let (picture, clean) = cleaned(&bytes).unwrap_or_else(|| panic!("no {kind}"));
            assert_eq!(picture.media_type, kind);
            assert!(!has(&clean, SECRET) && !picture.is_whole(&bytes), "{kind}");
            // Formats with an orientation stay rotated.
            let sides = if kind == "image/gif" { (3, 2) } else { (2, 3) };
            assert_eq!((picture.width, picture.height), sides, "{kind}");
            let (again, same) = cleaned(&clean).unwrap();
            assert_eq!((again.width, again.height), sides, "{kind}");
            assert!(again.is_whole(&clean) && same == clean, "{kind}: there is no more to take out");
        }
        let (_, jpeg) = cleaned(&a_jpeg()).unwrap();
        assert!(has(&jpeg, b"ICC_PROFILE\0") && has(&jpeg, &[0x34, 0xff, 0xd0, 0x56]) && jpeg.ends_with(&[0xff, 0xd9]));
        let (_, gif) = cleaned(&a_gif()).unwrap();
        assert!(has(&gif, b"NETSCAPE2.0"));
    }

    #[test]
    fn a_picture_that_was_cut_off_is_none() {
        for (kind, bytes) in all() {
            let (_, clean) = cleaned(&bytes).unwrap();
            for length in 0..clean.len() {
                assert_eq!(Picture::read(&clean[..length]), None, "{length} bytes of {kind}");
            }
        }
    }

    #[test]
    fn what_only_begins_like_a_picture_is_none() {
        let bomb = [
            PNG,
            &chunk(b"IHDR", &[0, 1, 0, 0, 0, 1, 0, 0, 8, 0, 0, 0, 0]),
            &chunk(b"IDAT", b""),
            &chunk(b"IEND", b""),
        ];
        let no_data = [PNG, &chunk(b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]), &chunk(b"IEND", b"")];
        let mut damaged = a_png();
        damaged[20] ^= 1;
        for bytes in [
            bomb.concat(),
            no_data.concat(),
            damaged,
            b"GIF89a<script>alert(1)</script>".to_vec(),
            b"\xff\xd8\xff\xe0<html>".to_vec(),
            b"\xff\xd8\xff\xd9".to_vec(),
            b"RIFF\x04\0\0\0WEBP".to_vec(),
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(Picture::read(&bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn only_what_cannot_be_a_page_has_a_type() {
        for (head, kind) in [
            (&b"%PDF-1.7\n"[..], "application/pdf"),
            (b"ID3\x03\0\0\0\0\0\0", "audio/mpeg"),
            (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2", "video/mp4"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", UNKNOWN),
            (b"<!doctype html><script>alert(1)</script>", UNKNOWN),
            (b"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>", UNKNOWN),
            (b"self.onfetch = () => {}", UNKNOWN),
            (b"MZ\x90\0", UNKNOWN),
            (b"#!/bin/sh\n", UNKNOWN),
            (b"PK\x03\x04", UNKNOWN),
            (b"\xff\xd8\xff\xe0", UNKNOWN),
            (b"", UNKNOWN),
        ] {
            assert_eq!(other_type(head), kind, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn damage_never_leads_astray(which in 0_usize..4, damage in prop::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
            let mut bytes = all()[which].1.clone();
            for (at, value) in damage {
                let at = usize::from(at) % bytes.len();
                bytes[at] = value;
            }
            if let Some((_, clean)) = cleaned(&bytes) {
                let (again, same) = cleaned(&clean).expect("what was kept is a picture");
                prop_assert!(again.is_whole(&clean) && same == clean);
            }
        }
    }
}
