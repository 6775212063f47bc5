"""Makes pairs to train on from photos: python prepare.py --input=photos --output=pairs --make=edges"""

import os
import sys

from absl import flags

import command_line  # before all that imports TensorFlow
from gan_zoo.errors import UserError
from gan_zoo.images import FORMAT_NAMES, allow_pixels
from gan_zoo.pairs.cam import ActivationMaps
from gan_zoo.pairs.classifiers import MOBILENET, class_names, find_class, load_classifier
from gan_zoo.pairs.edges import scikit_image
from gan_zoo.pairs.preparing import Workers, prepare, use_one_core
from gan_zoo.pairs.settings import BELONGS, DETECTORS, FORMS, MAKES, REGIONS, PairSettings

USAGE = """usage: python prepare.py --input=PHOTOS --output=PAIRS --make=edges|grey|mosaic|small|hole [flags]

Makes a pair of each photo, what is made of it on the left and the photo on the right, and writes train/, val/ and test/
as --dataset=folder takes them, with pairs.json, which says how. Started again it goes on where it was. Leaves with 1 if
there were pictures that could not be used."""
SETTING_OF = {"edges": "detector", "class": "class_number"}  # flags that are called otherwise than their settings
SETTINGS = PairSettings.__dataclass_fields__


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    default = PairSettings(make="grey")
    flags.DEFINE_string("input", None, f"a folder of {FORMAT_NAMES} files and of such folders", required=True, **kwargs)
    flags.DEFINE_string("output", None, "the folder to write to", required=True, **kwargs)
    make_help = "lines, grey, blocks in one colour, made smaller and enlarged again, or white regions to be filled in"
    flags.DEFINE_enum("make", None, MAKES, make_help, required=True, **kwargs)
    size_help = "side of a square out of the middle that each photo is reduced to (default: the photo as it is)"
    flags.DEFINE_integer("size", None, size_help, lower_bound=16, **kwargs)
    flags.DEFINE_integer("seed", 0, "of splits and random regions", lower_bound=0, upper_bound=2**31 - 1, **kwargs)
    flags.DEFINE_float(
        "val", default.val, "share of the pictures in val/, unless --input has folders of such names", 0, 1, **kwargs
    )
    flags.DEFINE_float("test", default.test, "share of the pictures in test/, likewise", 0, 1, **kwargs)
    flags.DEFINE_enum("edges", default.detector, DETECTORS, "how lines are found", **kwargs)
    flags.DEFINE_float("sigma", default.sigma, "of the Gaussian before looking for lines, in pixels", 0.1, 20, **kwargs)
    flags.DEFINE_integer("thickness", default.thickness, "of lines, in pixels; 1: as they are found", 1, 50, **kwargs)
    flags.DEFINE_float("low", default.low, "canny: lines go on above this gradient of grey in [0, 1]", 0, **kwargs)
    flags.DEFINE_float("high", default.high, "canny: lines begin above this gradient", 0, **kwargs)
    flags.DEFINE_float("tau", default.tau, "xdog: weight of the wider Gaussian", 0, 1, **kwargs)
    flags.DEFINE_float("epsilon", default.epsilon, "xdog: where white begins", -1, 1, **kwargs)
    flags.DEFINE_float("phi", default.phi, "xdog: how steeply lines turn black", 0, **kwargs)
    flags.DEFINE_integer("block", default.block, "side of a mosaic's blocks, in pixels", 2, **kwargs)
    flags.DEFINE_integer("scale", default.scale, "small: how many times smaller", 2, **kwargs)
    regions_help = (
        "where mosaics and holes are; cam: where --classifier sees --class (default: whole, for holes centre)"
    )
    flags.DEFINE_enum("regions", None, REGIONS, regions_help, **kwargs)
    region_help = "share of the picture's sides: of the centre, and the most of a random box"
    flags.DEFINE_float("region_size", default.region_size, region_help, 0.01, 1, **kwargs)
    flags.DEFINE_integer("num_regions", default.num_regions, "random boxes of a picture", 1, **kwargs)
    classifier_help = f"a Keras file (.keras, .h5) of a network for RGB in [0, 255], or {MOBILENET}, which is fetched"
    flags.DEFINE_string("classifier", None, classifier_help, **kwargs)
    class_help = "a number or a name (default: whichever class the classifier sees in the picture)"
    flags.DEFINE_string("class", None, class_help, **kwargs)
    flags.DEFINE_string("class_names", None, "text file with the names of the classes, one a line", **kwargs)
    flags.DEFINE_integer("top", default.top, "the class must be among so many with the highest scores", 1, **kwargs)
    flags.DEFINE_float("threshold", default.threshold, "of the map, as a share of its maximum", 0, 0.99, **kwargs)
    flags.DEFINE_enum(
        "form", default.form, FORMS, "of regions of a classifier: boxes around them, or as they are", **kwargs
    )
    flags.DEFINE_string("weights_dir", None, "folder of fetched weights (default: a cache)", **kwargs)
    flags.DEFINE_integer("processes", None, "that make pairs (default: one a core)", lower_bound=1, **kwargs)
    flags.DEFINE_integer("max_pixels", None, command_line.MAX_PIXELS_HELP, lower_bound=1, **kwargs)
    return values


