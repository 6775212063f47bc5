"""What every model of the zoo is to the rest of the library."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.config import Config
from gan_zoo.learning.losses import l1_loss
from gan_zoo.learning.optimizers import FusedAdam

LearningRate = float | keras.optimizers.schedules.LearningRateSchedule  # the latter a function of the optimizer's step

# Of a model that makes its input: settings without effect, and why.
MADE_INPUT = {"input_range": "an input that is made of the target (target_range is for both)"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Translator:
    """One thing that a trained model can do to an image: all that grids, `translate.py`, metrics and the export know.

    Attributes:
        function: from an image `[B, H, W, input_channels]` in [-1, 1], and z `[B, latent_dim]`, a seed `[B]` int64 or a
            label `[B, num_labels]` if it takes one, to an image `[B, H * scale, W * scale, output_channels]` in
            [-1, 1]; a pure graph function, in which each image depends on its own row of the arguments alone.
        networks: the Keras models that `function` and `encode` use, by their field names.
        image_size: the side of the square images that it learnt from.
        size_multiple: the sides of the input image must be multiples of it.
        tile_overlap: how far a pixel of the output looks, in pixels of the input on each side of its place, so that
            large pictures can be translated in parts (`gan_zoo.translation.tiles`); None where it looks at everything.
        latent_dim: length of z; 0 for a translator without it.
        takes_seed: whether it draws noise of its own from a seed given with each image.
        encode: from an image of the output's kind `[B, H, W, output_channels]`, of any size, to `(mu, logvar)`, both
            `[B, latent_dim]`; None for a model without an encoder.
        cycle: from the arguments of `function` to what comes back from there, of the image's shape, with the same
            noise on both ways; one that takes labels is given the image's own as a third argument. None for a model
            that knows no way back.
        chroma: from lightness, L / 50 - 1, `[B, H, W, 1]`, and the noise of `function`, to the ab / 110 `[B, H, W, 2]`
            that `function` joins to it. Where it is there, grey and RGB pictures of any size keep the L they have, and
            the colours can be scaled (`gan_zoo.translation.chroma`). None for a model that makes more than colours.
        attention: from the arguments of `function` to a pair: what `function` gives, and how strongly the translation
            attends to each pixel of the image, `[B, H, W, 1]`, in a measure of the network's own. None for a model
            without attention.
        input_classes: how many classes there are where the pixels of the input image, of one channel, are numbers of
            classes, n / 127.5 - 1; None for colours.
        takes_hints: whether `chroma` has an argument `hints` too, `[B, H, W, 3]` of `gan_zoo.learning.hints`, or None.
        labels: the names of the labels that an image can be given, in the order of `label`; empty for a translator that
            takes none.
        one_label: whether an image has exactly one of them, a class.
        asked_for: from the labels that images have, `[B, num_labels]`, to those that they are shown and measured with,
            `[B, num_labels, num_labels]`: row k is what to give an image to change label k.
        input_key, target_key: which image of a batch it translates, and which one is the truth for it, the same where
            it is to be kept; None: there is no truth.
        metrics: keys of `gan_zoo.metrics.METRICS` that are computed of it without being named, beside the default ones.
        best_metric: the figure by which the best one of several checkpoints is chosen; None for what there is of `l1`
            and `cycle_psnr`, and where there is neither for none.
    """

    function: Callable[..., tf.Tensor]
    networks: Mapping[str, keras.Model]
    input_channels: int
    output_channels: int
    image_size: int
    size_multiple: int
    scale: int = 1
    tile_overlap: int | None = None
    latent_dim: int = 0
    takes_seed: bool = False
    encode: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]] | None = None
    cycle: Callable[..., tf.Tensor] | None = None
    chroma: Callable[..., tf.Tensor] | None = None
    attention: Callable[..., tuple[tf.Tensor, tf.Tensor]] | None = None
    input_classes: int | None = None
    takes_hints: bool = False
    labels: tuple[str, ...] = ()
    one_label: bool = False
    asked_for: Callable[[tf.Tensor], tf.Tensor] | None = None
    input_key: str = "input_image"
    target_key: str | None = "target_image"
    metrics: tuple[str, ...] = ()
    best_metric: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class StartingWeights:
    """Weights that others have trained, which a run reads for its model.

    Attributes:
        setting: of the model, that asks for them.
        name: a key of `gan_zoo.pretrained.fetching.WEIGHTS`, or None for those of `file`.
        file: of PyTorch (a state_dict) or of Keras (HDF5).
    """

    setting: str
    name: str | None = None
    file: str | None = None


def target_multiple(translators: Mapping[str, Translator]) -> int:
    """What the sides of a model's target images must be multiples of, so that its inputs' are too."""
    return max((translator.size_multiple * translator.scale for translator in translators.values()), default=1)


class TranslationModel(keras.Model):
    """A model behind `keras.Model.fit`: networks, one optimizer for each, and a `train_step` in the subclass.

    Class attributes:
        config_class: the dataclass of the model's settings.
        data_kind: the kind of data set that it learns from: paired, unpaired, single or labelled.
        make_input: for "single" and "labelled", a method, pure and of TensorFlow's operations alone: from target images
            `[..., H, W, C]` in [-1, 1] to the input images that belong to them.
        skip_grey: whether pictures without any colour are left out like damaged ones.
        skip_small: whether pictures that would have to be enlarged for a crop are left out likewise.
        measure_whole: whether `evaluate.py` measures whole pictures, whatever size the model learnt from.
    """

    config_class: ClassVar[type[Config]] = Config
    data_kind: ClassVar[str] = "paired"
    make_input: ClassVar[Callable[[tf.Tensor], tf.Tensor] | None] = None
    skip_grey: ClassVar[bool] = False
    skip_small: ClassVar[bool] = False
    measure_whole: ClassVar[bool] = False

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config

    @property
    def networks(self) -> dict[str, keras.Model]:
        """All networks by their field names, in the order in which they are updated."""
        raise NotImplementedError

    @property
    def translators(self) -> dict[str, Translator]:
        """What the trained model can do, by name."""
        raise NotImplementedError

    def ranges_of(self, translator: Translator) -> tuple[int | None, int | None]:
        """White in files of 16 bit, of what a translator takes and of what it gives; None: 65535."""
        whites = {"input_image": self.config.input_range, "target_image": self.config.target_range}
        if self.make_input is not None:
            whites["input_image"] = whites["target_image"]
        taken = whites.pop(translator.input_key)
        return taken, *whites.values()

    @property
    def seed_states(self) -> list[keras.Variable]:
        """The states of the random generators (dropout's), which `tf.train.Checkpoint` does not find by itself."""
        return [
            variable
            for network in self.networks.values()
            for variable in network.variables
            if "seed_generator_state" in variable.path
        ]

    @property
    def extra_state(self) -> dict[str, tf.Variable]:
        """Variables beside the networks' and optimizers' that a resumed run needs, by name."""
        return {}

    def validation_l1(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """How far translations (with z or seed 0) are from the truth: a scalar, the mean absolute difference."""
        translator = next(iter(self.translators.values()))
        image = batch[translator.input_key]
        extra = []
        if translator.latent_dim:
            extra.append(tf.zeros([tf.shape(image)[0], translator.latent_dim]))
        if translator.takes_seed:
            extra.append(tf.zeros([tf.shape(image)[0]], tf.int64))
        return l1_loss(translator.function(image, *extra), batch[translator.target_key])

    def total(self, losses: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The sum of losses that are means over the batch, as one replica's share of the whole."""
        return tf.add_n(list(losses.values())) / tf.distribute.get_strategy().num_replicas_in_sync

    @property
    def starting_weights(self) -> StartingWeights | None:
        """What others have trained that a new run of this model starts from; None: nothing."""
        return None

    def load_pretrained(self, weights: Mapping[str, np.ndarray] | str) -> None:
        """Takes in what was read for `starting_weights`; called once, where a new run starts.

        Args:
            weights: a state_dict of PyTorch's, or the path of a file of Keras'.

        Raises:
            UserError: where they are others than the networks take.
        """
        raise NotImplementedError

    @property
    def loss_weights(self) -> StartingWeights | None:
        """What others have trained that the losses look through; None: nothing. No part of what is trained or saved."""
        return None

    def load_loss_weights(self, weights: Mapping[str, np.ndarray] | str) -> None:
        """Takes in what was read for `loss_weights`; called whenever a run starts or goes on.

        Raises:
            UserError: where they are others than the losses take.
        """
        raise NotImplementedError

    def begin_epoch(self, epoch: int) -> None:
        """Told before the first step of each data epoch, counted from 0, and where a run goes on in the middle of one.

        Where the training step becomes another one, `make_train_function(force=True)` has to follow.
        """

    @property
    def settled_epoch(self) -> int:
        """The data epoch, counted from 0, from which on all losses take part: checks before it begins
        cannot stop a run."""
        return 0

    def learning_rate_of(self, name: str, learning_rate: LearningRate) -> LearningRate:
        """The rate for the network called `name` where that of the run is `learning_rate`."""
        return learning_rate

    def compile(self, learning_rate: LearningRate | None = None) -> None:
        """Gives each network its own Adam; `learning_rate` defaults to the configuration's, constant."""
        if learning_rate is None:
            learning_rate = self.config.learning_rate
        self.optimizers = {}
        for name, network in self.networks.items():
            optimizer = self.make_optimizer(self.learning_rate_of(name, learning_rate))
            optimizer.build(network.trainable_variables)
            self.optimizers[name] = optimizer
        # XLA's random numbers are others than those of the same operation without it, and Keras would choose it for one
        # GPU and not for two: the noise has to be a function of seed and example alone.
        super().compile(optimizer=next(iter(self.optimizers.values())), jit_compile=False)

    def make_optimizer(self, learning_rate: LearningRate) -> keras.optimizers.Optimizer:
        return FusedAdam(learning_rate, self.config.beta_1, self.config.beta_2)

    def apply_gradients(self, name: str, gradients: list[tf.Tensor]) -> None:
        """One step of the optimizer of the network called `name`; replicas' gradients are summed."""
        self.optimizers[name].apply(gradients, self.networks[name].trainable_variables)

    def _maybe_symbolic_build(self, iterator=None, data_batch=None) -> None:
        """Nothing to build: the networks are functional models. Keras would draw a batch before the first step."""
