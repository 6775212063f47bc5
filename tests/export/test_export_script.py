"""export.py: which checkpoint it takes, where it writes, what it refuses."""

import re

import numpy as np
import pytest
import tensorflow as tf
from small_run import STEP, save_run, small, small_model

import command_line
import export
from gan_zoo.export import saved_model


def run_script(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as leaving:
        command_line.run(export.main, export.define_flags(), export.USAGE, argv=["export.py", *arguments])
    return leaving.value.code, *capsys.readouterr()


def test_the_script_exports_a_checkpoint_by_its_step(tmp_path, capsys, monkeypatch):
    written = []

    def note(*arguments, **_):
        written.append(arguments)
        return tmp_path

    monkeypatch.setattr(saved_model, "export", note)
    monkeypatch.setattr(saved_model, "signatures", lambda translators, **_: ["serving_default"])
    models = {step: small_model(seed=step) for step in (STEP, STEP + 1)}
    for step, model in models.items():
        save_run(tmp_path / "run", model, step)
    for arguments, step in [([], STEP + 1), ([f"--checkpoint={STEP}"], STEP)]:
        code, out, _ = run_script(capsys, f"--workdir={tmp_path / 'run'}", *arguments)
        assert code == 0 and "serving_default" in out
        translators, *others = written.pop()
        assert others == [tmp_path / "run" / "export", step, 50_000_000]
        weights = translators["translate"].networks["generator"].trainable_variables
        np.testing.assert_array_equal(weights[0], models[step].generator.trainable_variables[0])


def test_the_script_says_how_to_translate(tmp_path, capsys, monkeypatch):
    taken = {}
    monkeypatch.setattr(saved_model, "export", lambda translators, *_, **__: taken.update(translators) or tmp_path)
    monkeypatch.setattr(saved_model, "signatures", lambda translators, **_: [])
    save_run(tmp_path / "run", small("pix2pix", image_size=64), name="pix2pix")
    for arguments, takes_seed in [([], True), (["--inference_mode=eval"], False), (["--inference_mode=train"], True)]:
        assert run_script(capsys, f"--workdir={tmp_path / 'run'}", *arguments)[0] == 0
        assert taken["translate"].takes_seed == takes_seed


def test_the_script_writes_the_limit_of_pixels_into_the_export(tmp_path, capsys):
    save_run(tmp_path, small("cyclegan"), name="cyclegan")
    assert run_script(capsys, f"--workdir={tmp_path}", "--max_pixels=600")[0] == 0
    its = tf.saved_model.load(str(tmp_path / "export" / str(STEP))).signatures["serving_default"]
    assert its(image=tf.zeros([1, 24, 24, 3], tf.uint8))["translation"].shape[1:3] == (24, 24)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"25x24 pixels, 672 in all, .* this export takes 600"):
        its(image=tf.zeros([1, 24, 25, 3], tf.uint8))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--workdir is missing: folder of a trained run"),
        (["--workdir={}/nowhere"], "nowhere/config.json does not exist"),
        (["--workdir={}", "--checkpoint=99"], rf"give latest, or .*: {STEP}"),
        (["--workdir={}", "--checkpoint=last"], rf"give latest, or .*: {STEP}"),
        (["--workdir={}", "--chekpoint=99"], "--checkpoint"),
        (["--workdir={}", "--inference_mode=eval"], "bicyclegan has no such choice"),
        (["--workdir={}", "--max_pixels=0"], "--max_pixels"),
        (["--workdir={}", "--output={}/config.json"], "a file stands where a folder"),
    ],
)
def test_the_script_refuses_in_one_line(tmp_path, capsys, arguments, message):
    save_run(tmp_path, small_model())
    code, _, err = run_script(capsys, *(argument.format(tmp_path) for argument in arguments))
    assert code == 2 and err.count("\n") == 1 and re.search(message, err)
    assert not (tmp_path / "export").exists()
