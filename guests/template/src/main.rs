//! A guest that obeys one command a line. Put your own program in the place of `run`.
#![no_std]
#![no_main]

extern crate alloc;

use core::sync::atomic::{AtomicU32, Ordering};
use mote_guest::{Stdin, Stream, ToolError, eprintln, println};

mote_guest::entry!(run);

/// What `session.run(code)` calls; the result is the exit code.
fn run(code: &[u8]) -> i32 {
    let Ok(code) = core::str::from_utf8(code) else {
        eprintln!("the code is not UTF-8");
        return 2;
    };
    for line in code.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match obey(command, rest) {
            Ok(None) => {}
            Ok(Some(exit_code)) => return exit_code,
            Err(error) => {
                eprintln!("{command}: {error}");
                return 1;
            }
        }
    }
    0
}

fn obey(command: &str, rest: &str) -> Result<Option<i32>, ToolError> {
    match command {
        "print" => println!("{rest}"),
        "warn" => eprintln!("{rest}"),
        "add" => println!("{}", rest.split_whitespace().filter_map(|word| word.parse::<i64>().ok()).sum::<i64>()),
        "cat" => mote_guest::write(Stream::Stdout, &Stdin::default().read_to_end()),
        "args" => println!("{}", mote_guest::arguments().join(" ")),
        "env" => mote_guest::environment().iter().for_each(|(name, value)| println!("{name}={value}")),
        "random" => println!("{:016x}", random()),
        "tool" => {
            let (tool, arguments) = rest.split_once(' ').unwrap_or((rest, "{}"));
            let answer = mote_guest::call(tool, arguments.as_bytes())?;
            mote_guest::write(Stream::Stdout, &answer);
            println!("");
        }
        "count" => println!("{}", next_count()),
        "exit" => return Ok(Some(rest.parse().unwrap_or(1))),
        _ => {
            eprintln!("there is no command {command}");
            return Ok(Some(127));
        }
    }
    Ok(None)
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    mote_guest::fill_random(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// How often it was called: 1 after each restore, more in an interactive session.
fn next_count() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed) + 1
}
