# {"ends": "MEMORY_EXCEEDED"}
import zlib

packer = zlib.compressobj(9)
packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
zlib.decompress(packed)
