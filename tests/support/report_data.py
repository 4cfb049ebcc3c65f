"""Data of a report, of the shape that the page reads, with every part that it can have."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness_plugins import image_sets

PHOTOS = Path(str(image_sets.__file__)).parent / "flowers_sample_data"
GRID = (14, 14)
LEVELS = [round(0.05 * step, 3) for step in range(20)]
CLUSTERERS = ("louvain", "infomap", "sdp")
SELECTORS = ("excess-modularity", "max-modularity")
CONTROLS = ("uniform-noise", "shuffled-patches")
TOP = 8
# Names that would run a script if anything read them as HTML.
HOSTILE = (
    '<img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=1</script>",
    "__proto__",
    "constructor",
    '"><svg onload=window.hacked=1>',
)
Json = dict[str, Any]


def sample_report(
    images: int = 6, *, hostile: bool = False, live: bool = False, done: int = 0
) -> Json:
    """A report of some photos; of hostile names, or of a live view with so many cells done."""
    random = np.random.default_rng(0)
    photos = sorted(PHOTOS.glob("*/*.jpg"))[:images]
    names = [
        HOSTILE[at % len(HOSTILE)] if hostile else photo.stem for at, photo in enumerate(photos)
    ]
    methods = [
        {"clusterer": clusterer, "selector": selector, "graph": "threshold", "extractor": "hf"}
        for clusterer in CLUSTERERS
        for selector in SELECTORS
    ]
    shown = [_image(path, name, random) for path, name in zip(photos, names, strict=True)]
    shown.sort(key=lambda image: -image["effect"])
    word = HOSTILE[0] if hostile else "louvain"
    return {
        "schema": 1,
        "title": HOSTILE[1] if hostile else "flowers",
        "live": live,
        "answer": [
            f"{word}'s clusters stand out from uniform noise on {images} of {images} images.",
            "From shuffled patches they stand out on none.",
        ],
        "compared": [f"{images} images of flowers-sample", "2 controls, 19 draws each"],
        "limits": ["Neighbouring patches look alike: this alone makes clusters."],
        "glossary": {
            "modularity": {"heading": "Q", "text": "Modularity at the selected level."},
            "effect": {"heading": "effect", "text": "Q less the control's, less its bias."},
            "effect_low": {"heading": "95 %", "text": "Interval of the effect over images."},
            "clusterer": {"heading": "clusterer", "text": "What divides the nodes."},
            "tier": {"heading": "tier", "text": "Methods of one tier cannot be told apart."},
        },
        "leaderboard": _leaderboard(methods, random),
        "tests": _tests(methods, random),
        "scores": None,
        "heads": None,
        "layers": _layers(random),
        "failures": _failures(word),
        "curves": [_curves(clusterer, random) for clusterer in CLUSTERERS],
        "effects": [_effect(method, names, random) for method in methods],
        "pvalues": [
            {
                "method": method,
                "control": control,
                "values": sorted(np.maximum(random.beta(0.5, 3, 40), 0.05).tolist()),
                "smallest": 0.05,
                "n": 40,
            }
            for method in methods
            for control in CONTROLS
        ],
        "comparison": _comparison(),
        "gallery": {"note": f"All {images} images.", "methods": methods, "images": shown},
        "progress": _progress(done) if live else None,
        "provenance": [
            {
                "command": f"harness run out --images {word}",
                "facts": [["version", "0.1.0"], ["commit", "35625e7"], ["images", word]],
            }
        ],
    }


def _column(name: str, kind: str, heading: str = "", **more: Any) -> Json:
    return {"name": name, "heading": heading or name.replace("_", " "), "kind": kind, **more}


def _leaderboard(methods: Sequence[Json], random: np.random.Generator) -> Json:
    rows = []
    for at, method in enumerate(methods):
        effect = round(0.4 - 0.07 * at, 3)
        row = [1 + at // 2, method["clusterer"], method["selector"], round(effect + 0.2, 3)]
        rows.append([*row, effect, effect - 0.05, effect + 0.06, 0.05, 0.9, 6])
    rows[-1][3:8] = [None] * 5
    return {
        "columns": [
            _column("tier", "integer"),
            _column("clusterer", "text", filter=True),
            _column("selector", "text", filter=True),
            _column("modularity", "number", "Q", best="high"),
            _column("effect", "number", best="high"),
            _column(
                "effect_low", "interval", "95 %", low="effect_low", high="effect_high",
                estimate="effect",
            ),
            _column("effect_high", "number", hidden=True),
            _column("p_value", "p", "p", best="low"),
            _column("accepted", "share", "found"),
            _column("n_clusters", "number", "k", digits=1),
        ],
        "rows": rows,
        "note": "Methods of one tier cannot be told apart.",
    }  # fmt: skip


def _tests(methods: Sequence[Json], random: np.random.Generator) -> Json:
    return {
        "columns": [
            _column("clusterer", "text", filter=True),
            _column("selector", "text", filter=True),
            _column("control", "text", filter=True),
            _column("p_value", "p", "p"),
            _column("z", "number", digits=1),
        ],
        "rows": [
            [method["clusterer"], method["selector"], control, 0.05, round(random.normal(4), 2)]
            for method in methods
            for control in CONTROLS
        ],
    }


def _failures(word: str) -> list[Json]:
    late = {"reason": "took longer than 60 s", "where": "sdp", "count": 2, "examples": ["a", "b"]}
    bad = {"reason": f"labels are no integers: {word}", "where": "infomap", "count": 5}
    return [late, {**bad, "examples": [word]}]


def _curves(clusterer: str, random: np.random.Generator) -> Json:
    levels = np.array(LEVELS)

    def series(label: str, height: float, control: bool) -> Json:
        mean = height * (0.3 + levels**2)
        band = 0.05 + 0.05 * levels
        return {
            "label": label,
            "control": control,
            "n": 6,
            "mean": mean.round(4).tolist(),
            "low": (mean - band).round(4).tolist(),
            "high": (mean + band).round(4).tolist(),
        }

    heights = dict(zip(CONTROLS, (0.2, 0.3), strict=True))
    return {
        "method": {"clusterer": clusterer, "graph": "threshold", "extractor": "hf"},
        "levels": LEVELS,
        "modularity": [
            series("images", 0.5, False),
            *(series(name, height, True) for name, height in heights.items()),
        ],
        "clusters": [
            series("images", 5, False),
            *(series(name, 14 * height, True) for name, height in heights.items()),
        ],
        "chosen": [
            {"selector": SELECTORS[0], "level": LEVELS[15], "count": 4},
            {"selector": SELECTORS[0], "level": LEVELS[17], "count": 2},
            {"selector": SELECTORS[1], "level": LEVELS[19], "count": 6},
        ],
    }


def _effect(method: Json, names: Sequence[str], random: np.random.Generator) -> Json:
    own = random.normal(0.3, 0.08, len(names)).round(4).tolist()
    mean = float(np.mean(own))
    return {
        "method": method,
        "figure": "effect",
        "effect": mean,
        "low": mean - 0.06,
        "high": mean + 0.06,
        "images": list(zip(names, own, strict=True)),
    }


def _layers(random: np.random.Generator) -> Json:
    layers, heads = list(range(6)), list(range(4))
    figures, depth = [], []
    for name, heading in (("effect", "effect"), ("modularity", "Q")):
        for clusterer in CLUSTERERS[:2]:
            method = {"clusterer": clusterer, "selector": SELECTORS[0]}
            figure = {"name": name, "heading": heading, "method": method}
            values = random.normal(0.2, 0.15, (6, 4)).round(4).tolist()
            values[0][0] = None
            mean = np.linspace(0.05, 0.4, 6).round(3)
            figures.append({**figure, "values": values})
            ends = {"low": (mean - 0.05).tolist(), "high": (mean + 0.05).tolist()}
            depth.append({**figure, "mean": mean.tolist(), **ends, "band": "95 % over images"})
    return {"layers": layers, "heads": heads, "figures": figures, "depth": depth}


def _comparison() -> Json:
    columns = [
        _column("clusterer", "text", filter=True),
        _column("first", "number"),
        _column("second", "number"),
        _column("change", "number"),
    ]
    rows = [[clusterer, 0.3, 0.34, 0.04] for clusterer in CLUSTERERS]
    notes = ["The runs differ in their extractor."]
    return {
        "names": ["first run", "second run"],
        "table": {"columns": columns, "rows": rows},
        "notes": notes,
    }


def _progress(done: int) -> Json:
    return {
        "done": done,
        "failed": 1,
        "skipped": 4,
        "total": 200,
        "secondsLeft": 65.0,
        "finished": done >= 195,
        "steps": "Clustering",
    }


def _image(path: Path, name: str, random: np.random.Generator) -> Json:
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
        small = photo.copy()
        small.thumbnail((200, 200))
        written = io.BytesIO()
        small.save(written, "JPEG", quality=70)
        features = np.asarray(photo.resize(GRID[::-1], Image.Resampling.BOX), float).reshape(-1, 3)
        width, height = photo.size
    rows, columns = np.indices(GRID)
    features = np.column_stack([features / 40, rows.ravel() / 5, columns.ravel() / 5])
    nodes = len(features)
    near = -((features[:, None] - features[None]) ** 2).sum(2)
    attention = np.exp(near)
    top = np.argsort(-attention, axis=1)[:, :TOP]
    weights = np.take_along_axis(attention, top, 1)
    return {
        "name": name,
        "set": "flowers-sample",
        "className": path.parent.name,
        "figure": "effect",
        "effect": round(float(random.normal(0.3, 0.1)), 3),
        "width": width,
        "height": height,
        "picture": "data:image/jpeg;base64," + base64.b64encode(written.getvalue()).decode(),
        "maps": [
            {
                "extractor": "hf",
                "layer": 11,
                "head": 0,
                "nodes": nodes,
                "grid": list(GRID),
                "region": [0, 0, 1, 1],
                "attention": {
                    "top": TOP,
                    "targets": base64.b64encode(top.astype("<u2").tobytes()).decode(),
                    "weights": _bytes(255 * weights / weights.max(1, keepdims=True)),
                },
                "sweeps": [_sweep(clusterer, features, random) for clusterer in CLUSTERERS],
            }
        ],
    }


def _sweep(clusterer: str, features: NDArray[np.float64], random: np.random.Generator) -> Json:
    """Patches by the nearest of some centres; higher levels have more centres."""
    centres = features[random.permutation(len(features))[:9]]
    distances = ((features[:, None] - centres[None]) ** 2).sum(2)
    counts = [3 + level * 6 // len(LEVELS) for level in range(len(LEVELS))]
    colours = np.array([distances[:, :count].argmin(1) for count in counts])
    colours[-1, :20] = 255
    modularity = (0.1 + 0.5 * np.array(LEVELS)).round(4).tolist()
    noise = [
        {
            "control": control,
            "draws": 19,
            "mean": (0.3 * np.array(modularity)).round(4).tolist(),
            "low": (0.2 * np.array(modularity)).round(4).tolist(),
            "high": (0.4 * np.array(modularity)).round(4).tolist(),
        }
        for control in CONTROLS
    ]
    return {
        "clusterer": clusterer,
        "graph": "threshold",
        "repeat": 0,
        "levels": LEVELS,
        "thresholds": [round(0.001 * at, 4) for at in range(len(LEVELS))],
        "modularity": modularity,
        "clusters": counts,
        "coverage": [1.0] * (len(LEVELS) - 1) + [0.9],
        "noise": noise,
        "colours": _bytes(colours),
        "selections": [
            _selection(SELECTORS[0], 15, [13, 17]),
            {**_selection(SELECTORS[1], 19, None), "accepted": False, "reason": "no plateau"},
        ],
    }


def _selection(selector: str, level: int, plateau: list[int] | None) -> Json:
    return {
        "selector": selector,
        "level": level,
        "accepted": True,
        "reason": "",
        "plateau": plateau,
        "tests": [{"control": control, "p": 0.05, "q": 0.05, "z": 4.2} for control in CONTROLS],
        "stability": [{"kind": "levels", "jaccard": 0.83}, {"kind": "seeds", "jaccard": 0.9}],
        "effect": 0.31,
    }


def _bytes(values: NDArray[Any]) -> str:
    return base64.b64encode(np.asarray(values).astype(np.uint8).tobytes()).decode()
