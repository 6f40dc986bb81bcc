use super::Cx;
use crate::errno::Errno;
use crate::host::{Clock, Host};
use crate::memory::{Outcome, put_u64};

pub(super) fn clock(id: u32) -> Result<Clock, Errno> {
    match id {
        0 => Ok(Clock::Realtime),
        1 => Ok(Clock::Monotonic),
        2 => Ok(Clock::ProcessCpu),
        3 => Ok(Clock::ThreadCpu),
        _ => Err(Errno::Inval),
    }
}

pub(crate) fn clock_res_get<H: Host>(cx: &mut Cx<'_, H>, id: u32, out: u32) -> Outcome<(), H::Stop> {
    let resolution = cx.host.resolution(clock(id)?);
    put_u64(cx.memory, out, resolution)
}

pub(crate) fn clock_time_get<H: Host>(cx: &mut Cx<'_, H>, id: u32, _precision: u64, out: u32) -> Outcome<(), H::Stop> {
    let now = cx.host.now(clock(id)?);
    put_u64(cx.memory, out, now)
}
