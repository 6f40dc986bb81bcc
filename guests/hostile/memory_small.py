# {"ends": "MEMORY_EXCEEDED"}
# Small objects, so that not the large-block allocator but pymalloc runs dry.
kept = []
while True:
    kept.append({"a": object()})
