//! Limits a process to a share of a core with the control groups of Linux. This needs root, and fails in some
//! containers.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Period of the limit, in µs. It is short, so that a process that has used its part does not block others for long.
const PERIOD: f64 = 10_000.0;

/// A group for one process. It is removed on drop, so the process must have ended by then.
pub struct Quota {
    folder: PathBuf,
    is_unified: bool,
}

impl Quota {
    /// A new group without processes and without a limit.
    ///
    /// # Errors
    /// The reason why this machine does not permit it.
    pub fn new(name: &str) -> io::Result<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts")?;
        let (root, is_unified) = mounts
            .lines()
            .find_map(controller)
            .ok_or_else(|| io::Error::other("there is no controller of processor time to be found"))?;
        let folder = root.join(format!("{name}-{}", std::process::id()));
        fs::create_dir(&folder)?;
        Ok(Self { folder, is_unified })
    }

    /// Adds a process with all its threads.
    pub fn take(&self, process: u32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), process.to_string())
    }

    /// Limits the group to this share of a core from now on.
    pub fn limit(&self, share: f64) -> io::Result<()> {
        let most = (PERIOD * share) as u64;
        if self.is_unified {
            return fs::write(self.folder.join("cpu.max"), format!("{most} {PERIOD}"));
        }
        fs::write(self.folder.join("cpu.cfs_period_us"), PERIOD.to_string())?;
        fs::write(self.folder.join("cpu.cfs_quota_us"), most.to_string())
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir(&self.folder) {
            eprintln!("bench: {} stays: {error}", self.folder.display());
        }
    }
}

/// The folder of control groups for processor time in this line of /proc/self/mounts, if it is one; and whether it is
/// of version 2.
fn controller(line: &str) -> Option<(PathBuf, bool)> {
    // Device, path, type, options.
    let mut words = line.split(' ').skip(1);
    let (place, kind, options) = (Path::new(words.next()?), words.next()?, words.next()?);
    let passes_on = || {
        let on = fs::read_to_string(place.join("cgroup.subtree_control")).unwrap_or_default();
        on.split_whitespace().any(|controller| controller == "cpu")
    };
    match kind {
        "cgroup" if options.split(',').any(|option| option == "cpu") => Some((place.to_owned(), false)),
        "cgroup2" if passes_on() => Some((place.to_owned(), true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_controller_is_found() {
        let found = controller("cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0");
        assert_eq!(found, Some(("/sys/fs/cgroup/cpu,cpuacct".into(), false)));
        assert_eq!(controller("cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0"), None);
        assert_eq!(controller("tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0"), None);
    }
}
