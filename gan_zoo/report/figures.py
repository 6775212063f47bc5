"""The figures of evaluations as tables and curves of a page.

A figure is one of the dicts under "figures" in a record of `gan_zoo.evaluation.records`; a record is of one checkpoint.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gan_zoo.report.charts import Point, best_point, escaped, line_chart, number
from gan_zoo.report.pictures import breakable

Record = Mapping[str, Any]
BETTER = {"higher": "↑ higher", "lower": "↓ lower"}
COMPARED = ("version", "weights_sha256", "protocol", "unit")  # figures that differ in these do not compare


@dataclasses.dataclass(frozen=True)
class Change:
    """What became of a figure since the checkpoint before.

    Attributes:
        difference: now less before.
        verdict: "better", "worse", or "" where it is neither: nothing says which way is better, or the difference is
            within the standard errors of the two.
        within_errors: whether it is.
    """

    difference: float
    verdict: str
    within_errors: bool


def step_of(record: Record) -> int | None:
    """The training step of the checkpoint that a record is about; None where it is about folders of images."""
    return record["about"].get("step")


def find(record: Record, figure: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The same figure, measured in the same way, in another record."""
    for other in record["figures"]:
        if all(other.get(key) == figure.get(key) for key in ("name", *COMPARED)):
            return other
    return None


def change(before: Mapping[str, Any], now: Mapping[str, Any]) -> Change | None:
    """Compares two values of a figure; None where one of them is not there."""
    if not (_is_there(before) and _is_there(now)):
        return None
    difference = now["value"] - before["value"]
    errors = math.hypot(before.get("error") or 0.0, now.get("error") or 0.0)
    within = abs(difference) <= errors
    if within or now["better"] == "none":
        return Change(difference, "", within)
    return Change(difference, "better" if (difference > 0) == (now["better"] == "higher") else "worse", False)


def value_text(value: float | None, error: float | None = None) -> tuple[str, str]:
    """A value and its standard error with the decimals that the error's two digits have: ("0.402", "± 0.013")."""
    if value is None or not math.isfinite(value):
        return "–", ""
    if not error or not math.isfinite(error):
        return number(value), ""
    decimals = max(0, 1 - math.floor(math.log10(error)))
    if decimals > 6:
        return number(value), f"± {number(error)}"
    return f"{value:,.{decimals}f}".replace("-", "−", 1), f"± {error:,.{decimals}f}"


def table(
    figures: Sequence[Mapping[str, Any]], missing: Mapping[str, str], before: Record | None, prefix: str = ""
) -> str:
    """The figures of one translator, a row each, and those that there are not.

    Args:
        figures: of the record that the page is about.
        missing: {name: reason}.
        before: the record of the checkpoint before; None for no column of changes.
        prefix: of the names, left out of the table.
    """
    since = "" if before is None else f"<th scope=col>Since step {step_of(before):,}</th>"
    head = f'<th scope=col>Figure</th><th scope=col colspan=2 class="values">Value</th><th scope=col>Better</th>{since}'
    lines = []
    for figure in figures:
        value, error = value_text(figure["value"], figure.get("error"))
        unit = f" {escaped(figure['unit'])}" if figure.get("unit") and value != "–" else ""
        cells = f'<td class="number value"><b>{value}</b></td><td class="error-of quiet">{error}{unit}</td>'
        cells += f'<td class="better quiet">{BETTER.get(figure["better"], "")}</td>'
        if before is not None:
            cells += f'<td class="change">{_change_cell(find(before, figure), figure)}</td>'
        lines.append(f"{_name(figure['name'], prefix)}{cells}<td class=notes>{_notes(figure)}</td>")
    for name, reason in missing.items():
        empty = '<td class="better"></td>' + ("" if before is None else "<td></td>")
        said = escaped(reason.partition(":")[0])
        lines.append(f'{_name(name, prefix)}<td colspan=2 class="values quiet">{said}</td>{empty}<td class=notes></td>')
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return _box(f"<thead><tr>{head}<th scope=col>Notes</th></tr></thead><tbody>{body}</tbody>", "the figures")


