"""The report: that it needs nothing else, says all there is to say, and lets no name of a file become markup."""

import base64
import io
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from gan_zoo.images import decode_image
from gan_zoo.report.charts import escaped
from gan_zoo.report.figures import change, value_text
from gan_zoo.report.gallery import Gallery, Row
from gan_zoo.report.page import html_report, write_report
from gan_zoo.report.pictures import LONGEST, breakable, data_uri, scaled_down
from gan_zoo.report.style import DARK, LIGHT

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;\udcff\u0007.png"
VOID = ("meta", "img", "wbr")
SHA = "0123456789abcdef" * 4


class Page(HTMLParser):
    """A page taken apart: its tags, and its text; fails where tags do not close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data) -> None:
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def figure(name="l1", value: float | None = 0.25, **more) -> dict:
    plain = {"unit": "", "better": "lower", "num_images": 12, "protocol": f"how {name} is", "version": "3"}
    return {"name": name, "value": value, "error": None, "weights_sha256": None, "note": None, **plain, **more}


def record(step: int | None = 1000, figures=(), **more) -> dict:
    about = {"workdir": "runs/a", "model": "pix2pix", "dataset": "facades", "split": "val", "step": step, "seed": 7}
    about |= {"num_images": 12, "time": "2025-11-21T14:02:11+0000", "versions": {"keras": "3.15.0"}}
    parts = {"about": about, "figures": list(figures) or [figure()], "missing": {}, "warnings": [], "skipped": {}}
    return {"format": 1, "values": {}, **parts, **more}


def picture(side=16, channels=3, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side + 4, channels), np.uint8)


def gallery(name="cmp_b0001", ranked_by="l1") -> Gallery:
    row = Row(name=name, value=0.125, pictures={"input": picture(), "truth": picture(), "output": picture(channels=1)})
    return Gallery(sheet=[row], best=[row], worst=[row], ranked_by=ranked_by)


def test_the_page_needs_nothing_else_and_no_script() -> None:
    figures = [figure(note="see https://example.org/paper")]
    text = html_report([record(figures=figures), record(2000, figures)], {"translate": gallery()})
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "data", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:image/")), tag
    assert "url(" not in text and "@import" not in text
    policy = next(each["content"] for each in page.of("meta") if "http-equiv" in each)
    assert policy.startswith("default-src 'none'") and "script" not in policy
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {link["href"][1:] for link in page.of("a")} == anchors


def test_a_hostile_name_stays_text_everywhere() -> None:
    hostile = record(
        figures=[
            figure(HOSTILE, note=HOSTILE, unit=HOSTILE, protocol=HOSTILE, version=HOSTILE, weights_sha256=HOSTILE)
        ],
        missing={f"fid{HOSTILE}": HOSTILE},
        warnings=[HOSTILE],
        skipped={HOSTILE: HOSTILE},
    )
    later = {**hostile, "about": dict.fromkeys([*hostile["about"], "command", HOSTILE], HOSTILE) | {"step": 2000}}
    pictured = Gallery(
        sheet=[Row(name=HOSTILE, value=1.0, pictures={HOSTILE: picture()})],
        best=[Row(name=HOSTILE, value=1.0, pictures={HOSTILE: picture()})],
        ranked_by=HOSTILE,
    )
    text = html_report([hostile, later], {HOSTILE: pictured}, HOSTILE)
    page = Page(text)
    text.encode()  # no lone half of a character is left
    assert "script" not in {tag for tag, _ in page.tags}
    assert {attributes["src"][:11] for attributes in page.of("img")} == {"data:image/"}
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]
    said = HOSTILE.replace("\udcff", "?").replace("\u0007", "\ufffd")
    assert page.text.count(said) >= 15
    assert page.of("img")[0]["alt"] == f"{said} of {said}"


def test_escaping() -> None:
    assert escaped("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#x27;"
    assert escaped("ä ✓ \x00\u202e") == "ä ✓ \ufffd\ufffd"  # what turns the reading direction would hide a suffix
    assert breakable("a_to_b/l1_<") == "a_<wbr>to_<wbr>b/<wbr>l1_<wbr>&lt;"


def test_the_head_says_what_was_evaluated() -> None:
    page = Page(html_report([record(15000)], {}))
    assert "Evaluation by gan_zoopix2pix on facades" in page.text
    for said in ("modelpix2pix", "data setfacades", "splitval", "step15,000", "images12", "date2025-11-21 14:02"):
        assert said in page.text
    assert "seed7versionskeras 3.15.0" in page.text
    assert [each["lang"] for each in page.of("html")] == ["en"]


def test_folders_have_no_step_and_no_curves() -> None:
    folders = record(None)
    folders["about"] = {"generated": "/tmp/made", "reference": "/data/real", "num_images": 3, "command": "python e.py"}
    page = Page(html_report([folders], {"images": gallery()}))
    assert "made against real" in page.text and "python e.py" in page.text
    assert not page.of("svg") and "Since step" not in page.text


def test_what_makes_figures_worth_less_comes_before_them() -> None:
    missing = {"fid_clean": "weights missing: get them there", "kid_clean": "weights missing: get them there"}
    skipped = {f"{place}.png": "damaged" for place in range(9)}
    text = Page(html_report([record(missing=missing, warnings=["Too few images."], skipped=skipped)], {})).text
    places = [
        text.index(said) for said in ("Read this first", "Too few", "fid_clean, kid_clean: weights", "Skipped: 9")
    ]
    assert places == sorted(places) and places[-1] < text.index("Value")
    assert all(f"{name}: damaged" in text for name in skipped) and "3 more" in text
    assert text.count("get them there") == 1
    assert text.count("weights missing") == 3  # and in the two rows of the table
    assert "No warnings" not in text and "Read this first" not in Page(html_report([record()], {})).text


def test_a_row_tells_all_about_its_figure() -> None:
    one = figure("lpips", 0.40213, error=0.0132, unit="bits", note="real pairs: 0.262", weights_sha256=SHA, seconds=2.0)
    text = Page(html_report([record(figures=[one, figure("psnr", None, better="higher")])], {})).text
    row = "lpips0.402± 0.013 bits↓ lowerreal pairs: 0.262how it is measuredprotocolhow lpips isversion3images12"
    assert f"{row}weightsSHA-256 {SHA}time2.0 s" in text
    assert "psnr–↑ higher" in text


@pytest.mark.parametrize(
    ("value", "error", "expected"),
    [
        (0.40213, 0.0132, ("0.402", "± 0.013")),
        (0.40213, 0.0996, ("0.402", "± 0.100")),
        (12345.6, 210.0, ("12,346", "± 210")),
        (-1.0, 0.5, ("−1.00", "± 0.50")),
        (0.3, None, ("0.3000", "")),
        (0.3, 0.0, ("0.3000", "")),
        (None, 0.1, ("–", "")),
        (float("inf"), None, ("–", "")),
        (1.0, 1e-9, ("1.000", "± 1e−09")),
    ],
)
def test_values_have_the_digits_that_their_error_leaves(value, error, expected) -> None:
    assert value_text(value, error) == tuple(text.replace("e−", "e-") for text in expected)


@pytest.mark.parametrize(
    ("before", "now", "better", "verdict", "within"),
    [
        ((0.5, 0.03), (0.44, 0.04), "lower", "better", False),  # 0.06 > hypot(0.03, 0.04) = 0.05
        ((0.5, 0.03), (0.46, 0.04), "lower", "", True),
        ((0.5, None), (0.46, None), "lower", "better", False),
        ((0.5, None), (0.46, None), "higher", "worse", False),
        ((0.5, None), (0.56, None), "higher", "better", False),
        ((0.5, None), (0.56, None), "none", "", False),
    ],
)
def test_changes_are_judged_by_the_errors(before, now, better, verdict, within) -> None:
    found = change(*(figure(value=value, error=error, better=better) for value, error in (before, now)))
    assert (found.verdict, found.within_errors) == (verdict, within)
    assert found.difference == pytest.approx(now[0] - before[0], rel=1e-12)


def test_a_change_is_the_one_since_the_checkpoint_before() -> None:
    records = [record(step, [figure(value=value)]) for step, value in ((9000, 0.25), (10000, 0.75), (500, 0.5))]
    assert "Since step 9,000" in Page(html_report(records, {})).text
    assert "▲ 0.50 worse" in Page(html_report(records, {})).text
    assert "▼ 0.25 better" in Page(html_report(records, {}, step=9000)).text
    assert "Since step" not in Page(html_report(records, {}, step=500)).text


@pytest.mark.parametrize("key", ["version", "protocol", "weights_sha256", "unit"])
def test_figures_measured_in_another_way_are_not_compared(key) -> None:
    page = Page(html_report([record(1000, [figure(**{key: "old"})]), record(2000)], {}))
    assert "measured in another way" in page.text and not page.of("svg")


def test_there_is_a_curve_for_each_figure_that_was_measured_twice() -> None:
    level = figure("floor", 0.2, better="none")  # of the data, not of the model
    figures = [figure(), figure("psnr", 20.0, better="higher"), level, figure("new", 1.0), figure("inf", None)]
    page = Page(
        html_report([record(1000, figures[:3]), record(2000, figures), record(3000, figures[:1])], {}, step=2000)
    )
    assert [each["aria-label"].split()[0] for each in page.of("svg")] == ["l1", "psnr"]
    assert "All checkpoints as numbers" in page.text and "step 3,000" in page.text
    assert not Page(html_report([record(2000, figures)], {})).of("svg")


def test_translators_have_their_own_parts() -> None:
    names = ("a_to_b", "b_to_a")
    figures = [figure(f"{name}/l1", value) for name, value in zip(names, (0.125, 0.5), strict=True)]
    records = [record(step, figures, missing={"b_to_a/fid": "weights missing: x"}) for step in (1, 2)]
    page = Page(html_report(records, {name: gallery(name=f"of {name}") for name in names}))
    assert sum(tag == "h3" for tag, _ in page.tags) == 4 * len(names) + 1  # the last one: not measured
    assert len(page.of("table")) == 4 and len(page.of("svg")) == 2
    assert re.findall(r"(\w_to_\w)Ranked by l1, lower is better: ([\d.]+)", page.text) == [
        ("a_to_b", "0.1250"),
        ("b_to_a", "0.5000"),
    ]
    assert len(page.of("img")) == 3 * 3 * len(names)


def test_pictures_have_words_and_sizes() -> None:
    page = Page(html_report([record()], {"translate": gallery("0007")}))
    assert [each["alt"] for each in page.of("img")] == [f"{t} of 0007" for t in ("input", "truth", "output")] * 3
    assert {(each["width"], each["height"]) for each in page.of("img")} == {("20", "16")}
    assert "Ranked by l1, lower is better: 0.2500 on average over 12 images." in page.text
    assert "Best and worst" not in Page(html_report([record()], {"translate": Gallery()})).text


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_small_picture_is_kept_as_it_is(channels) -> None:
    image = picture(channels=channels)
    image[..., 3:] = 255
    kind, _, data = data_uri(image).partition(";base64,")
    assert kind == "data:image/png"
    np.testing.assert_array_equal(decode_image(base64.b64decode(data)), image[..., :3])


def test_a_large_picture_is_scaled_down_and_compressed() -> None:
    rows, columns = np.mgrid[:600, :300]
    image = np.stack([rows * 255 / 599, columns * 255 / 299, (rows + columns) % 128], -1).astype(np.uint8)
    assert scaled_down(image).shape == (LONGEST, 128, 3)
    kind, _, data = data_uri(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)).partition(";base64,")
    assert kind == "data:image/webp"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (200, 200)
    # A ramp stays the ramp: the middle of pixel i is at (i + 0.5) * 600 / 256 of the large one.
    expected = ((np.arange(LONGEST) + 0.5) * 600 / LONGEST - 0.5) * 255 / 599
    # Rounding down to uint8 (1) and rounding again (0.5); the filter reaches past the borders at the ends.
    difference = scaled_down(image)[4:-4, 64, 0] - expected[4:-4]
    assert np.abs(difference).max() <= 1.5


def test_the_report_is_written_whole(tmp_path, monkeypatch) -> None:
    path = write_report(tmp_path / "new", [record()], {"translate": gallery()}, "ä title")
    assert path == tmp_path / "new" / "report.html"
    assert "ä title" in Page(path.read_text(encoding="utf-8")).text

    def fail(*_: object) -> None:
        raise OSError("no space left")

    before = path.read_bytes()
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_report(tmp_path / "new", [record()], {}, "another")
    assert path.read_bytes() == before and os.listdir(tmp_path / "new") == ["report.html"]


def luminance(colour: str) -> float:
    """Relative luminance of sRGB, as WCAG 2.2 defines it."""
    parts = np.array([int(part, 16) for part in re.findall("..", colour.lstrip("#"))[:3]]) / 255
    return float(np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_can_be_read_on_every_ground(scheme) -> None:
    for text in ("text", "quiet", "accent", "good", "bad"):
        for ground in ("ground", "card", "note"):
            dark, light = sorted(luminance(scheme[name]) for name in (text, ground))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
