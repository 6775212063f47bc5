"""Settings: types, ranges, precedence and origins, and the file of a run."""

import dataclasses
import json

import pytest

from gan_zoo.config import Config, describe_type, parse_settings, resolve
from gan_zoo.errors import UserError
from gan_zoo.models.bicyclegan import BicycleGANConfig
from gan_zoo.runs.record import Run


def test_values_go_round_through_json() -> None:
    config = BicycleGANConfig(steps=7, learning_rate=1, z_injection="all", dropout=False)
    again = BicycleGANConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config and type(config.learning_rate) is float
    assert BicycleGANConfig.from_dict({}) == BicycleGANConfig()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch_size": 2.0}, "batch_size=2.0: expected int"),
        ({"batch_size": True}, "batch_size=True: expected int"),
        ({"flip": 1}, "flip=1: expected bool"),
        ({"learning_rate": "1"}, "learning_rate='1': expected float"),
        ({"learning_rate": float("inf")}, "learning_rate=inf: expected float"),
        ({"steps": "none"}, "steps='none': expected int or none"),
        ({"direction": "b"}, "direction='b': expected a_to_b or b_to_a"),
        ({"batch_size": 0}, "batch_size=0: expected at least 1"),
        ({"beta_1": 1.5}, "beta_1=1.5: expected at most 1.0"),
        ({"input_channels": 17}, "input_channels=17: expected at most 16"),
        ({"seed": -1}, "seed=-1: expected at least 0"),
    ],
)
def test_wrong_values_are_named(values, message) -> None:
    with pytest.raises(UserError) as raised:
        Config.from_dict(values)
    assert str(raised.value) == message


def test_unknown_keys_list_the_valid_ones() -> None:
    with pytest.raises(UserError, match=r"unknown setting latent_dim; the valid ones are batch_size, .*, target_ch"):
        Config.from_dict({"latent_dim": 8})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("steps=none", None),
        ("steps=12", 12),
        ("learning_rate=1e-3", 1e-3),
        ("learning_rate=2", 2.0),
        ("flip=False", False),
        ("flip=yes", True),
        ("direction=b_to_a", "b_to_a"),
    ],
)
def test_texts_become_values(text, value) -> None:
    settings = parse_settings(Config, [text])
    assert settings == {text.split("=")[0]: value} and type(settings[text.split("=")[0]]) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps", "--set steps: expected key=value"),
        ("stops=1", "unknown setting stops"),
        ("steps=1e3", "steps=1e3: expected int or none"),
        ("batch_size=none", "batch_size=none: expected int"),
        ("flip=perhaps", "flip=perhaps: expected true or false"),
    ],
)
def test_texts_that_do_not_fit(text, message) -> None:
    with pytest.raises(UserError, match=message):
        parse_settings(Config, [text])


def test_the_last_of_two_equal_keys_wins() -> None:
    assert parse_settings(Config, ["steps=1", "steps=2"]) == {"steps": 2}


def test_flags_win_over_set_over_recommended_over_defaults() -> None:
    layers = [
        ("recommended", {"epochs": 10, "image_size": 64, "seed": 5}),
        ("--set", {"epochs": 20, "image_size": 128}),
        ("flag", {"epochs": 30}),
    ]
    config, origins = resolve(Config, layers)
    assert (config.epochs, config.image_size, config.seed, config.beta_1) == (30, 128, 5, 0.5)
    assert (origins["epochs"], origins["image_size"], origins["seed"]) == ("flag", "--set", "recommended")
    assert origins.keys() == {field.name for field in dataclasses.fields(Config)}
    assert set(origins.values()) == {"flag", "--set", "recommended", "default"}


def test_types_in_words() -> None:
    assert describe_type(Config, "steps") == "int or none"
    assert describe_type(Config, "direction") == "a_to_b or b_to_a"
    assert describe_type(Config, "learning_rate") == "float"


def test_every_setting_explains_itself() -> None:
    for field in dataclasses.fields(BicycleGANConfig):
        assert field.metadata["help"], field.name


def run(**changes) -> Run:
    return Run(model="bicyclegan", dataset="shapes", data_dir=None, settings=Config(**changes).to_dict())


def test_a_run_goes_round_through_its_file(tmp_path) -> None:
    original = dataclasses.replace(run(seed=3), data_dir="/home/jürgen/bilder", origins={"seed": "flag"})
    original.write(tmp_path)
    assert Run.read(tmp_path) == original
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    assert "jürgen" in (tmp_path / "config.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": "x"}', '{"model": "x", "shoe_size": 42}'])
def test_a_damaged_file_is_named(content, tmp_path) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UserError, match=r"config.json is damaged"):
        Run.read(tmp_path)


def test_a_missing_file_is_named(tmp_path) -> None:
    for workdir in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UserError, match=r"config.json does not exist"):
            Run.read(workdir)


def test_differences_between_runs() -> None:
    other = dataclasses.replace(run(seed=3, epochs=5), dataset="folder", data_dir="/x")
    assert run().differences(other, may_change=["epochs"]) == [
        "dataset was 'shapes', now 'folder'",
        "data_dir was None, now '/x'",
        "seed was 0, now 3",
    ]
    assert run().differences(dataclasses.replace(run(), origins={"seed": "flag"})) == []


def test_a_changed_number_of_examples_is_a_difference_where_both_know_it() -> None:
    eight, nine = (dataclasses.replace(run(), num_examples=count) for count in (8, 9))
    assert eight.differences(nine) == ["the number of training examples was 8, now 9"]
    assert eight.differences(eight) == eight.differences(run()) == run().differences(eight) == []


def test_each_domain_counts() -> None:
    before, after = (dataclasses.replace(run(), num_examples=8, domain_counts=[8, count]) for count in (5, 6))
    assert before.differences(after) == ["the number of images of each domain was [8, 5], now [8, 6]"]
    assert dataclasses.replace(before, domain_counts=None).differences(after) == []  # of before it was noted
    assert Run.from_json(before.to_json()).differences(before) == []


def test_folders_whose_names_are_no_text(tmp_path) -> None:
    before = dataclasses.replace(run(), data_dir="/photos/caf\udce9")  # as Python reads a name that is no UTF-8
    before.write(tmp_path)
    (tmp_path / "config.json").read_bytes().decode("utf-8")
    assert Run.read(tmp_path).data_dir == before.data_dir