def settings_of(values: flags.FlagValues) -> tuple[PairSettings, str | None]:
    """The settings that the flags give, and the checksum of the classifier's file if there is one.

    Raises:
        UserError: for a flag that does nothing beside the others, and for a classifier or a class that cannot be used.
    """
    of_flag = {name: SETTING_OF.get(name, name) for name in values}
    given = {of_flag[name]: values[name].value for name in values if of_flag[name] in SETTINGS} | {"class_number": None}
    given["regions"] = values.regions or ("centre" if values.make == "hole" else "whole")
    settings = PairSettings(**given)
    _refuse_idle(values, settings)
    if "classifier" not in settings.belonging():
        return settings, None
    model, sha256 = load_classifier(values.classifier, values.weights_dir)
    num_classes = ActivationMaps(model, values.classifier).num_classes
    wanted = values["class"].value
    if wanted is None:
        return settings, sha256
    by_name = values.class_names is not None or not wanted.isdecimal()
    names = class_names(values.classifier, values.class_names, values.weights_dir) if by_name else None
    return PairSettings(**given | {"class_number": find_class(wanted, names, num_classes)}), sha256


def _refuse_idle(values: flags.FlagValues, settings: PairSettings) -> None:
    """Refuses flags that do nothing beside the others."""
    kept = settings.belonging()
    for names, (owner, choices) in BELONGS.items():
        for name in map(flag_of, names):
            if values[name].present and SETTING_OF.get(name, name) not in kept:
                raise UserError(f"--{name} belongs to {' or '.join(f'--{flag_of(owner)}={each}' for each in choices)}")
    for name in ("class_names", "weights_dir"):
        if values[name].present and "classifier" not in kept:
            raise UserError(f"--{name} belongs to --regions=cam")
    for name in ("class_names", "top"):
        if values[name].present and values["class"].value is None:
            raise UserError(f"--{name} belongs to --class")


def flag_of(setting: str) -> str:
    """The flag that gives a setting."""
    return next((flag for flag, name in SETTING_OF.items() if name == setting), setting)


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def main(values: flags.FlagValues) -> int:
    """Makes the pairs; returns 1 if there are pictures that could not be used, else 0."""
    if values.max_pixels is not None:
        allow_pixels(values.max_pixels)
    settings, sha256 = settings_of(values)
    if settings.make == "edges" or settings.belonging().get("form") == "boxes":
        scikit_image()
    bad = prepare(
        values.input,
        values.output,
        Workers(settings, values.weights_dir, values.max_pixels),
        processes=values.processes or cores(),
        classifier_sha256=sha256,
        complain=lambda picture, reason: print(f"not used: {picture}: {reason}", file=sys.stderr, flush=True),
    )
    return 1 if bad else 0


if __name__ == "__main__":
    use_one_core()
    command_line.run(main, define_flags(), USAGE)
