//! How much memory the instance has, which the Functions host shares.

use std::path::Path;

/// What the host and this program take by themselves. The host was seen with 145 MB when idle.
const RESERVED: u64 = 320 << 20;

/// Of the rest, this share is given out: what is freed is not always given back at once.
const SHARE: f64 = 0.75;

/// The least and the most that is given out.
const BOUNDS: (u64, u64) = (64 << 20, 8 << 30);

/// How many bytes events, rows, posts and ledger may take: `megabytes` where the settings say so,
/// otherwise by the memory of the instance.
pub fn working_memory(megabytes: Option<u32>) -> usize {
    let bytes = match megabytes {
        Some(megabytes) => u64::from(megabytes) << 20,
        None => share_of(instance_memory(Path::new("/"))),
    };
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn share_of(memory: Option<u64>) -> u64 {
    let rest = memory.unwrap_or(0).saturating_sub(RESERVED) as f64 * SHARE;
    (rest as u64).clamp(BOUNDS.0, BOUNDS.1)
}

/// The limit of the process's control group (version 2 or 1), or the machine's memory where that is
/// less. `None` if neither can be read.
fn instance_memory(root: &Path) -> Option<u64> {
    let limits = ["sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = limits.into_iter().filter_map(|path| read(&root.join(path))?.trim().parse().ok());
    let machine = read(&root.join("proc/meminfo")).and_then(|text| total(&text));
    limits.chain(machine).min()
}

#[expect(clippy::disallowed_methods, reason = "files of the kernel, which do not block")]
fn read(path: &Path) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// `MemTotal` of /proc/meminfo, in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:        2048000 kB\nMemFree: 1 kB\n");

    #[expect(clippy::disallowed_methods, reason = "a test's own files")]
    fn memory_with(files: &[(&str, &str)]) -> Option<u64> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        instance_memory(root.path())
    }

    #[test]
    fn the_least_limit_counts() {
        let group = |limit| ("sys/fs/cgroup/memory.max", limit);
        let old_group = |limit| ("sys/fs/cgroup/memory/memory.limit_in_bytes", limit);
        let machine = Some(2_048_000 << 10);
        assert_eq!(memory_with(&[]), None);
        assert_eq!(memory_with(&[MEMINFO]), machine);
        assert_eq!(memory_with(&[MEMINFO, group("max\n")]), machine);
        assert_eq!(memory_with(&[MEMINFO, group("536870912\n")]), Some(512 << 20));
        assert_eq!(memory_with(&[MEMINFO, old_group("9223372036854771712\n")]), machine);
        assert_eq!(memory_with(&[old_group("1073741824\n")]), Some(1 << 30));
        assert_eq!(memory_with(&[("proc/meminfo", "nonsense")]), None);
    }

    #[test]
    fn what_the_host_takes_is_left_alone() {
        assert_eq!(share_of(None), 64 << 20);
        assert_eq!(share_of(Some(256 << 20)), 64 << 20);
        assert_eq!(share_of(Some(512 << 20)), 144 << 20);
        assert_eq!(share_of(Some(2048 << 20)), 1296 << 20);
        assert_eq!(share_of(Some(u64::MAX)), 8 << 30);
    }
}
