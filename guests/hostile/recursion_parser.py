# {"ends": ["exit", "GUEST_CRASHED", "MEMORY_EXCEEDED"], "linux": {"ends": ["exit", "GUEST_CRASHED", "MEMORY_EXCEEDED", "OUTPUT_EXCEEDED"]}, "container": {"ends": ["exit", "GUEST_CRASHED", "MEMORY_EXCEEDED", "OUTPUT_EXCEEDED"]}}
compile("(" * 1_000_000 + ")" * 1_000_000, "x", "eval")
