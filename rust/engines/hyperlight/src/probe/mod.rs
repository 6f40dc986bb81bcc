//! What kind of hypervisor this machine has: found out by running a tiny guest on it, not by looking at a device.

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod kvm;
#[cfg(target_os = "linux")]
mod linux;

use std::fmt::{Display, Formatter, Result};
use std::sync::OnceLock;

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Hypervisor {
    /// Runs guest code at the speed of the processor.
    Real(Measured),
    /// Works, and is slower than running the guest in this process.
    Emulated(Measured),
    /// None that can be used, and why.
    None(Missing),
}

/// Of the tiny guest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// One round of a loop of two instructions in the guest, in ns.
    pub round_ns: f64,
    /// The same in this process, in ns.
    pub host_round_ns: f64,
    /// From the guest to the host and back, in µs.
    pub exit_us: f64,
    /// The machine is a virtual one itself.
    pub nested: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is no device.
    Device,
    /// The device is somebody else's; the group to join, if it has one.
    Permission { group: Option<String> },
    /// It has not what Hyperlight needs.
    Old { lacks: &'static str },
    /// It is there and does not run a guest.
    Failing { why: String },
    /// Hyperlight knows no hypervisor of this system.
    System,
}

/// Slowest round of a processor that is not emulated, in ns: two dependent instructions at 1.3 GHz.
const MOST_ROUND_NS: f64 = 1.5;
/// How much slower guest code may be than the same code in this process.
const MOST_RATIO: f64 = 1.5;
/// Slowest exit of hardware, nested in another virtual machine, in µs.
const MOST_EXIT_US: f64 = 60.0;

impl Measured {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    fn judged(self) -> Hypervisor {
        let real = self.round_ns <= MOST_ROUND_NS
            && self.round_ns <= self.host_round_ns * MOST_RATIO
            && self.exit_us <= MOST_EXIT_US;
        if real { Hypervisor::Real(self) } else { Hypervisor::Emulated(self) }
    }
}

/// Found out once in a process.
pub fn hypervisor() -> &'static Hypervisor {
    static FOUND: OnceLock<Hypervisor> = OnceLock::new();
    FOUND.get_or_init(look)
}

#[cfg(target_os = "linux")]
fn look() -> Hypervisor {
    linux::look()
}

/// Never tried on any such machine: what Hyperlight says of itself is taken for it.
#[cfg(not(target_os = "linux"))]
fn look() -> Hypervisor {
    match hyperlight_host::is_hypervisor_present() {
        true => Hypervisor::Real(Measured { round_ns: 0.0, host_round_ns: 0.0, exit_us: 0.0, nested: false }),
        false => Hypervisor::None(Missing::System),
    }
}

impl Display for Hypervisor {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Real(measured) if measured.nested => {
                write!(f, "a hypervisor on hardware, in a machine that is virtual itself ({measured})")
            }
            Self::Real(measured) => write!(f, "a hypervisor on hardware ({measured})"),
            Self::Emulated(measured) => {
                write!(f, "the hypervisor works but is emulated, slower than no hypervisor ({measured})")
            }
            Self::None(missing) => missing.fmt(f),
        }
    }
}

impl Display for Measured {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { round_ns, host_round_ns, exit_us, .. } = self;
        write!(f, "{exit_us:.1} µs an exit, a loop's round in {round_ns:.2} ns, outside {host_round_ns:.2} ns")
    }
}

impl Display for Missing {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Device => f.write_str(
                "there is no /dev/kvm; enable virtualization in the firmware, load the module kvm_intel or kvm_amd, or \
                 take a machine that allows nested virtualization",
            ),
            Self::Permission { group: Some(group) } => write!(
                f,
                "/dev/kvm may not be opened by this user; join its group with `sudo usermod -aG {group} $USER` and log in anew"
            ),
            Self::Permission { group: None } => {
                f.write_str("/dev/kvm may not be opened by this user; ask the machine's administrator for the right to")
            }
            Self::Old { lacks } => {
                write!(f, "/dev/kvm lacks {lacks}, which Hyperlight needs; update the kernel to 5.10 or newer")
            }
            Self::Failing { why } => write!(
                f,
                "/dev/kvm is there, but a guest of a few instructions does not run on it ({why}): it is emulated or \
                 broken; use a machine with real virtualization, or backend \"wasm\""
            ),
            Self::System => f.write_str("Hyperlight finds no hypervisor of this system"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARDWARE: Measured = Measured { round_ns: 0.3, host_round_ns: 0.3, exit_us: 1.2, nested: false };

    #[test]
    fn only_the_speed_of_hardware_is_called_real() {
        assert!(matches!(HARDWARE.judged(), Hypervisor::Real(_)));
        let nested = Measured { exit_us: 25.0, nested: true, ..HARDWARE };
        assert!(nested.judged().to_string().contains("virtual itself"));
        for slow in [
            Measured { round_ns: 4.0, host_round_ns: 4.0, ..HARDWARE },
            Measured { round_ns: 1.0, ..HARDWARE },
            Measured { exit_us: 150.0, ..HARDWARE },
        ] {
            assert!(matches!(slow.judged(), Hypervisor::Emulated(_)), "{slow}");
        }
    }

    #[test]
    fn what_is_missing_comes_with_its_cure() {
        let group = Missing::Permission { group: Some("kvm".into()) };
        assert!(group.to_string().contains("usermod -aG kvm"));
        assert!(Missing::Device.to_string().contains("kvm_intel"));
        assert!(Missing::Old { lacks: "a filter for MSRs" }.to_string().contains("kernel"));
    }
}
