//! The speed of the disk, as a reference for durable sends.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::Instant,
};

use hdrhistogram::Histogram;

use crate::Outcome;

const SYNCS: usize = 1000;

/// Time for writing and syncing 4 KiB; µs.
pub fn fdatasync(folder: &Path) -> Outcome<Histogram<u64>> {
    let mut file = tempfile::tempfile_in(folder)?;
    let mut taken = Histogram::new_with_bounds(1, 60_000_000, 3)?;
    let page = [7; 4096];
    // Overwritten, like a write-ahead log, so that its length stays constant.
    file.write_all(&page.repeat(SYNCS))?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    for _ in 0..SYNCS {
        file.write_all(&page)?;
        taken.record(time(&file)?)?;
    }
    Ok(taken)
}

fn time(file: &File) -> Outcome<u64> {
    let began = Instant::now();
    file.sync_data()?;
    Ok(began.elapsed().as_micros().max(1) as u64)
}
