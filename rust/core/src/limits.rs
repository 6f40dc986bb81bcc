//! Rights of a session in numbers. Every bound is checked here and nowhere else.

use crate::error::{Code, Error, Result};
use serde::Deserialize;

/// Limits of one session; the time and output ones hold for each run by itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    /// Wall-clock time of a run, in ms. Default 30,000; 1 to 86,400,000.
    pub time_ms: u64,
    /// CPU time of a run, in ms. Default none; 1 to 86,400,000.
    pub cpu_ms: Option<u64>,
    /// Linear memory of the guest, in bytes. Default 256 MiB; 1 MiB to 4 GiB.
    pub memory_bytes: u64,
    /// stdout and stderr of a run together, in bytes. Default 8 MiB; 0 to 1 GiB less 1 MiB.
    pub output_bytes: u64,
    /// Cut output at its limit instead of ending the run. Default false.
    pub truncate_output: bool,
    /// Files of the workspace, in bytes. Default 256 MiB; 0 to 4 GiB.
    pub workspace_bytes: u64,
    /// Files, directories and links of the workspace. Default 10,000; 0 to 1,000,000.
    pub workspace_files: u64,
    /// Tool calls of a run. Default 1,000; 0 to 1,000,000.
    pub tool_calls: u32,
    /// Arguments and answer of one tool call, each, in bytes. Default 8 MiB; 1 to 256 MiB.
    pub tool_bytes: u64,
    /// Time of one tool call, in ms. Default 30,000; 1 to 86,400,000.
    pub tool_time_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: 30_000,
            cpu_ms: None,
            memory_bytes: 256 * MIB,
            output_bytes: 8 * MIB,
            truncate_output: false,
            workspace_bytes: 256 * MIB,
            workspace_files: 10_000,
            tool_calls: 1_000,
            tool_bytes: 8 * MIB,
            tool_time_ms: 30_000,
        }
    }
}

const MIB: u64 = 1 << 20;
const DAY_MS: u64 = 86_400_000;

impl Limits {
    pub fn check(&self) -> Result<()> {
        within("timeMs", self.time_ms, 1, DAY_MS)?;
        within("cpuMs", self.cpu_ms.unwrap_or(1), 1, DAY_MS)?;
        within("memoryBytes", self.memory_bytes, MIB, 4096 * MIB)?;
        within("outputBytes", self.output_bytes, 0, 1023 * MIB)?;
        within("workspaceBytes", self.workspace_bytes, 0, 4096 * MIB)?;
        within("workspaceFiles", self.workspace_files, 0, 1_000_000)?;
        within("toolCalls", u64::from(self.tool_calls), 0, 1_000_000)?;
        within("toolBytes", self.tool_bytes, 1, 256 * MIB)?;
        within("toolTimeMs", self.tool_time_ms, 1, DAY_MS)
    }

    /// The wall-clock limit of one run, which may ask for another one than its session's.
    pub fn run_time_ms(&self, asked: Option<u64>) -> Result<u64> {
        let time = asked.unwrap_or(self.time_ms);
        within("timeMs", time, 1, DAY_MS)?;
        Ok(time)
    }
}

fn within(name: &str, value: u64, least: u64, most: u64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    let message = format!("Cannot use limit {name}: {value} is not within {least} and {most}");
    Err(Error::new(Code::InvalidOption, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_within_bounds() {
        assert_eq!(Limits::default().check(), Ok(()));
    }

    #[test]
    fn values_past_a_bound_are_refused_by_name() {
        let error = Limits { time_ms: 0, ..Limits::default() }.check().unwrap_err();
        assert_eq!(error.code, Code::InvalidOption);
        assert!(error.message.contains("timeMs"), "{error}");
        assert!(Limits { memory_bytes: u64::MAX, ..Limits::default() }.check().is_err());
        assert!(Limits::default().run_time_ms(Some(DAY_MS + 1)).is_err());
    }
}
