"""What an evaluation found, as one page to look at and to hand on: no other file, no server, no script.

A record is what `gan_zoo.evaluation.records.record` makes, a plain dict about one checkpoint, or about two folders.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gan_zoo.images import write_whole
from gan_zoo.report.charts import escaped
from gan_zoo.report.figures import BETTER, Record, curves, history, step_of, table, value_text
from gan_zoo.report.gallery import Gallery
from gan_zoo.report.pictures import breakable, extremes, rows
from gan_zoo.report.style import STYLE

FILE = "report.html"
SHOWN_SKIPPED = 6  # the others are named in a part that opens
# Even if a text slipped through as a tag, the browser would load nothing and run nothing.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
IN_HEAD = ("model", "dataset", "split", "step", "num_images", "num_samples", "time")  # the others stand at the end


def write_report(
    folder: str | os.PathLike[str],
    records: Sequence[Record],
    galleries: Mapping[str, Gallery],
    title: str | None = None,
    *,
    step: int | None = None,
) -> Path:
    """Writes `html_report` of the same arguments as report.html, whole whenever it is there; returns its path."""
    path = Path(folder) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, html_report(records, galleries, title, step=step).encode())
    return path


def html_report(
    records: Sequence[Record],
    galleries: Mapping[str, Gallery],
    title: str | None = None,
    *,
    step: int | None = None,
) -> str:
    """Makes the page of an evaluation.

    Args:
        records: of one run's checkpoints, or the one of two folders.
        galleries: by translator: pictures that the checkpoint made which the page is about. Of several translators the
            names of figures begin with `translator/`.
        title: None for one that says what was evaluated.
        step: which of the records the page is about; None for the last step. The others lend it their curves.
    """
    records = sorted(records, key=lambda record: step_of(record) or 0)
    shown = records[-1] if step is None else next(record for record in records if step_of(record) == step)
    dated = [record for record in records if step_of(record) is not None]
    before = max((record for record in dated if step_of(record) < (step_of(shown) or 0)), key=step_of, default=None)
    groups = _groups(shown, galleries)
    title = title or _title(shown["about"])

    sections = {
        "Figures": _figures(shown, groups, before),
        "Curves": _curves(groups, dated) if len(dated) > 1 else "",
        "Best and worst": _per_translator(groups, {name: _ranked(shown, name, groups, galleries) for name in groups}),
        "Samples": _per_translator(groups, {name: _sheet(galleries, name) for name in groups}),
        "How it was made": _made(shown),
    }
    sections = {name: content for name, content in sections.items() if content}
    links = "".join(f'<a href="#{_anchor(name)}">{name}</a>' for name in sections)
    body = "".join(f'<h2 id="{_anchor(name)}">{name}</h2>{content}' for name, content in sections.items())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style></head>\n"
        f'<body><main><header><p class="kicker">Evaluation by gan_zoo</p><h1>{breakable(title)}</h1>'
        f'{_facts(shown["about"])}</header>{_read_first(shown)}<nav aria-label="On this page">{links}</nav>{body}'
        "<footer>This page holds all that it shows; it loads nothing. Pictures with a side of more than 256 pixels are "
        "scaled down here, and large ones compressed; the figures were measured on the pictures themselves.</footer>"
        "</main></body></html>\n"
    )


def _groups(record: Record, galleries: Mapping[str, Gallery]) -> dict[str, tuple[str, list, dict[str, str]]]:
    """`{translator: (prefix of names, figures, missing)}`, one entry where names have no prefix."""
    names = [figure["name"] for figure in record["figures"]] + list(record["missing"])
    prefixes = {each: f"{each}/" for each in galleries if any(name.startswith(f"{each}/") for name in names)}
    if not prefixes:
        prefixes = {next(iter(galleries), ""): ""}
    return {
        translator: (
            prefix,
            [figure for figure in record["figures"] if figure["name"].startswith(prefix)],
            {name: reason for name, reason in record["missing"].items() if name.startswith(prefix)},
        )
        for translator, prefix in prefixes.items()
    }


def _per_translator(groups: Mapping[str, Any], parts: Mapping[str, str]) -> str:
    """The parts below each other, each under its translator's name where names of figures begin with it."""
    if not any(prefix for prefix, _, _ in groups.values()):
        return "".join(parts.values())
    return "".join(f"<h3><code>{escaped(name)}</code></h3>{part}" for name, part in parts.items() if part)


def _title(about: Mapping[str, Any]) -> str:
    if "generated" in about:
        return f"{_last_part(about['generated'])} against {_last_part(about.get('reference', 'nothing'))}"
    return f"{about.get('model', 'a model')} on {about.get('dataset', 'images')}"


def _last_part(path: object) -> str:
    return Path(str(path)).name or str(path)


