//! Instances made ahead, and used ones taken apart, both off the path of any run.

use crate::guest::{Guest, Template};
use crate::image::Image;
use mote_core::error::Result;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;

/// Instances of an image that are made ahead.
const READY: usize = 4;
/// Instances of an image that wait for a run: those of a burst of runs stay for the next one.
const MOST_READY: usize = 16;
/// Used instances that wait to be taken apart; past it a run takes its own apart.
const MOST_USED: usize = 16;
/// The thread that works here gives way to runs.
const NICE: i32 = 5;

/// The instances of one image.
pub struct Ready {
    image: Weak<Image>,
    guests: Mutex<Vec<Guest>>,
    /// Made once runs show that the image is in use; `None` within when it cannot be.
    template: OnceLock<Option<Template>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ready {
    pub fn new(image: Weak<Image>) -> Self {
        Self { image, guests: Mutex::default(), template: OnceLock::new() }
    }

    /// A ready instance, or one made now. Its place is filled when `replace` is called, after the run that took it.
    pub fn take(&self, image: &Image) -> Result<Guest> {
        let guest = locked(&self.guests).pop();
        guest.map_or_else(|| Guest::new(image, false), Ok)
    }

    /// Takes an instance back after its run. One that has `returned` is restored and waits for the next run; any other
    /// one is taken apart soon, and a new one made.
    pub fn give_back(&self, mut guest: Guest, returned: bool) {
        if returned
            && let Some(Some(template)) = self.template.get()
            && guest.restore(template)
        {
            let mut guests = locked(&self.guests);
            if guests.len() < MOST_READY {
                guests.push(guest);
                return;
            }
        }
        self.replace(Some(guest));
    }

    /// Takes a used instance apart and makes new ones ahead, soon.
    pub fn replace(&self, used: Option<Guest>) {
        Backstage::shared().give(self.image.clone(), used);
    }

    /// Instances that wait.
    pub fn len(&self) -> usize {
        locked(&self.guests).len()
    }

    /// Adds one instance; false when there are enough or none can be made.
    fn add(&self, image: &Image) -> bool {
        if self.len() >= READY {
            return false;
        }
        // A guest that cannot be made ahead fails in the run that needs it, where somebody is told.
        let Ok(guest) = Guest::new(image, true) else { return false };
        let mut guests = locked(&self.guests);
        guests.push(guest);
        guests.len() < READY
    }
}

/// One thread for all images.
struct Backstage {
    work: Mutex<Work>,
    more: Condvar,
}

#[derive(Default)]
struct Work {
    refill: VecDeque<Weak<Image>>,
    used: Vec<Guest>,
    /// Images whose first run has ended.
    in_use: Vec<Weak<Image>>,
    asleep: bool,
    running: bool,
}

impl Backstage {
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Backstage> = OnceLock::new();
        SHARED.get_or_init(|| Self { work: Mutex::default(), more: Condvar::new() })
    }

    fn give(&'static self, image: Weak<Image>, used: Option<Guest>) {
        let mut work = locked(&self.work);
        let untried = |image: &Image| image.ready.template.get().is_none();
        if used.is_some() && image.upgrade().is_some_and(|image| untried(&image)) {
            work.in_use.push(image.clone());
        }
        if !work.refill.iter().any(|queued| queued.ptr_eq(&image)) {
            work.refill.push_back(image);
        }
        let spare = match used {
            Some(guest) if work.used.len() < MOST_USED => {
                work.used.push(guest);
                None
            }
            spare => spare,
        };
        self.wake(work);
        drop(spare);
    }

    fn wake(&'static self, mut work: MutexGuard<'_, Work>) {
        if !work.running {
            work.running = true;
            let thread = thread::Builder::new().name("mote-ready".into()).stack_size(8 << 20);
            work.running = thread.spawn(|| self.serve()).is_ok();
        }
        let wake = std::mem::take(&mut work.asleep);
        drop(work);
        if wake {
            self.more.notify_one();
        }
    }

    fn serve(&self) {
        // Only on Linux does this mean the thread alone; where it is refused the thread is just less polite.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        let mut work = locked(&self.work);
        loop {
            if let Some(used) = work.used.pop() {
                drop(work);
                drop(used);
            } else if let Some(image) = work.refill.pop_front() {
                drop(work);
                if let Some(strong) = image.upgrade()
                    && strong.ready.add(&strong)
                {
                    locked(&self.work).refill.push_back(image);
                }
            } else if let Some(image) = work.in_use.pop() {
                drop(work);
                if let Some(image) = image.upgrade() {
                    image.ready.template.get_or_init(|| Template::new(&image));
                }
            } else {
                work.asleep = true;
                work = self.more.wait(work).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            work = locked(&self.work);
        }
    }
}
