//! Who holds a file's lock, as the kernel lists it: what a run names when it waits for one.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;

use crate::model::wait::Waits;

/// What the command line gives a run to wait with.
pub(super) fn waits() -> Waits {
    Waits::with(holder)
}

/// The process that holds a `flock` on this file, as the kernel lists it (proc_locks(5)). Nothing where it is of another machine
/// or namespace, or where the file system numbers its devices in its own way.
fn holder(file: &File) -> Option<u32> {
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let found = file.metadata().ok()?;
    let place =
        format!("{:02x}:{:02x}:{}", rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()), found.ino());
    holder_in(&locks, &place)
}

/// `1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`; who only waits for a lock has an arrow behind the number.
fn holder_in(locks: &str, place: &str) -> Option<u32> {
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, pid, at) = (words.next()?, words.nth(2)?, words.next()?);
        let pid = pid.parse().ok().filter(|pid| *pid > 0);
        (kind == "FLOCK" && at == place).then_some(pid).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_list_names_who_holds_and_not_who_waits() {
        let locks = "1: POSIX  ADVISORY  WRITE 1 08:01:7 0 EOF\n2: FLOCK  ADVISORY  READ  4711 08:01:7 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 4712 08:01:8 0 EOF\n3: FLOCK  ADVISORY  WRITE 0 08:01:9 0 EOF\n";
        assert_eq!(holder_in(locks, "08:01:7"), Some(4711));
        assert_eq!(holder_in(locks, "08:01:8"), None);
        assert_eq!(holder_in(locks, "08:01:9"), None);
    }
}
