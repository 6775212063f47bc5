"""Weights that recordings do not store: each array is drawn anew from its name, by the recipe of the recordings."""

import json
import math
import zlib

import numpy as np


def drawn_weights(arrays, prefix: str) -> dict[str, np.ndarray]:
    """The weights of a network of a recording whose names in `shapes` begin with `prefix`, by the names behind it.

    A standard normal draw n, seeded by the name: the vectors of spectral norm are n / |n|, rho is 0.5 + 0.25 n clipped
    to [0, 1], gamma 1 + 0.1 n, running variances 1 + 0.1 |n|, running means, biases and beta 0.1 n, other vectors
    1 + 0.1 n, kernels n with He's variance; `factors` multiplies some of them.
    """
    factors = json.loads(str(arrays["factors"])) if "factors" in arrays else {}
    weights = {}
    for name, shape in json.loads(str(arrays["shapes"])).items():
        if not name.startswith(prefix):
            continue
        normal = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
        if name.endswith(("weight_u", "weight_v")):
            normal = normal / np.linalg.norm(normal)
        elif name.endswith(".rho"):
            normal = np.clip(np.float32(0.5) + np.float32(0.25) * normal, 0, 1)
        elif name.endswith(".gamma"):
            normal = 1 + np.float32(0.1) * normal
        elif name.endswith("running_var"):
            normal = 1 + np.float32(0.1) * np.abs(normal)
        elif name.endswith(("running_mean", "bias", ".beta")):
            normal = np.float32(0.1) * normal
        elif len(shape) == 1:
            normal = 1 + np.float32(0.1) * normal
        else:
            normal = normal * np.float32(math.sqrt(2 / math.prod(shape[1:])))
        weights[name.removeprefix(prefix)] = normal * np.float32(factors.get(name, 1.0))
    return weights
