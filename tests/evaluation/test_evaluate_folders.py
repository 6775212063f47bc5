"""evaluate.py on two folders of images: by name where names agree, else as sets."""

import json
import re

import numpy as np
import pytest
from evaluate_run import figures, run_evaluate, write_images
from small_run import picture
from tiny_runs import assert_one_line

from gan_zoo.images import encode_png

pytestmark = pytest.mark.usefixtures("offline")


def test_two_folders(tmp_path) -> None:
    made, real = tmp_path / "made", tmp_path / "real"
    image = picture(20, 24)
    write_images(made, {"same.png": image, "in/off.png": np.full((16, 16, 3), 100, np.uint8), "size.png": image})
    write_images(real, {"same.png": image, "in/off.png": np.full((16, 16, 3), 151, np.uint8)})
    write_images(real, {"size.png": picture(24, 20), "only.png": image})
    write_images(made, {"cut.png": encode_png(image)[:99], "alone.png": image})
    result = run_evaluate(f"--generated={made}", f"--reference={real}")
    assert (result.code, result.err) == (1, "")
    output = tmp_path / "made_evaluation"
    assert result.out.splitlines()[-1] == f"report: {output / 'report.html'}"
    skipped = dict(re.findall(r"^skipped: (\S+): (.*)$", result.out, re.M))
    assert set(skipped) == {str(made / name) for name in ("size.png", "cut.png", "alone.png")} | {
        str(real / "only.png")
    }
    record = json.loads((output / "folders.json").read_text(encoding="utf-8"))
    assert record["skipped"] == skipped
    assert record["values"]["l1"] == pytest.approx({"same": 0.0, "in/off": 51 / 255})
    values = figures(record)
    assert values["l1"] == pytest.approx(0.1) and values["psnr"] is None  # JSON knows no infinity
    assert re.search(r"^psnr +inf dB", result.out, re.M)
    assert record["values"]["psnr"] == {"same": None, "in/off": pytest.approx(20 * np.log10(5))}
    # Where sets are compared, the images without a partner count too.
    assert {figure["name"]: figure["num_images"] for figure in record["figures"]}["colourfulness"] == 4
    assert {"fid_clean", "kid_clean", "lpips_alex_v0.1"} <= set(record["missing"])
    assert record["about"]["generated"] == str(made)

    result = run_evaluate(f"--generated={real}", f"--reference={real}", "--metrics=l1", f"--output={tmp_path / 'same'}")
    assert result.code == 0 and re.search(r"^l1 +0 \+- 0 ", result.out, re.M), result


def test_folders_without_a_name_in_common(tmp_path) -> None:
    write_images(tmp_path / "made", {f"{n}.png": picture(16, 16) for n in range(3)})
    write_images(tmp_path / "real", {f"real {n}.png": picture(16, 16) for n in range(4)})
    words = (f"--generated={tmp_path / 'made'}", f"--reference={tmp_path / 'real'}")
    result = run_evaluate(*words)
    assert result.code == 0 and "have no name in common: only the sets are compared" in result.out
    assert list(json.loads((tmp_path / "made_evaluation" / "folders.json").read_text())["values"]) == ["colourfulness"]
    refused = run_evaluate(*words, "--metrics=colourfulness,l1")
    names = (f"{tmp_path / 'made'} has for instance 0.png", f"{tmp_path / 'real'} real 0.png")
    assert_one_line(refused, 2, "l1 needs the truth", "no name in common", *names)


def test_too_few_images(tmp_path, monkeypatch) -> None:
    """What cannot be computed of one image is said in the table, and stops nothing else."""

    class Features:
        size, batch_size = 4, 8

        def __call__(self, images):
            yield np.ones([len(list(images)), self.size], np.float32)

    monkeypatch.setattr("gan_zoo.metrics.features.sets._extractor", lambda resize, context: Features())
    write_images(tmp_path / "made", {"a.png": picture(32, 32)})
    words = (f"--generated={tmp_path / 'made'}", f"--reference={tmp_path / 'made'}", "--metrics=fid_clean,l1")
    result = run_evaluate(*words)
    assert result.code == 1  # it was asked for
    assert re.search(r"^fid_clean +not computed$", result.out, re.M), result.out
    assert re.search(r"^fid_clean: not computed: fid_clean needs at least \d+ images", result.out, re.M)


def test_figures_that_cannot_be_computed_change_the_exit_code(tmp_path) -> None:
    write_images(tmp_path / "made", {"a.png": picture(16, 16)})
    words = (f"--generated={tmp_path / 'made'}", f"--reference={tmp_path / 'made'}")
    for more, code in (("--metrics=l1", 0), ("--metrics=l1,fid_clean", 1), ("--seed=0", 0)):  # its weights are missing
        assert run_evaluate(*words, more).code == code, more
