# Of the tools that decide over the bytes of the image.
RUST=1.96.0
LIBC=2.36
