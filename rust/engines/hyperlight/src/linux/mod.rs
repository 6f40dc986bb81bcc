//! Linux guests, on hyperlight-unikraft: a whole CPython with native libraries.

mod channel;
mod files;
mod image;
mod network;
mod request;
mod sandbox;
mod site;
mod template;
mod vm;

use crate::pinned::Pinned;
use image::Image;
use mote_core::engine::{Opening, Sandbox};
use mote_core::error::{Code, Error, Result};
use mote_core::request::{LinuxGuest, Open, Opened};
use mote_engine_wasm::shared::Common;
use sandbox::Machine;
use site::Sites;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use template::{Ingredients, Template};
use vm::{Outside, Vm};

/// Templates kept in memory, the one used last at the end.
const MOST_KEPT: usize = 4;
/// Folders of the host that one session may see.
const MOST_MOUNTS: usize = 16;
/// Below this the guest has folders of the host.
const PLACE: &str = "/mnt/";

type Place = Arc<Mutex<Option<Arc<Template>>>>;

#[derive(Default)]
pub struct Engine {
    kept: Mutex<VecDeque<(String, Place)>>,
    sites: Sites,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn invalid(why: String) -> Error {
    Error::new(Code::InvalidOption, format!("Cannot open session: {why}"))
}

impl Engine {
    pub fn new() -> Self {
        Self::default()
    }

    /// Where the template of this key is, or will be: who comes second waits for the first.
    fn place(&self, key: &str) -> Place {
        let mut kept = lock(&self.kept);
        let known = kept.iter().position(|(known, _)| known == key).and_then(|at| kept.remove(at));
        let (key, place) = known.unwrap_or_else(|| (key.to_owned(), Place::default()));
        kept.push_back((key, place.clone()));
        if kept.len() > MOST_KEPT {
            kept.pop_front();
        }
        place
    }

    pub fn open(&self, open: &Open, guest: &LinuxGuest, opening: &dyn Opening) -> Result<(Arc<dyn Sandbox>, Opened)> {
        let begun = Instant::now();
        if open.lang != "python" {
            return Err(Error::new(
                Code::Unsupported,
                format!("Cannot open session: the linux guest does not run {}; the micro guest does", open.lang),
            ));
        }
        check(guest)?;
        network::policy(&guest.net)?;
        let image = Image::unpacked(&guest.image, &open.cache_dir, opening)?;
        let from = Ingredients {
            image: &image,
            memory_bytes: open.limits.memory_bytes,
            preload: &guest.preload,
            site: guest.site.as_ref(),
            sites: &self.sites,
        };
        let key = from.key();
        let place = self.place(&key);
        let (template, made) = {
            let mut place = lock(&place);
            match &*place {
                Some(template) => (template.clone(), false),
                None => {
                    let template = Arc::new(Template::obtain(&from, &key, &open.cache_dir, opening)?);
                    *place = Some(template.clone());
                    (template, true)
                }
            }
        };
        template.check_memory(open.limits.memory_bytes)?;
        let common = match opening.tree() {
            None => Common::new(open, None)?,
            Some(tree) => Common::over(open, tree.downcast().map_err(|_| no_files())?)?,
        };
        let outside = Outside {
            fs: common.fs.clone(),
            library: Arc::new(Mutex::new(site::empty())),
            site: guest.site.as_ref().map(|site| self.sites.get(site)).transpose()?,
            net: guest.net.clone(),
            mounts: guest.mounts.clone(),
        };
        let library = outside.library.clone();
        let snapshot = template.snapshot.clone();
        let vm = Pinned::start("mote-linux", move || Vm::from_snapshot(snapshot, outside))?;
        let machine = Machine::new(open, common, library, &image.manifest.entry, vm);
        let ms = mote_core::engine::ms(begun.elapsed());
        Ok((Arc::new(machine), Opened { image: Some(image.sha256), compiled: made, ms }))
    }
}

fn no_files() -> Error {
    Error::internal("Cannot open session: files of that kind of session cannot be taken over")
}

fn check(guest: &LinuxGuest) -> Result<()> {
    for name in &guest.preload {
        let word = |word: &str| word.starts_with(|first: char| first == '_' || first.is_alphabetic());
        let whole = name.chars().all(|c| c == '_' || c == '.' || c.is_alphanumeric());
        if !whole || !name.split('.').all(word) {
            return Err(invalid(format!("preload has {name:?}, which is no module. Write it as after import")));
        }
    }
    if guest.mounts.len() > MOST_MOUNTS {
        return Err(invalid(format!("rights.read has more than {MOST_MOUNTS} folders. Give fewer")));
    }
    for (path, host) in &guest.mounts {
        let plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if !path.strip_prefix(PLACE).is_some_and(plain) {
            let why =
                format!("rights.read has the place {path:?}, which is not right below {PLACE}. Write \"/mnt/data\"");
            return Err(invalid(why));
        }
        if !host.is_dir() {
            return Err(invalid(format!("rights.read has {}, which is no folder. Give one", host.display())));
        }
    }
    Ok(())
}
