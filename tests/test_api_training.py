"""The front door: training and evaluating from Python."""

import pytest
from small_run import picture
from tiny_runs import TINY, EightPictures

import gan_zoo
from gan_zoo.metrics.base import Figure


def test_a_run_from_training_to_figures(tmp_path) -> None:
    said = []
    options = {"workdir": tmp_path / "run", "say": said.append, "sample_every": 0, "log_every": 2, "evaluate_every": 2}
    tiny = TINY["pix2pix"] | {"base_filters": 8}
    held_out = EightPictures(count=4)
    zoo = gan_zoo.train(model="pix2pix", source=EightPictures(), validation_source=held_out, steps=2, **options, **tiny)
    assert zoo.step == 2 and zoo.config.base_filters == 8 and said[-1].startswith("done: 2 steps")
    zoo = gan_zoo.train(model="pix2pix", source=EightPictures(), validation_source=held_out, steps=4, **options, **tiny)
    assert zoo.step == 4 and "going on after step 2 of 4" in said
    assert zoo.translate(picture(32, 32)).shape == (32, 32, 3)
    more = options | {"source": EightPictures(count=6), "validation_source": held_out, "model": "pix2pix", "steps": 4}
    with pytest.raises(gan_zoo.UserError, match="resume_with=data"):
        gan_zoo.train(**more, **tiny)
    gan_zoo.train(resume_with=["data"], **more, **tiny)
    with pytest.raises(gan_zoo.UserError, match="resume_with='date' is unknown; there are data, learning_rate"):
        gan_zoo.train(resume_with="date", **more, **tiny)

    new = more | {"workdir": tmp_path / "new", "steps": 1, "evaluate_every": 0}
    gan_zoo.train(init_from=tmp_path / "run", learning_rate=0.0, **new, **tiny)
    assert f"starting with the weights of {tmp_path / 'run'} at step 4" in said
    image = picture(32, 32)
    assert (gan_zoo.load(tmp_path / "new").translate(image) == zoo.translate(image)).all()

    figures = gan_zoo.evaluate(tmp_path / "run", metrics=["l1", "psnr"])
    assert set(figures) == {"l1", "psnr"} and all(isinstance(figure, Figure) for figure in figures.values())
    assert figures["l1"].num_images == 4 and (tmp_path / "run" / "evaluation" / "report.html").exists()
    again = gan_zoo.evaluate(tmp_path / "run", source=EightPictures(), metrics=["l1"], num_images=3)
    assert again["l1"].num_images == 3
    with pytest.raises(gan_zoo.UserError, match="was not trained in this process"):
        gan_zoo.evaluate(tmp_path / "other")


def test_pairs_serve_two_domains_and_targets_alone(tmp_path) -> None:
    options = {"source": EightPictures(), "steps": 1, "sample_every": 0, "evaluate_every": 0, "say": lambda line: None}
    for model in ("cyclegan", "colorization"):
        assert gan_zoo.train(model=model, workdir=tmp_path / model, **options, **TINY[model]).step == 1


def test_training_refuses_before_it_writes(tmp_path) -> None:
    wrong = [
        ({"model": "pix3pix"}, "model='pix3pix' is unknown; there are bicyclegan"),
        ({"base_filter": 8}, "unknown setting base_filter"),
        ({"num_blocks": 3}, "num_blocks has no effect with generator_type=unet"),
        ({"source": EightPictures(kind="unpaired")}, "pix2pix learns from paired images, the source has unpaired ones"),
        ({"source": EightPictures(count=0)}, "no examples"),
    ]
    for settings, message in wrong:
        call = {"model": "pix2pix", "source": EightPictures(), "workdir": tmp_path / "run"} | TINY["pix2pix"] | settings
        with pytest.raises(gan_zoo.UserError, match=message):
            gan_zoo.train(**call)
    assert not (tmp_path / "run").exists()
