"""evaluate.py: runs, good and bad, to a table, records and a report."""

import io
import re

import numpy as np
import pytest
from evaluate_run import figures, read_record, run_evaluate, write_images
from small_run import picture, save_run, small, small_model
from tiny_runs import EightPictures, assert_one_line, definition

from datasets import DATASETS
from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.evaluation.output import ImageCounter
from gan_zoo.evaluation.runs import Direction
from gan_zoo.evaluation.translated_batches import evaluation_noise
from gan_zoo.images import encode_png, to_uint8
from gan_zoo.metrics.colourfulness import colourfulness
from gan_zoo.metrics.l1 import l1
from gan_zoo.runs.checkpoint_files import point_to_best
from gan_zoo.runs.record import Run

CHEAP = "--metrics=psnr,l1"


@pytest.fixture(autouse=True)
def six_pictures(monkeypatch, offline) -> None:
    """A data set `eight`, and no network."""
    monkeypatch.setitem(DATASETS, "eight", definition(EightPictures(count=6)))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of the three models, BicycleGAN's with two checkpoints, and one whose data set nobody knows."""
    folder = tmp_path_factory.mktemp("runs")
    save_run(folder / "bicyclegan", small_model(seed=1), step=5)
    save_run(folder / "bicyclegan", small_model(seed=0), step=20)
    save_run(folder / "pix2pix", small("pix2pix"), name="pix2pix")
    save_run(folder / "cyclegan", small("cyclegan"), name="cyclegan")
    save_run(folder / "imported", small("pix2pix", preprocess="none", batch_size=1), step=0, name="pix2pix")
    Run(model="pix2pix", dataset="unknown", data_dir=None, settings=Run.read(folder / "imported").settings).write(
        folder / "imported"
    )
    return folder


def test_all_checkpoints_of_a_bicyclegan(runs, offline) -> None:
    workdir = runs / "bicyclegan"
    result = run_evaluate(
        f"--workdir={workdir}", "--dataset=eight", "--checkpoint=all", "--num_samples=3", "--batch_size=4"
    )
    assert (result.code, result.err) == (0, ""), result
    assert "bicyclegan on eight, split val: 6 images for translate" in result.out
    assert result.out.index("step 5\n") < result.out.index("step 20\n") and "translate 6/6 images" in result.out
    assert result.out.splitlines()[-1] == f"report: {workdir / 'evaluation' / 'report.html'}"
    assert {path.name for path in (workdir / "evaluation").iterdir()} == {"step_5.json", "step_20.json", "report.html"}
    report = (workdir / "evaluation" / "report.html").read_text(encoding="utf-8")
    assert report.rstrip().endswith("</html>") and "data:image" in report

    record = read_record(workdir / "evaluation", 20)
    assert len(offline) == len(set(offline)) == 2  # AlexNet and the Inception, each once for all checkpoints
    assert re.search(r"lpips_alex_v0\.1 +weights missing", result.out)
    assert len(re.findall(r"^fid_clean, kid_clean: weights missing: https://.* put it into", result.out, re.M)) == 2
    assert set(record["missing"]) == {
        "lpips_alex_v0.1", "diversity_lpips_alex_v0.0", "fid_clean", "kid_clean"
    }  # fmt: skip
    values = figures(record)
    assert {"psnr", "ssim", "l1", "l1_best", "sample_distance", "colourfulness", "latent_recovery", "kl"} <= set(values)
    assert "cycle_psnr" not in values and values["l1_best"] < values["l1"]
    expected_about = {
        "workdir": str(workdir), "model": "bicyclegan", "dataset": "eight", "split": "val", "step": 20, "seed": 0,
        "num_images": 6, "num_samples": 3, "image_size": 32, "preprocess": "resize_and_crop",
    }  # fmt: skip
    assert {key: record["about"][key] for key in expected_about} == expected_about
    options = "--dataset=eight --checkpoint=all --num_samples=3 --batch_size=4"
    command = record["about"]["command"].split()
    assert command[:2] == ["python", "evaluate.py"]
    assert set(command[2:]) == {*options.split(), f"--workdir={workdir}"}
    assert values["l1"] != figures(read_record(workdir / "evaluation", 5))["l1"]

    # The same by hand.
    model = small_model(seed=0)
    (batch,) = evaluation_batches(EightPictures(count=6), model.config, batch_size=6)
    translator = model.translators["translate"]
    z = evaluation_noise(translator, batch["example_index"], seed=0, num_samples=1)[:, 0]
    outputs = to_uint8(translator.function(batch["input_image"], z)).numpy()
    of_images = l1(outputs, to_uint8(batch["target_image"]).numpy())
    # Rounding to another level here and there is the most that batches may change: 1e-3 of the values by 1 / 255.
    assert values["l1"] == pytest.approx(of_images.mean(), abs=1e-3 / 255)
    assert record["values"]["l1"] == pytest.approx(dict(zip("012345", of_images, strict=True)), abs=1e-2 / 255)


