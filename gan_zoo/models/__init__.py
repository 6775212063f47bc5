"""The models of the zoo, by the names that `--model` takes."""

from gan_zoo.models.base import TranslationModel
from gan_zoo.models.bicyclegan import BicycleGAN
from gan_zoo.models.colorization import Colorization
from gan_zoo.models.cyclegan import CycleGAN
from gan_zoo.models.pix2pix import Pix2Pix

MODELS: dict[str, type[TranslationModel]] = {
    "bicyclegan": BicycleGAN,
    "pix2pix": Pix2Pix,
    "cyclegan": CycleGAN,
    "colorization": Colorization,
}
