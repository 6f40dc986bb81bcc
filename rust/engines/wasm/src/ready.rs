//! Instances made ahead, and used ones taken apart, both off the path of any run.

use crate::guest::{Guest, Template};
use crate::image::Image;
use mote_core::error::Result;
use mote_core::spin::spin;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// Instances of an image that are made ahead.
const READY: usize = 4;
/// Instances of an image that wait for a run: those of a burst of runs stay for the next one.
const MOST_READY: usize = 16;
/// With fewer instances that wait for a run it is urgent to put used ones back.
const FEWEST_READY: usize = 2;
/// Used instances that wait to be taken apart; past it a run takes its own apart.
const MOST_USED: usize = 16;
/// The thread that works here gives way to runs.
const NICE: i32 = 5;

/// The instances of one image.
pub struct Ready {
    image: Weak<Image>,
    guests: Mutex<Vec<Guest>>,
    /// Instances that have returned from a run and will be put back to the template.
    returned: Mutex<Vec<Guest>>,
    /// Made once runs show that the image is in use; `None` within when it cannot be.
    template: OnceLock<Option<Template>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ready {
    pub fn new(image: Weak<Image>) -> Self {
        Self { image, guests: Mutex::default(), returned: Mutex::default(), template: OnceLock::new() }
    }

    /// A ready instance, or one made now. Its place is filled when `replace` is called, after the run that took it.
    pub fn take(&self, image: &Image) -> Result<Guest> {
        let guest = locked(&self.guests).pop().or_else(|| self.restored());
        guest.map_or_else(|| Guest::new(image, false), Ok)
    }

    /// Puts an instance back that was taken but not used.
    pub fn put(&self, guest: Guest) {
        locked(&self.guests).push(guest);
    }

    /// One of the instances that have returned, restored.
    fn restored(&self) -> Option<Guest> {
        let template = self.template.get()?.as_ref()?;
        loop {
            let mut guest = locked(&self.returned).pop()?;
            if guest.restore(template) {
                return Some(guest);
            }
            self.replace(Some(guest));
        }
    }

    /// Like `give_back`, but all work is done by another thread.
    pub fn give_back_later(&self, guest: Guest, returned: bool) {
        if !returned || !matches!(self.template.get(), Some(Some(_))) {
            return self.replace(Some(guest));
        }
        let mut waiting = locked(&self.returned);
        if waiting.len() >= MOST_USED {
            drop(waiting);
            return self.give_back(guest, returned);
        }
        waiting.push(guest);
        let first = waiting.len() == 1;
        drop(waiting);
        Backstage::shared().restore(&self.image, first, self.len() < FEWEST_READY);
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
        Backstage::shared().give(self.image.clone(), used, Duration::ZERO);
    }

    /// Makes instances ahead, but leaves the processor to a first run that comes at once.
    pub fn fill_later(&self) {
        Backstage::shared().give(self.image.clone(), None, FIRST_RUN);
    }

    /// Restores all that have returned.
    fn restore_returned(&self) {
        while let Some(guest) = self.restored() {
            let mut guests = locked(&self.guests);
            if guests.len() < MOST_READY {
                guests.push(guest);
            }
        }
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

/// How soon a run is expected after its image was loaded.
const FIRST_RUN: Duration = Duration::from_millis(5);
/// How long the thread looks out for more work before it dozes, and how often it looks then.
const LOOK_OUT: Duration = Duration::from_micros(60);
const DOZE: Duration = Duration::from_millis(1);
/// Looks without any work until the thread sleeps.
const DOZES: u32 = 20;

/// One thread for all images.
struct Backstage {
    work: Mutex<Work>,
    more: Condvar,
    /// Pieces of work given so far, for a thread that looks out without the lock.
    given: AtomicUsize,
}

#[derive(Default)]
struct Work {
    /// Images with instances that have returned.
    restore: Vec<Weak<Image>>,
    refill: VecDeque<Weak<Image>>,
    /// When to begin with that.
    refill_from: Option<Instant>,
    used: Vec<Guest>,
    /// Images whose first run has ended.
    in_use: Vec<Weak<Image>>,
    rest: Rest,
    running: bool,
}

impl Work {
    /// How long to leave making instances be, if at all.
    fn until_refill(&self) -> Option<Duration> {
        let from = self.refill_from.filter(|_| !self.refill.is_empty())?;
        from.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }
}

/// What the thread does.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Rest {
    /// It will see what is given.
    #[default]
    Awake,
    /// It will see it within a millisecond.
    Dozing,
    Asleep,
}

impl Backstage {
    fn shared() -> &'static Self {
        static SHARED: OnceLock<Backstage> = OnceLock::new();
        SHARED.get_or_init(|| Self { work: Mutex::default(), more: Condvar::new(), given: AtomicUsize::new(0) })
    }

    /// Restores instances of the image. `more`: they are the first that wait; `urgent`: runs have hardly any left.
    fn restore(&'static self, image: &Weak<Image>, more: bool, urgent: bool) {
        let mut work = locked(&self.work);
        if more {
            work.restore.push(image.clone());
        }
        self.wake(work, urgent);
    }

    fn give(&'static self, image: Weak<Image>, used: Option<Guest>, patience: Duration) {
        let mut work = locked(&self.work);
        work.refill_from = Some(Instant::now() + patience);
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
        self.wake(work, true);
        drop(spare);
    }

    fn wake(&'static self, mut work: MutexGuard<'_, Work>, urgent: bool) {
        self.given.fetch_add(1, Ordering::Release);
        if !work.running {
            work.running = true;
            let thread = thread::Builder::new().name("mote-ready".into()).stack_size(8 << 20);
            work.running = thread.spawn(|| self.serve()).is_ok();
        }
        let wake = work.rest == Rest::Asleep || (urgent && work.rest == Rest::Dozing);
        if wake {
            work.rest = Rest::Awake;
        }
        drop(work);
        if wake {
            self.more.notify_one();
        }
    }

    fn serve(&self) {
        // Only on Linux does this mean the thread alone; where it is refused the thread is just less polite.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
        let mut work = locked(&self.work);
        let mut dozes = 0;
        loop {
            work.rest = Rest::Awake;
            if let Some(image) = work.restore.pop() {
                drop(work);
                if let Some(image) = image.upgrade() {
                    image.ready.restore_returned();
                }
            } else if let Some(used) = work.used.pop() {
                drop(work);
                drop(used);
            } else if let Some(left) = work.until_refill() {
                work.rest = Rest::Dozing;
                work = self.more.wait_timeout(work, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
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
                let seen = self.given.load(Ordering::Acquire);
                drop(work);
                let found = dozes == 0 && spin(LOOK_OUT, || self.given.load(Ordering::Acquire) != seen);
                work = locked(&self.work);
                if found || self.given.load(Ordering::Acquire) != seen {
                    dozes = 0;
                    continue;
                }
                dozes += 1;
                work = match dozes <= DOZES {
                    true => {
                        work.rest = Rest::Dozing;
                        self.more.wait_timeout(work, DOZE).unwrap_or_else(PoisonError::into_inner).0
                    }
                    false => {
                        work.rest = Rest::Asleep;
                        self.more.wait(work).unwrap_or_else(PoisonError::into_inner)
                    }
                };
                continue;
            }
            dozes = 0;
            work = locked(&self.work);
        }
    }
}