def test_the_first_images_and_another_seed(runs, tmp_path) -> None:
    point_to_best(runs / "bicyclegan" / "checkpoints", 20, "l1", 0.1)
    words = [f"--workdir={runs / 'bicyclegan'}", "--dataset=eight", CHEAP, "--num_images=4", "--checkpoint=best"]
    found = {}
    for name, more in {"one": [], "other": ["--seed=1"], "single": ["--batch_size=1"]}.items():
        result = run_evaluate(*words, *more, f"--output={tmp_path / name}")
        assert result.code == 0 and "4 images" in result.out
        found[name] = read_record(tmp_path / name, 20)
    assert list(found["one"]["values"]["l1"]) == ["0", "1", "2", "3"]
    assert found["one"]["about"]["num_samples"] is None  # nothing looks at them
    assert found["single"]["values"]["l1"] == pytest.approx(found["one"]["values"]["l1"], abs=1e-2 / 255)
    assert abs(figures(found["other"])["l1"] - figures(found["one"])["l1"]) > 1e-4
    assert not (runs / "imported" / "evaluation").exists()


def test_both_directions_each_image_once_and_bad_files_by_name(runs, tmp_path) -> None:
    data = tmp_path / "data"
    images_a, images_b = ([picture(32, 32) for _ in range(count)] for count in (3, 5))
    write_images(data / "valA", {f"{n}.png": image for n, image in enumerate(images_a)})
    write_images(data / "valB", {f"{n}.png": image for n, image in enumerate(images_b)})
    write_images(data / "valB", {"7.png": encode_png(picture(32, 32))[:700], "9.jpg": b"hello"})
    write_images(data / "trainA", {"0.png": images_a[0]})
    write_images(data / "trainB", {"0.png": images_a[0]})
    words = ("--dataset=folder", f"--data_dir={data}", "--metrics=colourfulness,cycle_psnr,identity_distance")
    result = run_evaluate(f"--workdir={runs / 'cyclegan'}", *words, f"--output={tmp_path / 'out'}")
    assert (result.code, result.err) == (1, "")
    for name, reason in {"7.png": "a truncated or damaged PNG file", "9.jpg": "not a PNG, JPEG"}.items():
        assert len(re.findall(f"^skipped: {data / 'valB' / name}: {reason}", result.out, re.M)) == 1
    record = read_record(tmp_path / "out")
    assert set(record["skipped"]) == {str(data / "valB" / "7.png"), str(data / "valB" / "9.jpg")}
    assert list(record["values"]["b_to_a/cycle_psnr"]) == [f"{n} {n}.png" for n in range(5)]
    counts = {figure["name"]: figure["num_images"] for figure in record["figures"]}
    assert counts["a_to_b/cycle_psnr"] == 3 and counts["b_to_a/cycle_psnr"] == 5
    # What is real is what lies in the other folder.
    values = figures(record)
    for direction, images in {"a_to_b": images_b, "b_to_a": images_a}.items():
        expected = colourfulness(np.stack(images)).mean()
        assert values[f"{direction}/colourfulness/real"] == pytest.approx(expected, rel=1e-9)
    assert record["about"]["num_images"] == {"a_to_b": 3, "b_to_a": 5}
    assert "a_to_b" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")

    words = (*words, "--translator=b_to_a", "--num_images=2", f"--output={tmp_path / 'one'}")
    assert run_evaluate(f"--workdir={runs / 'cyclegan'}", *words).code == 1
    assert {name.split("/")[0] for name in figures(read_record(tmp_path / "one"))} == {"b_to_a"}


