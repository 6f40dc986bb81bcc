# {"ends": "exit"}
open("n" * 1_000_000, "w")
