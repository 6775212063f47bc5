"""A colorization whose figures are known before: how strong its colours are at each step is written down."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from coloured_pictures import colorized

from gan_zoo.config import Config
from gan_zoo.images import BadExample
from gan_zoo.lab import from_network, grey_to_network, lab_to_rgb, to_grey
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.runs.record import Run
from gan_zoo.training.loop import train
from gan_zoo.training.session import Intervals
from gan_zoo.training.setup import make_strategy

SIZE = 32
AB = (0.5, -0.4)  # of the truth, times L / 50 - 1, as networks have it
EPOCH = 4  # steps


class Pictures:
    """Pictures of grey patches whose colours follow from how light they are; `bad` ones are not readable."""

    kind = "single"

    def __init__(self, masks: bool = False, bad: Sequence[int] = (), count: int = 2 * EPOCH) -> None:
        self.masks, self.bad, self.count = masks, bad, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        if index in self.bad:
            raise BadExample(f"{index}.png", "truncated")
        patches = np.random.default_rng(index).choice(np.linspace(30, 75, 4), (4, 4))
        lightness = patches.repeat(SIZE // 4, 0).repeat(SIZE // 4, 1)[..., np.newaxis]
        picture = colorized(lightness.repeat(3, -1), 110.0 * (lightness / 50.0 - 1.0) * AB)
        mask = {"mask": (lightness > 50).astype(np.int32)} if self.masks else {}
        return {"target_image": picture} | mask


class ScriptedColours(TranslationModel):
    """ab = chroma x the truth, chroma being `script[step]`; nothing is learnt."""

    data_kind: ClassVar[str] = "single"
    make_input = staticmethod(to_grey)
    script: ClassVar[Sequence[float]] = ()  # of the steps from 1 on
    settled_epoch: ClassVar[int] = 0

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        lightness = keras.Input([None, None, 1])
        self.generator = keras.Model(lightness, keras.layers.Conv2D(2, 1, use_bias=False)(lightness))
        self.done = tf.Variable(0, trainable=False)

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"generator": self.generator}

    @property
    def extra_state(self) -> dict[str, tf.Variable]:
        return {"done": self.done}

    @property
    def translators(self) -> dict[str, Translator]:
        translator = Translator(
            function=lambda image: lab_to_rgb(
                from_network(grey_to_network(image), self.generator(grey_to_network(image)))
            ),
            networks=self.networks,
            input_channels=1,
            output_channels=3,
            image_size=SIZE,
            size_multiple=1,
            chroma=self.generator,
            metrics=("ab_spread", "region_agreement", "mask_agreement", "colour_score"),
            best_metric="colour_score",
        )
        return {"translate": translator}

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        chroma = tf.gather(tf.constant(self.script, tf.float32), self.done)
        (kernel,) = self.generator.trainable_variables
        kernel.assign(tf.reshape(chroma * tf.constant(AB), [1, 1, 1, 2]))
        self.done.assign_add(1)
        return {"l1": 0.0 * chroma}


def settings(**changes: Any) -> Config:
    same = {"image_size": SIZE, "batch_size": 2, "input_channels": 1, "schedule": "constant", "flip": False}
    return Config(**same | changes)


def run(workdir: pathlib.Path, script: Sequence[float], **changes: Any) -> tuple[int, list[str]]:
    """Trains by the script, whose length is the run's: the exit code and what was said."""
    model = type("ScriptedColours", (ScriptedColours,), {"script": tuple(script), **changes.pop("model", {})})
    config = settings(steps=len(script))
    record = Run(model="scripted", dataset="pictures", data_dir=None, settings=config.to_dict())
    intervals = {"sample_every": 0, "evaluate_every": 1, "log_every": 100} | changes.pop("intervals", {})
    said: list[str] = []
    code = train(
        model,
        config,
        dataclasses.replace(record, num_examples=2 * EPOCH),
        workdir,
        source=Pictures(),
        sample_source=changes.pop("sample_source", Pictures()),
        strategy=make_strategy("one"),
        intervals=Intervals(**intervals),
        say=said.append,
        **changes,
    )
    return code, said
