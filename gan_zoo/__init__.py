"""Image-to-image translation GANs for TensorFlow 2 and Keras 3.

    import gan_zoo

    zoo = gan_zoo.load("runs/bicyclegan_shapes")
    pictures = zoo.translate(drawing, num_samples=6, seed=1)

`gan_zoo/api.py` says what there is. Nothing but this file is imported before the first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_zoo.api import evaluate, list_metrics, list_models, load, train
    from gan_zoo.errors import UserError
    from gan_zoo.translation.trained import TrainedModel

__version__ = "0.1.0"
__all__ = ["TrainedModel", "UserError", "evaluate", "list_metrics", "list_models", "load", "train"]

_HOMES = {"UserError": "errors", "TrainedModel": "translation.trained"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
