"""The models of the zoo, by the names that `--model` takes."""

from gan_zoo.models.base import TranslationModel
from gan_zoo.models.bicyclegan import BicycleGAN

MODELS: dict[str, type[TranslationModel]] = {
    "bicyclegan": BicycleGAN,
}
