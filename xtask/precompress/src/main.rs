//! Puts `NAME.br` beside each file given as an argument, at the best quality brotli has.
//!
//! A program of its own, so that only `cargo xtask build` compiles the compressor, and optimised.
//! A `.br` file is rewritten only when its bytes change, and left out where it would save nothing.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use brotli::enc::BrotliEncoderParams;

fn main() -> Result<(), Box<dyn Error>> {
    for argument in env::args_os().skip(1) {
        precompress(Path::new(&argument))?;
    }
    Ok(())
}

fn precompress(path: &Path) -> Result<(), Box<dyn Error>> {
    let original = fs::read(path)?;
    let mut target = path.as_os_str().to_owned();
    target.push(".br");

    let parameters =
        BrotliEncoderParams { quality: 11, lgwin: 22, size_hint: original.len(), ..BrotliEncoderParams::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut original.as_slice(), &mut compressed, &parameters)?;

    let present = fs::read(&target).ok();
    if compressed.len() >= original.len() {
        if present.is_some() {
            fs::remove_file(&target)?;
        }
    } else if present.as_ref() != Some(&compressed) {
        fs::write(&target, &compressed)?;
    }
    Ok(())
}
