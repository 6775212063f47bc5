"""All metrics in one pass: what they see, what is kept for the report, what the records hold."""

import dataclasses
import json
import math

import numpy as np
import pytest

from gan_zoo import metrics
from gan_zoo.errors import UserError
from gan_zoo.evaluation import records
from gan_zoo.evaluation.measuring import Evaluation, evaluate, joined
from gan_zoo.evaluation.records import comparable, read_records, record, remarks, table, write_record
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, ImageMean, Metric, MetricDefinition

LEVELS = [30, 10, 50, 0, 20, 40, 60, 70, 90, 80]  # how far output i is from its target, of 255


def images(level: int, side: int = 16) -> np.ndarray:
    return np.full((side, side, 3), level, np.uint8)


def batches(size: int = 4, side: int = 16, **more):
    """Ten images, named by their level, that are that much brighter than their black targets."""
    for start in range(0, len(LEVELS), size):
        levels = LEVELS[start : start + size]
        outputs = np.stack([images(level, side) for level in levels])
        yield EvaluationBatch(
            names=[str(level) for level in levels], outputs=outputs, targets=np.zeros_like(outputs), **more
        )


class Broken(Metric):
    """Takes no images of 9 pixels, and gives no figure if there was nothing else."""

    needs = frozenset({"outputs"})

    def __init__(self, context):
        super().__init__()
        self.count = 0

    def update(self, batch):
        if batch.outputs.shape[1] == 9:
            raise UserError("broken needs more than 9 pixels")
        self.count += len(batch.names)

    def figures(self):
        if not self.count:
            raise UserError("broken had no image to judge")
        self.warnings.append("few images")
        return [Figure(name="broken", value=1.5, better="none", num_images=self.count, protocol="none")]


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    def unfetched(context):
        fetched.append(context)
        raise UserError("https://weights cannot be fetched; get them")

    fetched = []
    known = dict(metrics.METRICS) | {
        "broken": MetricDefinition(build=Broken),
        "lpips_alex_v0.1": MetricDefinition(build=unfetched, weights="alexnet"),
        "diversity": MetricDefinition(build=unfetched, weights="alexnet"),
        "needs_z": MetricDefinition(build=lambda _: needs_z, needs=frozenset({"z"})),
    }
    needs_z = ImageMean("needs_z", lambda batch: batch.z[:, 0], needs=frozenset({"z"}), protocol="", better="none")
    monkeypatch.setattr(metrics, "METRICS", known)
    return fetched


def test_figures_values_and_gallery() -> None:
    asked, counts = [], []

    def give(fields):
        asked.append(fields)
        return batches()

    evaluation = evaluate(give, ["psnr", "l1"], Context(), extra_fields={"inputs"}, progress=counts.append)
    assert asked == [{"names", "outputs", "targets", "inputs"}] and counts == [4, 8, 10]
    assert evaluation.figures["l1"].value == pytest.approx(np.mean(LEVELS) / 255, rel=1e-12)
    assert evaluation.figures["psnr"].value == math.inf  # one is black
    assert evaluation.values["l1"] == pytest.approx({str(level): level / 255 for level in LEVELS})
    assert evaluation.values["psnr"]["0"] == math.inf
    assert evaluation.num_images == {"images": 10}
    assert set(evaluation.seconds) == {"psnr", "l1"} and all(seconds > 0 for seconds in evaluation.seconds.values())

    gallery = evaluation.galleries["images"]
    assert gallery.ranked_by == "l1"
    assert [row.name for row in gallery.best] == ["0", "10", "20", "30"]
    assert [row.name for row in gallery.worst] == ["90", "80", "70", "60"]
    assert [row.name for row in gallery.sheet] == [str(level) for level in LEVELS[:8]]
    assert gallery.worst[0].value == pytest.approx(90 / 255)
    assert list(gallery.worst[0].pictures) == ["truth", "output"]
    np.testing.assert_array_equal(gallery.worst[0].pictures["output"], images(90))
    np.testing.assert_array_equal(gallery.worst[0].pictures["truth"], images(0))


def test_what_is_kept_of_a_model_with_samples() -> None:
    samples = np.stack([np.stack([images(10 * n) for n in range(6)])])  # [1, 6, 16, 16, 3]
    batch = EvaluationBatch(
        names=["7"], outputs=samples[:, 0], samples=samples, inputs=samples[:, 1], cycled=samples[:, 2]
    )
    evaluation = evaluate(lambda _: [batch], ["cycle_psnr"], Context())
    gallery = evaluation.galleries["images"]
    assert gallery.ranked_by == "cycle_psnr"
    (row,) = gallery.sheet
    assert list(row.pictures) == ["input", "output", "sample 2", "sample 3", "sample 4", "cycled"]
    np.testing.assert_array_equal(row.pictures["sample 4"], images(30))
    assert [row.name for row in gallery.best] == [row.name for row in gallery.worst] == ["7"]


