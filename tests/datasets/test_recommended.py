"""The recommended settings of all data sets: they fit their models, and are those of the authors."""

import pytest

from datasets import DATASETS
from gan_zoo.models import MODELS

PAIRS = [(dataset, model) for dataset, definition in DATASETS.items() for model in definition.recommended]


@pytest.mark.parametrize(("dataset", "model"), PAIRS)
def test_they_fit_the_model(dataset, model):
    model_class, definition = MODELS[model], DATASETS[dataset]
    assert definition.serves(model_class.data_kind)
    config = model_class.config_class.from_dict(definition.recommended[model])
    assert round(config.image_size * config.load_scale) >= config.image_size


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_a_data_set_that_needs_no_download(model):
    assert model in DATASETS["shapes"].recommended


# Image size, load size, flip, batch size, epochs, of which so many with a falling rate, direction.
DEFAULT = (256, 286, True, 1, 200, 100, "a_to_b")
PIX2PIX = {
    "facades": (*DEFAULT[:-1], "b_to_a"),
    "maps": (*DEFAULT[:-1], "b_to_a"),
    "cityscapes": (*DEFAULT[:-1], "b_to_a"),
    "edges2shoes": (256, 256, False, 4, 15, 0, "a_to_b"),
    "edges2handbags": (256, 256, False, 4, 15, 0, "a_to_b"),
    "night2day": (256, 286, True, 4, 17, 0, "a_to_b"),
}
UNPAIRED = [name for name, definition in DATASETS.items() if definition.kind == "unpaired"]
# The same of BicycleGAN, and the channels of the input image.
BICYCLEGAN = {
    "facades": (256, 286, True, 2, 400, 200, "b_to_a", 3),
    "maps": (256, 600, True, 2, 400, 200, "b_to_a", 3),
    "edges2shoes": (256, 256, True, 2, 60, 30, "a_to_b", 1),
    "edges2handbags": (256, 256, True, 2, 30, 15, "a_to_b", 1),
    "night2day": (256, 286, True, 2, 100, 50, "a_to_b", 3),
}
CYCLEGAN = dict.fromkeys([*UNPAIRED, "facades", "maps", "cityscapes"], DEFAULT)
CUT = dict.fromkeys(UNPAIRED, (*DEFAULT[:4], 400, 200, "a_to_b"))
CUT |= dict.fromkeys(["facades", "maps", "cityscapes"], (*DEFAULT[:4], 400, 200, "b_to_a"))
FASTCUT = {dataset: (*row[:4], 200, 50, row[-1]) for dataset, row in CUT.items()}


@pytest.mark.parametrize(
    ("model", "dataset", "expected"),
    [("pix2pix", *row) for row in PIX2PIX.items()]
    + [("cyclegan", *row) for row in CYCLEGAN.items()]
    + [("cut", *row) for row in CUT.items()]
    + [("fastcut", *row) for row in FASTCUT.items()]
    + [("bicyclegan", dataset, row[:-1]) for dataset, row in BICYCLEGAN.items()],
)
def test_they_are_the_authors(model, dataset, expected):
    config = MODELS[model].config_class.from_dict(DATASETS[dataset].recommended[model])
    falling = round(config.epochs * config.decay_fraction) if config.schedule == "linear" else 0
    assert (
        config.image_size,
        round(config.image_size * config.load_scale),
        config.flip,
        config.batch_size,
        config.epochs,
        falling,
        config.direction,
    ) == expected
    assert config.learning_rate == 2e-4 and config.beta_1 == 0.5


def test_bicyclegan_has_its_authors_networks():
    model_class = MODELS["bicyclegan"].config_class
    assert {name for name, model in PAIRS if model == "bicyclegan"} == {"shapes", *BICYCLEGAN}
    for dataset, (*_, channels) in BICYCLEGAN.items():
        config = model_class.from_dict(DATASETS[dataset].recommended["bicyclegan"])
        assert (config.z_injection, config.input_channels, config.dropout) == ("all", channels, True)
    # A run from before a data set recommended it must not change where nothing is recommended.
    assert model_class().z_injection == "input"