def history(figures: Sequence[Mapping[str, Any]], records: Sequence[Record], prefix: str = "") -> str:
    """All values of all checkpoints as a table: what the curves show, as numbers."""
    heads = "".join(f'<th scope=col class="number">step {step_of(record):,}</th>' for record in records)
    lines = []
    for figure in figures:
        found = [find(record, figure) for record in records]
        values = [each["value"] if each and _is_there(each) else None for each in found]
        best = best_point([Point(place, value) for place, value in enumerate(values)], figure["better"])
        texts = ["–" if value is None else number(value) for value in values]
        if best is not None:
            texts[best.step] = f'<b>{texts[best.step]}</b> <span class="quiet">best</span>'
        cells = "".join(f'<td class="number">{text}</td>' for text in texts)
        lines.append(f"<tr>{_name(figure['name'], prefix)}{cells}</tr>")
    body = f"<thead><tr><th scope=col>Figure</th>{heads}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return _box(body, "the figures of all checkpoints")


def curves(figures: Sequence[Mapping[str, Any]], records: Sequence[Record], prefix: str = "") -> str:
    """A small chart of each figure over the checkpoints; "" where none was measured twice in the same way."""
    charts = []
    for figure in figures:
        found = [(step_of(record), find(record, figure)) for record in records]
        points = [
            Point(step, other["value"], other.get("error")) for step, other in found if other and _is_there(other)
        ]
        # What neither is good or bad nor changes belongs to the data, such as a floor: the table has it.
        level = figure["better"] == "none" and len({point.value for point in points}) == 1
        if len(points) < 2 or level:
            continue
        name = figure["name"].removeprefix(prefix)
        chart = line_chart(points, label=name, unit=figure.get("unit") or "", better=figure["better"])
        better = BETTER.get(figure["better"], "")
        better = f'<span class="quiet">{better} is better</span>' if better else ""
        charts.append(
            f'<figure class="card"><figcaption><code>{escaped(name)}</code>{better}</figcaption>{chart}</figure>'
        )
    return f'<div class="charts">{"".join(charts)}</div>' if charts else ""


def _name(name: str, prefix: str) -> str:
    return f"<th scope=row><code>{breakable(name.removeprefix(prefix))}</code></th>"


def _box(table_body: str, label: str) -> str:
    # What scrolls sideways must be reachable by the keyboard.
    return f'<div class="box card" tabindex="0" role="region" aria-label="{label}"><table>{table_body}</table></div>'


def _change_cell(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    if before is None:
        return '<span class="quiet">measured in another way, or not at all</span>'
    found = change(before, now)
    if found is None:
        return ""
    size = number(abs(found.difference), digits=2)
    if found.difference == 0:
        return '<span class="quiet">the same</span>'
    if found.within_errors:
        return f'<span class="quiet">≈ {"+" if found.difference > 0 else "−"}{size}</span>'
    arrow = "▲" if found.difference > 0 else "▼"
    kind = {"better": "good", "worse": "bad"}.get(found.verdict, "quiet")
    return f'<span class="{kind}">{arrow} {size} {found.verdict}</span>'


def _notes(figure: Mapping[str, Any]) -> str:
    lines = [("protocol", figure["protocol"]), ("version", figure["version"]), ("images", f"{figure['num_images']:,}")]
    if figure.get("weights_sha256"):
        lines.append(("weights", f"SHA-256 {figure['weights_sha256']}"))
    if figure.get("seconds") is not None:
        lines.append(("time", f"{figure['seconds']:.1f} s"))
    terms = "".join(f"<dt>{name}</dt><dd>{escaped(text)}</dd>" for name, text in lines)
    note = escaped(figure.get("note") or "")
    return f"{note}<details><summary>how it is measured</summary><dl>{terms}</dl></details>"


def _is_there(figure: Mapping[str, Any]) -> bool:
    return figure["value"] is not None and math.isfinite(figure["value"])