def test_an_imported_run_on_images_of_differing_sizes(runs, tmp_path) -> None:
    pairs = {f"{n}.png": picture(32, 2 * width) for n, width in enumerate((32, 64, 96))}
    write_images(tmp_path / "data" / "test", pairs)
    words = (
        f"--workdir={runs / 'imported'}", f"--data_dir={tmp_path / 'data'}", "--split=test", CHEAP,
        f"--output={tmp_path / 'out'}", "--inference_mode=eval",
    )  # fmt: skip
    assert_one_line(run_evaluate(*words), 2, "was imported, so nothing says what it learnt from: give --dataset")
    result = run_evaluate(*words, "--dataset=folder")
    assert result.code == 0, result
    record = read_record(tmp_path / "out", 0)
    assert list(record["values"]["l1"]) == [f"{n} {n}.png" for n in range(3)]
    assert record["about"]["inference_mode"] == "eval"
    assert record["about"]["data_dir"] == str(tmp_path / "data")


def test_an_interrupted_evaluation_leaves_nothing(runs, tmp_path, monkeypatch) -> None:
    updates = []

    def stop(self, batch):
        updates.append(batch.names)
        if len(updates) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("gan_zoo.metrics.base.ImageMean.update", stop)
    output = tmp_path / "out"
    result = run_evaluate(
        f"--workdir={runs / 'pix2pix'}", "--dataset=eight", CHEAP, "--batch_size=4", f"--output={output}"
    )
    assert (result.code, result.err) == (130, "interrupted\n") and len(updates) == 2
    assert not output.exists()


def test_a_checkpoint_that_training_removes_meanwhile_is_named(tmp_path, monkeypatch) -> None:
    for step in (5, 20, 30):
        save_run(tmp_path / "run", small("pix2pix"), step=step, name="pix2pix")
    evaluated = Direction.evaluate

    def evaluate_and_train_on(self, missing):
        for file in (tmp_path / "run" / "checkpoints").glob("step-20.*"):
            file.unlink()
        return evaluated(self, missing)

    monkeypatch.setattr(Direction, "evaluate", evaluate_and_train_on)
    result = run_evaluate(f"--workdir={tmp_path / 'run'}", "--dataset=eight", CHEAP, "--checkpoint=all")
    assert (result.code, result.err) == (1, "")
    assert "skipped: step 20: the run goes on" in result.out
    names = {path.name for path in (tmp_path / "run" / "evaluation").iterdir()}
    assert names == {"step_5.json", "step_30.json", "report.html"}


def test_a_damaged_record_is_told_before_the_work(runs, tmp_path) -> None:
    (tmp_path / "step_5.json").write_text('{"format"')
    result = run_evaluate(f"--workdir={runs / 'pix2pix'}", "--dataset=eight", CHEAP, f"--output={tmp_path}")
    assert_one_line(result, 2, "step_5.json is damaged", "remove it")
    assert result.out == "" and [path.name for path in tmp_path.iterdir()] == ["step_5.json"]


