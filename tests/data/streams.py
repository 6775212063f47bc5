"""What the tests of the pipeline share: settings, a source of noise, and its first batches."""

import itertools
import types

import numpy as np

from gan_zoo.images import BadExample

RANDOM = np.random.default_rng(0)


def settings(**changes):
    values = {
        "image_size": 16,
        "load_scale": 1.25,
        "preprocess": "resize_and_crop",
        "flip": True,
        "direction": "a_to_b",
        "input_channels": 3,
        "target_channels": 3,
        "batch_size": 4,
        "seed": 7,
    }
    return types.SimpleNamespace(**(values | changes))


class Source:
    """Noise, the same in input and target, whose number is part of the example."""

    kind = "paired"

    def __init__(self, count=10, size=20, dtype=np.uint8, bad=()):
        high = np.iinfo(dtype).max
        self.pictures = RANDOM.integers(0, high, (count, size, size, 3), endpoint=True).astype(dtype)
        self.bad, self.reads = set(bad), 0

    def __len__(self):
        return len(self.pictures)

    def __getitem__(self, index):
        self.reads += 1
        if index in self.bad:
            raise BadExample(f"{index}.png", "truncated")
        return {"input_image": self.pictures[index], "target_image": self.pictures[index], "number": index}


def taken(dataset, count=None):
    return list(itertools.islice(dataset.as_numpy_iterator(), count))


def assert_same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])
