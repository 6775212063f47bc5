"""Count, mean and covariance of features that stream by: what FID needs of a set of images, however large."""

import numpy as np


class FeatureStatistics:
    """Mean and covariance in float64, in memory that does not grow with the number of images.

    Chan, Golub and LeVeque 1983: each batch is measured from its own mean and merged, so that nothing is lost to the
    difference of large numbers. The three fields are all there is to store.

    Args:
        count: how many feature vectors have been seen.
        mean: `[D]`, their mean.
        scatter: `[D, D]`, the sum of the outer products of their deviations from it.
    """

    def __init__(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        self.count, self.mean, self.scatter = int(count), np.asarray(mean), np.asarray(scatter)
        size = self.mean.size
        if self.mean.shape != (size,) or self.scatter.shape != (size, size):
            raise ValueError(
                f"mean [D] and scatter [D, D] are needed. Received: {self.mean.shape} and {self.scatter.shape}"
            )

    @classmethod
    def empty(cls, size: int) -> "FeatureStatistics":
        """Of no vectors yet, of `size` features."""
        return cls(0, np.zeros(size), np.zeros((size, size)))

    def update(self, features: np.ndarray) -> None:
        """Adds a batch, `[B, D]`.

        Raises:
            ValueError: for another shape, or numbers that are not finite; nothing has been added then.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or features.shape[1] != self.mean.size:
            raise ValueError(f"[B, {self.mean.size}] is needed. Received: {list(features.shape)}")
        if not np.isfinite(features).all():
            raise ValueError("features must be finite numbers")
        if len(features) == 0:
            return
        mean = features.mean(axis=0)
        # The distance of the two means is one more deviation: a single matrix product takes in all of them.
        deviations = np.concatenate([features - mean, self._between(len(features), mean)[np.newaxis]])
        self.scatter += deviations.T @ deviations
        self._move_mean(len(features), mean)

    @property
    def covariance(self) -> np.ndarray:
        """`[D, D]`, the unbiased one (n - 1).

        Raises:
            ValueError: for fewer than two vectors.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 images. Received: {self.count}")
        return self.scatter / (self.count - 1)

    def _between(self, count: int, mean: np.ndarray) -> np.ndarray:
        return np.sqrt(self.count * count / (self.count + count)) * (mean - self.mean)

    def _move_mean(self, count: int, mean: np.ndarray) -> None:
        self.count += count
        self.mean = self.mean + (mean - self.mean) * (count / self.count)