def test_where_no_file_is_good_each_is_named(runs, tmp_path) -> None:
    write_images(tmp_path / "data" / "val", {"1.png": b"hello", "2.png": b""})
    words = ("--dataset=folder", f"--data_dir={tmp_path / 'data'}", CHEAP, f"--output={tmp_path / 'out'}")
    result = run_evaluate(f"--workdir={runs / 'pix2pix'}", *words)
    assert_one_line(result, 2, "no good examples")
    named = {line.split(": ")[1] for line in result.out.splitlines() if line.startswith("skipped")}
    assert named == {str(tmp_path / "data" / "val" / f"{n}.png") for n in (1, 2)}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ([], ["--workdir", "--generated and --reference"]),
        (["--workdir={runs}/pix2pix", "--generated={runs}"], ["either"]),
        (["--generated={runs}"], ["both --generated and --reference"]),
        (["--generated={runs}", "--reference={runs}", "--split=test"], ["--split belongs to --workdir"]),
        (["--generated={runs}/none", "--reference={runs}"], ["--generated: there is no folder"]),
        (["--workdir={runs}/none"], ["config.json does not exist"]),
        (["--workdir={runs}/pix2pix", "--metrics=psnrr"], ["psnrr", "psnr_y"]),
        (["--workdir={runs}/pix2pix", "--metrics=cycle_psnr"], ["cycle_psnr needs"]),
        (["--workdir={runs}/pix2pix", "--metrics="], ["--metrics"]),
        (["--workdir={runs}/pix2pix", "--split=other"], ["no split 'other'"]),
        (["--workdir={runs}/pix2pix", "--dataset=horse"], ["--dataset=horse is unknown", "shapes"]),
        (["--workdir={runs}/pix2pix", "--checkpoint=3"], ["--checkpoint=3", "12"]),
        (["--workdir={runs}/pix2pix", "--checkpoint=best"], ["--checkpoint=best"]),
        (["--workdir={runs}/pix2pix", "--num_samples=4"], ["--num_samples=4", "none of the metrics"]),
        (["--workdir={runs}/pix2pix", "--num_images=0"], ["--num_images=0"]),
        (["--workdir={runs}/cyclegan", "--translator=back"], ["a_to_b, b_to_a"]),
        (["--workdir={runs}/bicyclegan", "--inference_mode=eval"], ["bicyclegan has no such choice"]),
        (["--workdir={runs}/pix2pix", "--output={runs}/pix2pix/config.json"], ["is a file where a folder"]),
        (["--workdir={runs}/pix2pix", "--output=/proc/out"], ["/proc"]),
        (["--workdir={runs}/pix2pix", "--weights_dir="], ["--weights_dir is empty"]),
    ],
)
def test_refusals_take_one_line(runs, words, parts) -> None:
    result = run_evaluate(*(word.format(runs=runs) for word in words))
    assert_one_line(result, 2, *parts)
    assert result.out == ""


@pytest.mark.parametrize(
    ("terminal", "shown"), [(True, "\r\x1b[Ka 2/4 images\r\x1b[Ka 4/4 images\r\x1b[K"), (False, "a 4/4 images\n")]
)
def test_progress(terminal, shown) -> None:
    stream = io.StringIO()
    stream.isatty = lambda: terminal
    with ImageCounter("a", 4, stream) as progress:
        progress(2)
        progress(4)
    assert stream.getvalue() == shown


def test_damaged_checkpoints_are_named_and_the_others_measured(tmp_path) -> None:
    model = small("pix2pix")
    for step in (1, 2, 3):
        save_run(tmp_path / "run", model, step=step, name="pix2pix")
    for step in (1, 3):
        index = tmp_path / "run" / "checkpoints" / f"step-{step}.index"
        index.write_bytes(index.read_bytes()[:50])
    result = run_evaluate(f"--workdir={tmp_path / 'run'}", "--dataset=eight", CHEAP, "--checkpoint=all")
    assert result.code == 1, result
    assert re.findall(r"^skipped: step (\d): checkpoint .* is damaged \(its index", result.out, re.M) == ["1", "3"]
    assert {path.name for path in (tmp_path / "run" / "evaluation").iterdir()} == {"step_2.json", "report.html"}
    index = tmp_path / "run" / "checkpoints" / "step-2.index"
    index.write_bytes(index.read_bytes()[:50])
    result = run_evaluate(f"--workdir={tmp_path / 'run'}", "--dataset=eight", CHEAP, "--checkpoint=all")
    assert_one_line(result, 2, "step-1 is damaged")
