//! Which process this is, and whether another is still running.

use super::fs::Process;

/// This process.
pub(super) fn this() -> Process {
    let pid = std::process::id();
    Process { pid, host: host(), started: stat(pid).and_then(|stat| started(&stat)).unwrap_or_default() }
}

/// Whether this process of this machine is still running.
pub(super) fn alive(pid: u32, then: &str) -> bool {
    match stat(pid) {
        Some(stat) => started(&stat).is_some_and(|now| then.is_empty() || now == then),
        None => exists(pid),
    }
}

/// What Linux tells of a process; `None` if it is gone, hidden, or this is another system.
fn stat(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()
}

/// The boot, and the moment in it when the process began; `None` if it ended and only its parent has not noticed.
fn started(stat: &str) -> Option<String> {
    // The second field is the program's name, in parentheses, and may hold anything (proc_pid_stat(5)).
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    let running = !matches!(fields.next()?, "Z" | "X");
    let ticks = fields.nth(18)?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    running.then(|| format!("{}/{ticks}", boot.trim()))
}

/// The null signal tells whether there is such a process; one of another user may not be signalled, but is there.
#[cfg(unix)]
fn exists(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// The standard library cannot ask this of Windows: its locks are taken over only by hand.
#[cfg(not(unix))]
fn exists(_pid: u32) -> bool {
    true
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}
