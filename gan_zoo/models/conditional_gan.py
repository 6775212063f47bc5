"""The training step of pix2pix, which others share: one generator, and one discriminator that sees the condition too.

Isola et al. 2016, "Image-to-Image Translation with Conditional Adversarial Networks" (arXiv 1611.07004), as the later
of the authors' codes has it, in PyTorch.
"""

import keras
import tensorflow as tf

from gan_zoo.learning.losses import gan_loss, gradient_penalty, l1_loss
from gan_zoo.learning.noise import example_noise, example_seeds
from gan_zoo.models.base import TranslationModel
from gan_zoo.models.parts import generate, judge

_DROPOUT, _PENALTY = 4, 5  # purposes of noise


class ConditionalGAN(TranslationModel):
    """A model whose `train_step` is `learn`, of a condition and of the image that belongs to it.

    Its configuration has `gan_mode`, `lambda_gan`, `lambda_l1` and `lambda_gradient_penalty`.

    Attributes:
        generator: from the condition, or what it is given instead, or from it and the seeds of dropout, to an image.
        discriminator: from both joined to logits.
        adversarial: whether the discriminator takes part; if not, the generator learns from the L1 loss alone.
    """

    generator: keras.Model
    discriminator: keras.Model
    adversarial: bool

    def learn(
        self,
        condition: tf.Tensor,
        target_image: tf.Tensor,
        example_index: tf.Tensor,
        generator_input: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """One update of the discriminator, then of the generator; returns the losses by name.

        Args:
            condition, target_image: `[B, H, W, C]`, as the networks take them.
            example_index: `[B]` int64.
            generator_input: what the generator sees where that is not the condition alone, `[B, H, W, C]`.
        """
        generator_input = condition if generator_input is None else generator_input
        # Translate once: both updates use the same fakes.
        with tf.GradientTape() as network_tape:
            seed = example_seeds((self.config.seed, _DROPOUT), example_index)
            fake_image = generate(self.generator, generator_input, seed, training=True)

        # Discriminator: tell the truth from the fakes.
        discriminator_losses = {}
        if self.adversarial:
            with tf.GradientTape() as tape:
                discriminator_losses = self.discriminator_losses(condition, target_image, fake_image, example_index)
                # Halved, so that it learns at half the generator's pace.
                total = self.total(discriminator_losses) / 2
            weights = self.discriminator.trainable_variables
            self.apply_gradients("discriminator", tape.gradient(total, weights))

        # Generator: deceive the discriminator as it is now, and stay near the truth. The losses' gradients to the fakes
        # are carried back through what made them.
        with tf.GradientTape() as image_tape:
            image_tape.watch(fake_image)
            fake_logits = self._judge(condition, fake_image) if self.adversarial else None
            generator_losses = self.generator_losses(target_image, fake_image, fake_logits)
            total = self.total(generator_losses)
        image_gradient = image_tape.gradient(total, fake_image)
        weights = self.generator.trainable_variables
        self.apply_gradients("generator", network_tape.gradient(fake_image, weights, image_gradient))
        return generator_losses | discriminator_losses

    def generator_losses(
        self, target_image: tf.Tensor, fake_image: tf.Tensor, fake_logits: list[tf.Tensor] | None
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of the generator (eq. 4 of the paper), each a scalar.

        Args:
            target_image, fake_image: `[B, H, W, C]`.
            fake_logits: what the discriminator says of the fakes, a list of scales; None without one.
        """
        config, losses = self.config, {}
        if fake_logits is not None:
            loss = gan_loss(fake_logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
            losses["gan"] = config.lambda_gan * loss
        if config.lambda_l1:
            losses["l1"] = config.lambda_l1 * l1_loss(fake_image, target_image)
        return losses

    def discriminator_losses(
        self, condition: tf.Tensor, target_image: tf.Tensor, fake_image: tf.Tensor, example_index: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The discriminator's losses on real and on fake images, not halved, and the gradient penalty if it has one."""
        mode = self.config.gan_mode
        fake_image = tf.stop_gradient(fake_image)
        # In separate passes: each has its own batch statistics, and the running ones see the fakes first.
        fake_logits, real_logits = self._judge(condition, fake_image), self._judge(condition, target_image)
        losses = {
            "discriminator_real": gan_loss(real_logits, target_is_real=True, mode=mode),
            "discriminator_fake": gan_loss(fake_logits, target_is_real=False, mode=mode),
        }
        if mode == "wgangp":
            alpha = example_noise((self.config.seed, _PENALTY), example_index, 1, uniform=True)
            seen = [self._seen(condition, image) for image in (target_image, fake_image)]
            penalty = gradient_penalty(lambda image: judge(self.discriminator, image), *seen, alpha)
            losses["gradient_penalty"] = self.config.lambda_gradient_penalty * penalty
        return losses

    def _judge(self, condition: tf.Tensor, image: tf.Tensor) -> list[tf.Tensor]:
        return judge(self.discriminator, self._seen(condition, image))

    def _seen(self, condition: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        """What the discriminator looks at."""
        return tf.concat([condition, image], axis=-1)
