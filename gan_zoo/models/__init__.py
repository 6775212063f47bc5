"""The models of the zoo, by the names that `--model` takes: settings and `train_step`, one file a paper.

| file | what |
| --- | --- |
| `base` | what a model is to the rest of the library |
| `bicyclegan`, `pix2pix`, `colorization`, `srgan` | the papers of pairs, and of single pictures |
| `cyclegan`, `discogan`, `dualgan`, `ugatit`, `unit`, `cut` | the papers of two domains |
| `stargan` | the paper of labelled images |
| `conditional_gan` | the training step that pix2pix and colorization share |
| `class_maps` | input images whose pixels are numbers of classes |
| `two_domains` | the two directions of cyclegan, unit and their relatives |
| `turns` | networks that do not learn all at every step |
| `two_phases` | a generator trained alone first, as those of colorization and srgan |
| `labelled` | the labels of stargan, and what a trained model is asked for |
| `parts` | the choice of generators and discriminators that pix2pix and its kin offer |
"""

from gan_zoo.models.base import TranslationModel
from gan_zoo.models.bicyclegan import BicycleGAN
from gan_zoo.models.colorization import Colorization
from gan_zoo.models.cut import CUT, FastCUT
from gan_zoo.models.cyclegan import CycleGAN
from gan_zoo.models.discogan import DiscoGAN
from gan_zoo.models.dualgan import DualGAN
from gan_zoo.models.pix2pix import Pix2Pix
from gan_zoo.models.srgan import SRGAN
from gan_zoo.models.stargan import StarGAN
from gan_zoo.models.ugatit import UGATIT
from gan_zoo.models.unit import UNIT

MODELS: dict[str, type[TranslationModel]] = {
    "bicyclegan": BicycleGAN,
    "pix2pix": Pix2Pix,
    "cyclegan": CycleGAN,
    "cut": CUT,
    "fastcut": FastCUT,
    "colorization": Colorization,
    "srgan": SRGAN,
    "discogan": DiscoGAN,
    "dualgan": DualGAN,
    "ugatit": UGATIT,
    "unit": UNIT,
    "stargan": StarGAN,
}
