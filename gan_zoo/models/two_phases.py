"""Two phases in one run: the generator alone, by a loss against the truth, then together with its discriminator."""

from gan_zoo.learning.schedules import EpochSchedule
from gan_zoo.models.base import LearningRate, TranslationModel


class TwoPhases(TranslationModel):
    """A model whose `config.pretrain_epochs` say for how many data epochs its generator is trained alone.

    Attributes:
        adversarial: whether the discriminator takes part; the subclass sets it to that of the first epoch.
    """

    adversarial: bool

    def begin_epoch(self, epoch: int) -> None:
        """Takes the discriminator in, once the generator has been trained alone."""
        adversarial = epoch >= self.config.pretrain_epochs
        if adversarial != self.adversarial:
            self.adversarial = adversarial
            self.make_train_function(force=True)

    @property
    def settled_epoch(self) -> int:
        return self.config.pretrain_epochs

    @property
    def discriminator_rate_factor(self) -> float:
        """The discriminator's learning rate, as a multiple of the run's."""
        return 1.0

    def learning_rate_of(self, name: str, learning_rate: LearningRate) -> LearningRate:
        if name != "discriminator":
            return learning_rate
        factor = self.discriminator_rate_factor
        if isinstance(learning_rate, EpochSchedule):
            # Its optimizer's first step is the first one after the generator's training alone.
            return learning_rate.rest(self.config.pretrain_epochs, factor)
        return learning_rate * factor