def test_all_eight_unpaired_archives_are_there():
    assert len(UNPAIRED) == 8


# The pictures of the larger domain.
LARGER = {"horse2zebra": 1334, "apple2orange": 1019, "summer2winter": 1231, "iphone2dslr": 3325}


@pytest.mark.parametrize("dataset", UNPAIRED)
def test_ugatit_learns_for_as_many_steps_as_in_its_paper(dataset):
    config = MODELS["ugatit"].config_class.from_dict(DATASETS[dataset].recommended["ugatit"])
    assert config.epochs * LARGER.get(dataset, 6287) == pytest.approx(1e6, rel=0.01)
    assert (config.batch_size, config.learning_rate, config.decay_fraction) == (1, 1e-4, 0.5)


@pytest.mark.parametrize(("dataset", "examples"), [("div2k", 800), ("coco", 118_287)])
def test_srgan_learns_for_as_many_steps_as_in_its_paper(dataset, examples):
    config = MODELS["srgan"].config_class.from_dict(DATASETS[dataset].recommended["srgan"])
    steps = examples // config.batch_size
    assert (config.image_size, config.batch_size, config.learning_rate, config.schedule) == (96, 16, 1e-4, "step")
    assert config.pretrain_epochs * steps == pytest.approx(1e6, rel=0.01)
    assert config.epochs * steps == pytest.approx(1.2e6, rel=0.01)
    assert config.decay_every * steps == pytest.approx(1.1e6, rel=0.01)


@pytest.mark.parametrize(
    ("dataset", "examples"), [("horse2zebra", 1334), ("summer2winter", 1231), ("monet2photo", 6287)]
)
def test_unit_learns_for_as_many_steps_as_its_authors(dataset, examples):
    config = MODELS["unit"].config_class.from_dict(DATASETS[dataset].recommended["unit"])
    assert (config.image_size, config.load_scale, config.batch_size, config.schedule) == (256, 1.0, 1, "step")
    assert config.epochs * examples == pytest.approx(1e6, rel=0.01)
    assert config.decay_every * examples == pytest.approx(1e5, rel=0.01)
    assert all("unit" in DATASETS[name].recommended for name in UNPAIRED)


@pytest.mark.parametrize("dataset", ["coco", "coco_panoptic"])
def test_coco_is_for_colorization(dataset):
    config = MODELS["colorization"].config_class.from_dict(DATASETS[dataset].recommended["colorization"])
    assert (config.image_size, config.batch_size, config.epochs) == (256, 16, 40)
    assert (config.learning_rate, config.beta_1, config.beta_2) == (2e-4, 0.5, 0.999)


@pytest.mark.parametrize("dataset", ["edges2shoes", "edges2handbags"])
def test_discogan_is_recommended_as_its_authors_ran_it(dataset):
    config = MODELS["discogan"].config_class.from_dict(DATASETS[dataset].recommended["discogan"])
    assert (config.image_size, config.batch_size, config.load_scale, config.flip) == (64, 64, 1.0, False)
    assert (config.start_rate, config.rate, config.rate_change_step, config.weight_decay) == (0.01, 0.5, 10_000, 1e-5)


@pytest.mark.parametrize("dataset", ["facades", "maps"])
def test_dualgan_is_recommended_as_its_authors_ran_it(dataset):
    config = MODELS["dualgan"].config_class.from_dict(DATASETS[dataset].recommended["dualgan"])
    assert (config.image_size, config.batch_size, config.load_scale, config.flip) == (256, 1, 1.0, False)
    assert (config.lambda_cycle_a, config.lambda_cycle_b, config.optimizer) == (1000.0, 1000.0, "rmsprop")