def test_the_higher_the_better(monkeypatch) -> None:
    monkeypatch.setattr("gan_zoo.evaluation.measuring.RANKING", ("psnr",))
    gallery = evaluate(lambda _: batches(), ["psnr"], Context(), gallery_size=2).galleries["images"]
    assert [row.name for row in gallery.best] == ["0", "10"]
    assert [row.name for row in gallery.worst] == ["90", "80"]
    unranked = evaluate(lambda _: batches(), ["broken"], Context()).galleries["images"]
    assert (unranked.ranked_by, unranked.best, unranked.worst, len(unranked.sheet)) == ("", (), (), 8)


def test_missing_weights_are_asked_for_once(registry) -> None:
    asked = []
    names = ["lpips_alex_v0.1", "l1", "diversity"]
    evaluation = evaluate(lambda fields: asked.append(fields) or batches(), names, Context())
    reason = "weights missing: https://weights cannot be fetched; get them"
    assert evaluation.missing == {"lpips_alex_v0.1": reason, "diversity": reason}
    assert len(registry) == 1 and list(evaluation.figures) == ["l1"]
    again = evaluate(lambda _: batches(), names, Context(), missing=evaluation.missing)
    assert len(registry) == 1 and again.missing == evaluation.missing
    lines = table(evaluation)
    assert [line.split()[0] for line in lines] == ["metric", "l1", "lpips_alex_v0.1", "diversity"]
    assert lines[-1].endswith("weights missing")
    assert remarks(evaluation) == [f"lpips_alex_v0.1, diversity: {reason}"]
    assert evaluate(lambda _: batches(), ["l1"], Context(), missing=evaluation.missing).missing == {}


def test_batches_that_a_metric_cannot_take() -> None:
    def both(_):
        yield from batches(size=10)
        yield EvaluationBatch(names=["small 1", "small 2"], outputs=np.stack([images(1, 9)] * 2))

    evaluation = evaluate(both, ["l1", "broken", "needs_z"], Context())
    assert evaluation.figures["broken"].num_images == 10
    assert evaluation.figures["l1"].num_images == 10  # the small ones have no truth
    reason = "broken needs more than 9 pixels"
    assert evaluation.skipped == {"small 1 (broken)": reason, "small 2 (broken)": reason}
    assert evaluation.missing == {"needs_z": "not computed: needs_z had no image to judge"}
    assert evaluation.warnings == ["few images"]
    assert remarks(evaluation)[0] == "warning: few images"
    assert remarks(evaluation)[-1] == f"skipped: small 2 (broken): {reason}"
    # Where it can take nothing at all, that is said once and not for each image.
    evaluation = evaluate(lambda _: batches(side=9), ["broken"], Context())
    assert evaluation.missing == {"broken": f"not computed: {reason}"} and evaluation.skipped == {}


def test_several_translators() -> None:
    parts = {
        "a_to_b": evaluate(lambda _: batches(), ["l1", "broken", "diversity"], Context(), title="a_to_b"),
        "b_to_a": evaluate(lambda _: batches(side=9), ["l1", "broken"], Context(), title="b_to_a"),
    }
    both = joined(parts)
    assert list(both.figures) == ["a_to_b/l1", "a_to_b/broken", "b_to_a/l1"]
    assert all(figure.name == name for name, figure in both.figures.items())
    assert list(both.values) == ["a_to_b/l1", "b_to_a/l1"] and set(both.seconds) == set(both.figures)
    assert list(both.missing) == ["a_to_b/diversity", "b_to_a/broken"]
    assert both.warnings == ["a_to_b: few images"]
    assert both.num_images == {"a_to_b": 10, "b_to_a": 10} and list(both.galleries) == ["a_to_b", "b_to_a"]


