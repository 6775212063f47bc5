"""CUT and FastCUT: from one domain to another without pairs, and without a way back.

Park et al. 2020, "Contrastive Learning for Unpaired Image-to-Image Translation" (arXiv 2007.15651), as the authors'
PyTorch code has it. A patch of the translation shall be nearer to the patch of the input at its place than to others of
the same input, in the features of the generator's own encoder (PatchNCE).

There is neither a truth for a translation nor a way back to measure. What `schedule=plateau` watches is how far the
generator moves images of the target's domain. That does not say which checkpoint is best, for a generator that does
nothing moves none: no checkpoint is marked as the best, and FID or KID by `evaluate.py` tell.

Other than in the authors' code each example has its own patches and, in FastCUT, its own coin, negatives leave out the
own key (theirs sets its cosine to -10), and real images are not encoded again after the pass that translates them.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import gan_loss, gradient_penalty, l1_loss, patch_nce
from gan_zoo.learning.noise import example_noise
from gan_zoo.learning.patches import draw_positions, mirrored, mirrored_positions, pixels_at
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.models.parts import DiscriminatorConfig, build_discriminator, judge
from gan_zoo.networks.projection_heads import projection_heads
from gan_zoo.networks.resnet import feature_names, features_of, resnet

SIZE_MULTIPLE = 4
_PENALTY, _COIN, _PATCHES = 20, 21, 100  # purposes of noise, the last with room for a pair for each feature map


@dataclasses.dataclass(frozen=True, kw_only=True)
class CUTConfig(DiscriminatorConfig):
    """The authors' settings of CUT."""

    epochs: int = option(400, "passes over the training data", 1)
    init_type: Literal["normal", "xavier", "kaiming", "orthogonal"] = option("xavier", "how kernels are drawn")
    base_filters: int = option(64, "filters of the generator's first convolution", 1)
    num_blocks: int = option(9, "residual blocks of the generator", 1)
    norm: Literal["batch", "instance", "layer", "none"] = option("instance", "normalization of the generator")
    discriminator_norm: Literal["batch", "instance", "layer", "none", "spectral"] = option(
        "instance", "normalization of a discriminator"
    )
    antialias: bool = option(True, "blur before each halving, in the generator and in the patch discriminator")
    upsampling: Literal["transposed", "bilinear", "blur"] = option(
        "blur",
        "transposed convolution, or resize and convolution over a mirrored border (bilinear) or over zeros (blur)",
    )
    inference_mode: Literal["train", "eval"] = option(
        "train", "norm=batch, in translation: the image's own statistics, or the running ones"
    )
    lambda_gan: float = option(1.0, "weight of the adversarial loss", 1e-9)
    lambda_nce: float = option(1.0, "weight of PatchNCE", 1e-9)
    identity_nce: bool = option(
        True, "PatchNCE between images of the target's domain and their translations too, half of lambda_nce each"
    )
    flip_equivariance: bool = option(False, "translate half of the images mirrored; their patches stay where they were")
    nce_layers: str | None = option(
        None,
        "feature maps whose patches are compared, with commas between them: image, conv_in, down_0, down_1, block_0 "
        "and so on; none: image, down_0, down_1, and the first and the middle block",
    )
    num_patches: int = option(256, "patches of each image and feature map, or as many as there are", 2)
    temperature: float = option(0.07, "that the cosines of patches are divided by", 1e-3)
    negatives: Literal["image", "batch"] = option("image", "where a patch's negatives come from")
    head: Literal["mlp", "none"] = option("mlp", "what features go through first: two layers, or nothing")
    head_width: int = option(256, "head=mlp: width of its layers", 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % SIZE_MULTIPLE:
            raise UserError(f"image_size={self.image_size}: this generator needs a multiple of {SIZE_MULTIPLE}")
        if self.input_channels != self.target_channels:
            raise UserError(
                f"input_channels={self.input_channels} and target_channels={self.target_channels}: the generator looks "
                "at its own translations, so both need the same channels"
            )
        if self.identity_nce and self.preprocess in ("scale_width", "none"):
            raise UserError(
                f"preprocess={self.preprocess} gives images of differing sizes, and identity_nce takes those of both "
                "domains together: give --set identity_nce=false"
            )
        names, given = feature_names(self.num_blocks), self.feature_layers
        wrong = [name for name in given if name not in names]
        if wrong or len(set(given)) < len(given):
            what = f"there is no {wrong[0]}" if wrong else "each only once"
            raise UserError(f"nce_layers={self.nce_layers}: {what}; give some of {', '.join(names)}")

    @property
    def feature_layers(self) -> list[str]:
        """The feature maps whose patches are compared, by the names of `networks.resnet.feature_names`."""
        if self.nce_layers is not None:
            return [name.strip() for name in self.nce_layers.split(",")]
        blocks = dict.fromkeys((0, self.num_blocks // 2))  # once, where there is only one
        return ["image", "down_0", "down_1", *(f"block_{block}" for block in blocks)]

    @property
    def idle(self) -> dict[str, str]:
        idle = {}
        if self.norm != "batch":
            idle["inference_mode"] = f"norm={self.norm}"
        if self.head == "none":
            idle["head_width"] = f"head={self.head}"
        return super().idle | idle


@dataclasses.dataclass(frozen=True, kw_only=True)
class FastCUTConfig(CUTConfig):
    """The authors' settings of FastCUT: less to compute, and input and output nearer to each other."""

    epochs: int = option(200, "passes over the training data", 1)
    decay_fraction: float = option(
        0.25, "linear: the share of training, at its end, in which the rate decays", 0.0, 1.0
    )
    lambda_nce: float = option(10.0, "weight of PatchNCE", 1e-9)
    identity_nce: bool = option(
        False, "PatchNCE between images of the target's domain and their translations too, half of lambda_nce each"
    )
    flip_equivariance: bool = option(True, "translate half of the images mirrored; their patches stay where they were")


class CUT(TranslationModel):
    """`generator` A -> B, `heads` features of patches -> vectors, `discriminator` of B; A is the input's domain.

    Attributes:
        encoder: the generator up to the last feature map that is compared: image -> features.
        inside: the whole generator with the same features: image -> features and translation.
    """

    config_class: ClassVar[type[CUTConfig]] = CUTConfig
    data_kind: ClassVar[str] = "unpaired"

    def __init__(self, config: CUTConfig) -> None:
        super().__init__(config)
        kernels = {"init_type": config.init_type, "init_gain": config.init_gain}
        self.generator = resnet(
            input_channels=config.input_channels,
            output_channels=config.target_channels,
            num_blocks=config.num_blocks,
            base_filters=config.base_filters,
            norm=config.norm,
            upsampling=config.upsampling,
            antialias=config.antialias,
            inference_mode=config.inference_mode,
            **kernels,
        )
        self.encoder = features_of(self.generator, config.feature_layers)
        self.inside = features_of(self.generator, config.feature_layers, with_output=True)
        self.heads = projection_heads(
            channels=[feature.shape[-1] for feature in self.encoder.outputs],
            width=config.head_width if config.head == "mlp" else None,
            **kernels,
        )
        self.discriminator = build_discriminator(
            config, config.target_channels, "discriminator", antialias=config.antialias
        )

    @property
    def domains(self) -> int:
        """Whose images are translated while it learns: 1, or with `identity_nce` 2."""
        return 2 if self.config.identity_nce else 1

    @property
    def networks(self) -> dict[str, keras.Model]:
        heads = {"heads": self.heads} if self.config.head == "mlp" else {}
        return {"generator": self.generator, **heads, "discriminator": self.discriminator}

    @property
    def translators(self) -> dict[str, Translator]:
        translator = Translator(
            function=functools.partial(self.generator, training=False),
            networks={"generator": self.generator},
            input_channels=self.config.input_channels,
            output_channels=self.config.target_channels,
            image_size=self.config.image_size,
            size_multiple=SIZE_MULTIPLE,
            target_key=None,
        )
        return {"translate": translator}

    def validation_l1(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """There is no truth for a translation: the mean distance that images of the target's domain are moved."""
        image_b = batch["target_image"]
        return l1_loss(self.generator(image_b, training=False), image_b)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the discriminator, then of generator and heads; returns the losses by name."""
        image_a, image_b, index = batch["input_image"], batch["target_image"], batch["example_index"]
        real = tf.concat([image_a, image_b][: self.domains], 0)  # [B or 2 B, H, W, C]
        is_mirrored = tf.tile(self.coins(index), [self.domains]) if self.config.flip_equivariance else None
        with tf.GradientTape() as tape:
            # Translate once: both updates use the same fakes, and the features of the real images come along.
            turned = real if is_mirrored is None else mirrored(real, is_mirrored)
            *features, translated = self.inside(turned, training=True)
            fake_b = translated[: tf.shape(image_a)[0]]

            with tape.stop_recording():  # neither the discriminator nor the keys learn from what follows
                discriminator_losses = self._update_discriminator(image_b, fake_b, index)
                if is_mirrored is not None:
                    features = keras.tree.flatten(self.encoder(real, training=True))  # of the images as they were
                positions = self.positions(features, index)
                keys = self._vectors(features, positions)

            # Generator and heads: deceive the discriminator as it is now, and keep each patch what it was.
            fake_features = keras.tree.flatten(self.encoder(translated, training=True))
            queries = self._vectors(fake_features, positions, is_mirrored)
            generator_losses = self.generator_losses(judge(self.discriminator, fake_b), queries, keys)
            total = self.total(generator_losses)
        names = [name for name in self.networks if name != "discriminator"]
        gradients = tape.gradient(total, [self.networks[name].trainable_variables for name in names])
        for name, gradient in zip(names, gradients, strict=True):
            self.apply_gradients(name, gradient)
        return generator_losses | discriminator_losses

    def coins(self, example_index: tf.Tensor) -> tf.Tensor:
        """Which examples are translated mirrored, `[B]` bool."""
        return example_noise((self.config.seed, _COIN), example_index, 1, uniform=True)[:, 0] < 0.5

    def positions(self, features: Sequence[tf.Tensor], example_index: tf.Tensor) -> list[tf.Tensor]:
        """The patches to compare, pixels of each feature map: `[B, P]` int32, or `[2 B, P]`, B's behind A's."""
        count, found = self.config.num_patches, []
        for place, feature in enumerate(features):
            seeds = [(self.config.seed, _PATCHES + 2 * place + domain) for domain in range(self.domains)]
            found.append(tf.concat([draw_positions(seed, example_index, feature, count) for seed in seeds], 0))
        return found

    def generator_losses(
        self, fake_logits: list[tf.Tensor], queries: list[tf.Tensor], keys: list[tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of generator and heads (equation 5 of the paper), each a scalar.

        Args:
            fake_logits: what the discriminator says of the translations, a list of scales.
            queries: of the translations' patches, a list of `[B, P, D]` of length 1, one a feature map; with
                `identity_nce` `[2 B, P, D]`, the translations of the target domain's images behind the others.
            keys: of the patches of what was translated, likewise.
        """
        config = self.config
        gan = gan_loss(fake_logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
        losses = {"gan": config.lambda_gan * gan}
        for domain, name in enumerate(("nce", "nce_identity")[: self.domains]):
            halves = [[tf.split(vectors, self.domains)[domain] for vectors in each] for each in (queries, keys)]
            of_maps = [self._nce(*pair) for pair in zip(*halves, strict=True)]
            losses[name] = config.lambda_nce / self.domains * tf.add_n(of_maps) / len(of_maps)
        return losses

    def discriminator_losses(self, image_b: tf.Tensor, fake_b: tf.Tensor, index: tf.Tensor) -> dict[str, tf.Tensor]:
        """The discriminator's losses on real and on fake images, not halved, and the gradient penalty if it has one."""
        mode = self.config.gan_mode
        fake_b = tf.stop_gradient(fake_b)
        losses = {
            "discriminator_real": gan_loss(judge(self.discriminator, image_b), target_is_real=True, mode=mode),
            "discriminator_fake": gan_loss(judge(self.discriminator, fake_b), target_is_real=False, mode=mode),
        }
        if mode == "wgangp":
            alpha = example_noise((self.config.seed, _PENALTY), index, 1, uniform=True)
            penalty = gradient_penalty(lambda image: judge(self.discriminator, image), image_b, fake_b, alpha)
            losses["gradient_penalty"] = self.config.lambda_gradient_penalty * penalty
        return losses

    def _update_discriminator(self, image_b: tf.Tensor, fake_b: tf.Tensor, index: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            losses = self.discriminator_losses(image_b, fake_b, index)
            total = self.total(losses) / 2  # halved, so that it learns at half the generator's pace
        self.apply_gradients("discriminator", tape.gradient(total, self.discriminator.trainable_variables))
        return losses

    def _vectors(
        self, features: list[tf.Tensor], positions: list[tf.Tensor], is_mirrored: tf.Tensor | None = None
    ) -> list[tf.Tensor]:
        """What the heads make of patches, `[B or 2 B, P, D]` each; in mirrored images at the mirrored place."""
        if is_mirrored is not None:
            pairs = zip(positions, features, strict=True)
            positions = [mirrored_positions(places, is_mirrored, feature) for places, feature in pairs]
        patches = [pixels_at(*pair) for pair in zip(features, positions, strict=True)]
        return keras.tree.flatten(self.heads(patches, training=True))

    def _nce(self, queries: tf.Tensor, keys: tf.Tensor) -> tf.Tensor:
        """PatchNCE of a feature map, `[B, P, D]` both."""
        first = 0
        if self.config.negatives == "batch":
            replica = tf.distribute.get_replica_context()
            length = queries.shape[-1]
            queries = tf.reshape(queries, [1, -1, length])
            if replica.num_replicas_in_sync > 1:
                keys = replica.all_gather(keys, axis=0)
                first = replica.replica_id_in_sync_group * tf.shape(queries)[1]
            keys = tf.reshape(keys, [1, -1, length])
        return patch_nce(queries, keys, self.config.temperature, first)


class FastCUT(CUT):
    """CUT with other defaults."""

    config_class: ClassVar[type[FastCUTConfig]] = FastCUTConfig
