//! Attacks that need a whole machine: the code of a run names one. tests/guests/hostile.ts says how each has to end.
#![no_std]
#![no_main]

extern crate alloc;

mod calls;
mod machine;
mod memory;

use mote_guest::{eprintln, println};

mote_guest::entry!(run);

fn run(code: &[u8]) -> i32 {
    match code {
        b"healthy" => println!("healthy"),
        b"endless_loop" => machine::endless_loop(),
        b"endless_halt" => machine::endless_halt(),
        b"triple_fault" => machine::triple_fault(),
        b"illegal_instruction" => machine::illegal_instruction(),
        b"privileged_register" => machine::privileged_register(),
        b"port_unknown" => machine::out(0x3f8, 1),
        b"port_debug" => machine::debug_print(),
        b"port_halt" => machine::out(machine::HALT, 0),
        b"port_abort_endless" => machine::abort_endless(),
        b"divide_by_zero" => machine::divide_by_zero(),
        b"panic" => panic!("on purpose"),
        b"unmapped_read" => memory::unmapped_read(),
        b"unmapped_write" => memory::unmapped_write(),
        b"unmapped_physical" => memory::unmapped_physical(),
        b"code_overwritten" => memory::code_overwritten(),
        b"page_tables_cleared" => memory::page_tables_cleared(),
        b"stack_overflow" => println!("{}", memory::stack_overflow(0)),
        b"heap_at_once" => memory::heap_at_once(),
        b"heap_endless" => memory::heap_endless(),
        b"pages_endless" => memory::pages_endless(),
        b"calls_flood" => calls::flood(),
        b"calls_unknown" => calls::unknown(),
        b"calls_wrong_types" => calls::wrong_types(),
        b"calls_wrong_numbers" => calls::wrong_numbers(),
        b"output_flood" => calls::output_flood(),
        b"tools_flood" => calls::tools_flood(),
        b"tools_arguments_endless" => calls::tools_arguments_endless(),
        b"buffer_corrupted" => calls::buffer_corrupted(),
        b"buffer_corrupted_flood" => calls::buffer_corrupted_flood(),
        b"notify_flood" => calls::notify_flood(),
        b"buffer_corrupted_at_return" => calls::buffer_filled(),
        _ => {
            eprintln!("there is no such attack");
            return 2;
        }
    }
    0
}
