//! Which guest a session gets, once there is a hypervisor to run it.

use crate::probe::{self, Hypervisor};
use crate::{elf, linux, micro};
use mote_core::engine::{Engine, Opening, Probe, Sandbox};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{Guest, Open, Opened};
use std::sync::Arc;

#[derive(Default)]
pub struct HyperlightEngine {
    micro: micro::Engine,
    linux: linux::Engine,
    elf: elf::Engine,
}

impl HyperlightEngine {
    pub fn new() -> Self {
        Self { micro: micro::Engine::new(), linux: linux::Engine::new(), elf: elf::Engine::new() }
    }
}

fn check_hypervisor(accept_emulated: bool) -> Result<()> {
    let unavailable = |why: &str| {
        let message = format!("Cannot open session: {why}");
        Err(Error::new(Code::BackendUnavailable, message))
    };
    match probe::hypervisor() {
        Hypervisor::Real(_) => Ok(()),
        Hypervisor::Emulated(_) if accept_emulated => Ok(()),
        found @ Hypervisor::Emulated(_) => unavailable(&format!(
            "{found}. Use backend \"wasm\", or set acceptEmulatedHypervisor if slow is good enough"
        )),
        found @ Hypervisor::None(_) => unavailable(&found.to_string()),
    }
}

impl Engine for HyperlightEngine {
    fn name(&self) -> &'static str {
        "hyperlight"
    }

    fn probe(&self) -> Probe {
        let found = probe::hypervisor();
        Probe { available: matches!(found, Hypervisor::Real(_)), reason: found.to_string() }
    }

    fn open_at_once(&self, _: &Open) -> Option<Result<(Arc<dyn Sandbox>, Opened)>> {
        None
    }

    fn open(&self, open: &Open, opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        check_hypervisor(open.accept_emulated)?;
        if open.files_of.is_some() && !matches!(open.guest, Some(Guest::Linux(_))) {
            let message = "Cannot open session: only the linux guest takes over files";
            return Err(Error::new(Code::Unsupported, message));
        }
        match &open.guest {
            Some(Guest::Micro { elf }) => self.micro.open(open, elf, opening),
            Some(Guest::Linux(guest)) => self.linux.open(open, guest, opening),
            Some(Guest::Elf { elf }) => self.elf.open(open, elf, opening),
            None => Err(Error::new(Code::InvalidOption, "Cannot open session: it names no guest for a micro-VM")),
        }
    }
}