def _facts(about: Mapping[str, Any]) -> str:
    names = {"dataset": "data set", "num_images": "images", "num_samples": "samples of each", "time": "date"}
    facts = [(names.get(key, key), _plain(key, about[key])) for key in IN_HEAD if about.get(key) is not None]
    items = "".join(f"<div><dt>{name}</dt><dd>{escaped(value)}</dd></div>" for name, value in facts)
    return f'<dl class="facts">{items}</dl>'


def _plain(key: str, value: Any) -> str:
    if key == "time":
        return str(value)[:16].replace("T", " ")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(name, each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(str(each) for each in value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and key != "seed" else str(value)


def _read_first(record: Record) -> str:
    """All that makes the figures worth less than they seem, before any of them."""
    parts = [_list(escaped(warning) for warning in record["warnings"])] if record["warnings"] else []
    if record["missing"]:
        by_reason: dict[str, list[str]] = {}
        for name, reason in record["missing"].items():
            by_reason.setdefault(reason, []).append(f"<code>{escaped(name)}</code>")
        lines = (f"{', '.join(names)}: {escaped(reason)}" for reason, names in by_reason.items())
        parts.append(f"<h3>Not measured</h3>{_list(lines)}")
    if skipped := record["skipped"]:
        lines = [f"<bdi>{escaped(file)}</bdi>: {escaped(reason)}" for file, reason in skipped.items()]
        parts.append(f"<h3>Skipped: {len(lines):,}</h3>{_list(lines[:SHOWN_SKIPPED])}")
        if rest := lines[SHOWN_SKIPPED:]:
            parts.append(f"<details><summary>{len(rest):,} more</summary>{_list(rest)}</details>")
    if not parts:
        return '<p class="clear">No warnings; nothing was skipped, and nothing is missing.</p>'
    return f'<section class="first"><h2>Read this first</h2>{"".join(parts)}</section>'


def _list(lines: Any) -> str:
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def _figures(shown: Record, groups: Mapping[str, Any], before: Record | None) -> str:
    parts = {name: table(figures, missing, before, prefix) for name, (prefix, figures, missing) in groups.items()}
    key = "<span>± standard error</span>"
    if before is not None:
        key += "<span>▲ ▼ went up, went down</span><span>≈ a change within the standard errors</span>"
    return f'{_per_translator(groups, parts)}<p class="key">{key}</p>'


def _curves(groups: Mapping[str, Any], records: Sequence[Record]) -> str:
    parts = {}
    for name, (prefix, figures, _) in groups.items():
        charts = curves(figures, records, prefix)
        numbers = f"<summary>All checkpoints as numbers</summary>{history(figures, records, prefix)}"
        parts[name] = f'{charts}<details class="more">{numbers}</details>' if charts else ""
    if not any(parts.values()):
        return ""
    key = "<span>● the best checkpoint</span><span>▮ standard error</span>"
    return f'{_per_translator(groups, parts)}<p class="key">{key}</p>'


def _ranked(record: Record, translator: str, groups: Mapping[str, Any], galleries: Mapping[str, Gallery]) -> str:
    gallery = galleries.get(translator, Gallery())
    examples = extremes(gallery)
    if not examples:
        return ""
    prefix, figures, _ = groups[translator]
    figure = next((figure for figure in figures if figure["name"] == prefix + gallery.ranked_by), None)
    said = f"Ranked by <code>{escaped(gallery.ranked_by)}</code>"
    if figure is not None:
        better = BETTER.get(figure["better"], "").partition(" ")[2]
        said += f"{f', {better} is better' if better else ''}: {value_text(figure['value'])[0]} on average"
        said += f" over {figure['num_images']:,} images"
    return f'<p class="lead">{said}.</p>{examples}'


def _sheet(galleries: Mapping[str, Gallery], translator: str) -> str:
    gallery = galleries.get(translator, Gallery())
    if not gallery.sheet:
        return ""
    count = len(gallery.sheet)
    first = "The first example" if count == 1 else f"The first {count} examples"
    return f'<p class="lead">{first} of the set, not chosen.</p>{rows(gallery.sheet, gallery.ranked_by)}'


def _made(record: Record) -> str:
    about = record["about"]
    command = about.get("command", "")
    others = [(key, about[key]) for key in about if key not in (*IN_HEAD, "command") and about[key] is not None]
    items = "".join(
        f"<dt>{escaped(str(key).replace('_', ' '))}</dt><dd>{escaped(_plain(key, value))}</dd>" for key, value in others
    )
    repeat = f'<p class="lead">This command repeats it.</p><pre class="card">{escaped(command)}</pre>'
    return (repeat if command else "") + (f'<dl class="made card">{items}</dl>' if items else "")


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
