"""U-GAT-IT's file of weights: recognised, the same networks, and back again."""

import json
import pathlib

import numpy as np
import pytest
from authors_weights import assign
from imported_runs import PARITY, run
from tiny_models import tiny_config
from tiny_runs import assert_one_line

from gan_zoo.authors_weights.names import torch_variables
from gan_zoo.authors_weights.settings import NETWORKS
from gan_zoo.authors_weights.ugatit import recognise_attention
from gan_zoo.models.ugatit import UGATIT
from gan_zoo.pretrained.torch_files import read_state_dict, read_state_dicts
from gan_zoo.pretrained.torch_layout import to_torch_layout, torch_shape
from gan_zoo.pretrained.torch_writing import write_state_dict
from gan_zoo.runs.loading import load_run

PARTS = NETWORKS["ugatit"]
SHAPES = {"unbiased_variance": True, "lambda_identity": 0.0, "lambda_cam": 0.0, "target_channels": 4}


def bundle(model: UGATIT) -> dict[str, dict[str, np.ndarray]]:
    """Random weights for its networks, in the authors' names and order."""
    random = np.random.default_rng(0)
    return {
        part: {
            name: random.standard_normal(torch_shape(variable)).astype(np.float32)
            for name, variable in torch_variables(model.networks[role]).items()
        }
        for part, role in PARTS.items()
    }


@pytest.fixture(scope="module")
def light() -> UGATIT:
    return UGATIT(tiny_config("ugatit", light=True, num_blocks=2, **SHAPES))


@pytest.fixture(scope="module")
def weights(light) -> dict[str, dict[str, np.ndarray]]:
    return bundle(light)


@pytest.fixture
def file(weights, tmp_path) -> pathlib.Path:
    write_state_dict(tmp_path / "cat2dog_params_0000123.pt", weights)
    return tmp_path / "cat2dog_params_0000123.pt"


def test_there_and_back(light, weights, file, tmp_path) -> None:
    result = run(
        f"--weights={file}", f"--workdir={tmp_path / 'run'}", "--set", "image_size=32", "--set", "batch_size=2"
    )
    assert result.code == 0, result
    assert "ResNet with attention (light) of 2 x 2 blocks, 4 filters, 3 -> 4 channels" in result.out
    assert "discriminator with attention of 4 layers, 4 filters" in result.out and "model ugatit" in result.out
    assert "unbiased_variance=true" in result.out and "image_size=256 is assumed" in result.out
    recorded, model, step = load_run(tmp_path / "run")
    assert (recorded.model, step, model.config.to_dict()) == ("ugatit", 0, light.config.to_dict() | {"steps": None})
    # The same numbers as those that are given by the way that parity is proven by.
    for part, role in PARTS.items():
        assign(light.networks[role], weights[part])
    for role, network in light.networks.items():
        for mine, its in zip(network.variables, model.networks[role].variables, strict=True):
            np.testing.assert_array_equal(mine.numpy(), its.numpy(), err_msg=mine.path)
    written = run(f"--workdir={tmp_path / 'run'}", f"--to_pytorch={tmp_path / 'back'}")
    assert written.code == 0, written
    (back,) = (tmp_path / "back").iterdir()
    assert back.name == "unknown_params_0000000.pt"
    found = read_state_dicts(back, PARTS)
    assert list(found) == list(weights)
    for part, arrays in weights.items():
        assert list(found[part]) == list(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[part][name], array, err_msg=name)


def test_the_order_and_the_shapes_are_those_of_the_authors() -> None:
    shapes = json.loads(str(np.load(PARITY / "ugatit_128.npz")["shapes"]))
    config = tiny_config("ugatit", image_size=128, num_blocks=2, global_layers=7, local_layers=5)
    model = UGATIT(config)
    for part, role in PARTS.items():
        prefix = f"ugatit_128.{part}."
        theirs = {name.removeprefix(prefix): tuple(shape) for name, shape in shapes.items() if name.startswith(prefix)}
        ours = {name: torch_shape(variable) for name, variable in torch_variables(model.networks[role]).items()}
        assert list(ours.items()) == list(theirs.items()), part
        recognised = recognise_attention(part, {name: np.zeros(shape) for name, shape in theirs.items()})
        assert dict(recognised.shapes()) == theirs
        assert (recognised.filters, recognised.depth) == (4, {"gen": 2, "disG": 7, "disL": 5}[part.rstrip("AB2")])
        assert recognised.grid == (32 if part.startswith("gen") else 1)


