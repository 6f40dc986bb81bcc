# {"ends": ["exit", "GUEST_CRASHED", "MEMORY_EXCEEDED"]}
compile("-" * 200_000 + "1", "x", "eval")
