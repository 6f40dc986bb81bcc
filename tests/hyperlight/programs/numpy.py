import numpy as np

rng = np.random.default_rng(7)
a = rng.normal(size=(60, 60))
inverse = np.linalg.inv(a)
print(np.allclose(a @ inverse, np.eye(60)))
print(np.arange(10).sum(), np.fft.ifft(np.fft.fft([1.0, 2.0, 3.0])).real.round(6).tolist())
print(np.linalg.svd(a, compute_uv=False).shape, a.dtype)