def test_a_vector_of_a_kernel_is_rearranged_as_its_kernel(light) -> None:
    named = torch_variables(light.networks["discriminator_global_a"])
    kernel, vector = named["model.4.weight_orig"], named["model.4.weight_v"]
    matrix = to_torch_layout(kernel.numpy()).reshape(8, -1)  # [out, in * h * w], as PyTorch multiplies it
    layer = light.networks["discriminator_global_a"].get_layer("conv_1")
    ours = layer.kernel.numpy().reshape(-1, 8).T @ layer.v.numpy()
    np.testing.assert_allclose(matrix @ vector.numpy(), ours, atol=1e-6)


def test_a_folder_and_generators_alone(weights, tmp_path) -> None:
    generators = {part: weights[part] for part in ("genA2B", "genB2A")}
    for step, some in (("0000100", weights), ("0000900", generators)):
        write_state_dict(tmp_path / f"cat2dog_params_{step}.pt", some)
    small = [
        f"--set={name}" for name in ("image_size=32", "discriminator_filters=2", "global_layers=3", "local_layers=3")
    ]
    result = run(f"--weights={tmp_path}", "--dry_run", *small)
    assert result.code == 0 and "0000900.pt" in result.out and "0000100.pt" not in result.out, result
    assert "not given, and as before any training: discriminator_global_a, discriminator_global_b" in result.out


def without(weights: dict, part: str, name: str) -> dict:
    return weights | {part: {key: array for key, array in weights[part].items() if key != name}}


def changed(weights: dict, part: str, name: str, array: np.ndarray) -> dict:
    return weights | {part: weights[part] | {name: array}}


REFUSED = {
    "a generator alone": (lambda all: {"genA2B": all["genA2B"]}, "has genA2B and genB2A; the file has genA2B"),
    "without a kernel": (lambda all: without(all, "genB2A", "FC.2.weight"), "FC.2.weight does not fit: it is missing"),
    "no first one": (lambda all: without(all, "genA2B", "DownBlock.1.weight"), "has no DownBlock.1.weight"),
    "one too many": (
        lambda all: changed(all, "disGA", "more", np.zeros(3, np.float32)),
        "more does not fit: it is [3]",
    ),
    "a width that is not there": (
        lambda all: changed(all, "genA2B", "DownBlock.1.weight", np.zeros((9999, 3, 7, 7), np.float32)),
        "does not fit",
    ),
    "a vector": (
        lambda all: changed(all, "disLB", "model.1.weight_v", np.zeros(5, np.float32)),
        "weight_v does not fit",
    ),
    "not finite": (
        lambda all: changed(all, "disLB", "model.1.bias", np.full(4, np.nan, np.float32)),
        "has numbers in model.1.bias that are not finite",
    ),
    "other depths": (lambda all: all | {"disGA": all["disLA"]}, "the global discriminators do not belong together"),
    "other channels": (lambda all: all | {"genB2A": all["genA2B"]}, "genA2B and genB2A do not belong together"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_it_is_not_is_one_line(weights, tmp_path, case) -> None:
    change, sentence = REFUSED[case]
    path = tmp_path / "a.pt"
    write_state_dict(path, change(weights))
    assert_one_line(run(f"--weights={path}", f"--workdir={tmp_path / 'run'}"), 2, sentence)
    assert not (tmp_path / "run").exists()


def test_several_state_dicts_are_read_by_name_alone(weights, file) -> None:
    assert read_state_dicts(file, ["disGA", "other"]).keys() == {"disGA"}
    with pytest.raises(Exception, match="holds several state_dicts"):
        read_state_dict(file)
    write_state_dict(file, weights["disGA"])
    assert read_state_dicts(file, PARTS) == {}