def test_an_exception_is_not_swallowed() -> None:
    def stopped(_):
        yield from batches(size=2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(stopped, ["l1"], Context())


@pytest.fixture
def evaluation() -> Evaluation:
    return evaluate(lambda _: batches(), ["psnr", "l1", "diversity", "broken"], Context())


def test_records_are_json_and_come_back(evaluation, tmp_path) -> None:
    about = {"workdir": "rüns/x", "model": "pix2pix", "step": 200, "seed": 0}
    written = record(evaluation, about)
    assert write_record(tmp_path / "new", written) == tmp_path / "new" / "step_200.json"
    text = (tmp_path / "new" / "step_200.json").read_text(encoding="utf-8")

    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads(text, parse_constant=refuse) == written and "rüns" in text
    assert set(written) == {"format", "about", "figures", "missing", "warnings", "skipped", "values"}
    assert about.items() <= written["about"].items() and {"time", "versions"} <= set(written["about"])
    by_name = {figure["name"]: figure for figure in written["figures"]}
    assert set(by_name["l1"]) == {
        *("name", "value", "unit", "better", "num_images", "protocol", "version", "error", "weights_sha256"),
        *("note", "seconds"),
    }
    assert by_name["l1"]["value"] == pytest.approx(45 / 255)
    assert by_name["psnr"]["value"] is None and "inf" in by_name["psnr"]["note"]
    assert written["values"]["psnr"]["0"] is None and written["values"]["psnr"]["10"] == pytest.approx(
        28.1308, abs=1e-4
    )
    assert list(written["missing"]) == ["diversity"] and written["warnings"] == ["few images"]

    for step in (30, 1000):
        write_record(tmp_path / "new", record(evaluation, about | {"step": step}))
    write_record(tmp_path / "new", record(evaluation, {"generated": "a", "reference": "b"}))
    (tmp_path / "new" / "other.json").write_text("nothing of ours")
    found = read_records(tmp_path / "new")
    assert [each["about"].get("step") for each in found] == [None, 30, 200, 1000]
    assert found[2] == written
    assert [each["about"]["step"] for each in comparable(found, written)] == [30, 200, 1000]
    assert comparable(found, record(evaluation, about | {"seed": 1})) == []

    (tmp_path / "new" / "step_5.json").write_text('{"format": 1, "abo')
    with pytest.raises(UserError, match=r"step_5\.json is damaged"):
        read_records(tmp_path / "new")
    (tmp_path / "new" / "step_5.json").write_text('{"format": 99}')
    with pytest.raises(UserError, match=r"step_5\.json is no record of format 1"):
        read_records(tmp_path / "new")


def test_what_was_measured_before_is_not_lost(evaluation, tmp_path) -> None:
    full = record(evaluation, {"step": 1, "split": "val"})
    write_record(tmp_path, full)
    l1 = next(figure for figure in full["figures"] if figure["name"] == "l1")
    again = {**full, "figures": [l1 | {"value": 0.5}], "missing": {"fid": "weights missing"}, "values": {}}
    write_record(tmp_path, again)
    (together,) = read_records(tmp_path)
    assert {figure["name"]: figure["value"] for figure in together["figures"]} == {
        "psnr": None,
        "broken": 1.5,
        "l1": 0.5,
    }
    assert list(together["missing"]) == ["diversity", "fid"] and together["values"] == full["values"]
    write_record(tmp_path, full)
    (together,) = read_records(tmp_path)
    assert {figure["name"]: figure["value"] for figure in together["figures"]} == {
        "psnr": None,
        "broken": 1.5,
        "l1": l1["value"],
    }

    for split in ("test", "train", "test"):
        write_record(tmp_path, record(evaluation, {"step": 1, "split": split}))
    assert {path.name for path in tmp_path.iterdir()} == {"step_1.json", "step_1_2.json", "step_1_3.json"}
    assert [each["about"]["split"] for each in read_records(tmp_path)] == ["val", "test", "train"]


def test_a_record_is_whole_or_not_there(evaluation, tmp_path, monkeypatch) -> None:
    old = record(evaluation, {"step": 1})
    path = write_record(tmp_path, old)

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr("gan_zoo.images.os.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_record(tmp_path, record(evaluation, {"step": 1, "seed": 3}))
    assert [file.name for file in tmp_path.iterdir()] == ["step_1.json"]
    assert json.loads(path.read_text(encoding="utf-8")) == old


def test_names_that_are_no_unicode_are_kept_and_said_in_one_line(evaluation, tmp_path) -> None:
    name = "ü\udcff\n\x1b[2J.png"  # as Python reads a file's name that is no UTF-8
    named = dataclasses.replace(evaluation, skipped={name: "damaged"}, values={"l1": {name: 0.5}})
    written = record(named, {"step": 1})
    write_record(tmp_path, written)
    assert read_records(tmp_path) == [written]
    (line,) = [line for line in remarks(named) if line.startswith("skipped")]
    assert line == r"skipped: ü\udcff\n\x1b[2J.png: damaged"


def test_the_table_is_aligned(evaluation) -> None:
    lines = table(evaluation)
    header = lines[0]
    assert header.split() == ["metric", "value", "better", "images", "note"]
    columns = {title: header.index(title) for title in header.split()}
    l1 = next(line for line in lines if line.startswith("l1"))
    assert l1[columns["value"] :].startswith("0.17647 +- 0.038 ")  # 45 / 255; 30.28 / 255 / sqrt(10)
    assert l1[columns["better"] :].split()[:2] == ["lower", "10"] and l1[columns["images"] :].startswith("10")
    psnr = next(line for line in lines if line.startswith("psnr"))
    assert psnr[columns["value"] :].startswith("inf dB")
    assert lines[-1].split() == ["diversity", "weights", "missing"]
    assert records.FOLDER == "evaluation"
