use std::time::Instant;
use wasmtime::*;
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let slots: u32 = std::env::args().nth(2).unwrap().parse().unwrap();
    let stacks: u32 = std::env::args().nth(3).unwrap().parse().unwrap();
    let mut all = vec![];
    for _ in 0..n {
        let t = Instant::now();
        let mut pool = PoolingAllocationConfig::new();
        pool.total_core_instances(slots)
            .total_memories(slots)
            .total_tables(slots)
            .max_memories_per_module(1)
            .max_tables_per_module(1)
            .table_elements(65536)
            .max_core_instance_size(8 << 20)
            .max_memory_size(4 << 30)
            .max_unused_warm_slots(64)
            .linear_memory_keep_resident(2 << 20)
            .table_keep_resident(1 << 20)
            .pagemap_scan(Enabled::Auto)
            .total_stacks(stacks);
        let mut c = Config::new();
        c.signals_based_traps(true)
            .memory_init_cow(true)
            .memory_reservation(4 << 30)
            .memory_guard_size(32 << 20)
            .memory_guaranteed_dense_image_size(512 << 20)
            .epoch_interruption(true)
            .max_wasm_stack(4 << 20)
            .async_stack_size(8 << 20)
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let e = Engine::new(&c).unwrap();
        all.push(t.elapsed());
        drop(e);
    }
    println!("first {:?}", all[0]);
    all.sort();
    println!("p50 {:?} min {:?}", all[all.len() / 2], all[0]);
}
