"""The share of maps that are more than each control shows, by method, from finished runs.

    python benchmarks/evidence_figure.py OUT TITLE=RUN [TITLE=RUN …]

Writes OUT/significant.csv, OUT/significant.svg and OUT/significant.png, and OUT/provenance.json
with settings and sessions of every run.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas
from matplotlib import pyplot as plt
from plots import STYLES, name_rows, save

import harness


def shares(runs: Mapping[str, harness.Run]) -> pandas.DataFrame:
    """One row a run, method and control: how many maps are significant beside it."""
    return pandas.DataFrame(
        {
            "maps": title,
            "method": row.method.clusterer,
            "control": beside.control,
            "ok": row.ok,
            "significant": beside.significant,
            "share": beside.significant / row.ok,
            "median_p": beside.p_value,
            "mean_z": beside.z,
            "modularity": row.modularity,
        }
        for title, run in runs.items()
        for row in run.leaderboard()
        for beside in row.controls
        if row.ok
    )


def draw(table: pandas.DataFrame) -> plt.Figure:
    """One panel a run: controls down, the share across, a sign for each method."""
    titles = list(dict.fromkeys(table["maps"]))
    controls = {title: list(dict.fromkeys(of["control"])) for title, of in table.groupby("maps")}
    heights = [len(controls[title]) for title in titles]
    figure, panels = plt.subplots(
        len(titles),
        squeeze=False,
        figsize=(7, 1.3 + 0.42 * sum(heights)),
        height_ratios=heights,
        sharex=True,
        layout="constrained",
    )
    methods = list(dict.fromkeys(table["method"]))
    for panel, title in zip(panels.flat, titles, strict=True):
        for index, (method, (colour, sign)) in enumerate(zip(methods, STYLES, strict=False)):
            of_it = table[(table["maps"] == title) & (table["method"] == method)]
            places = [
                controls[title].index(name) + 0.18 * (index - (len(methods) - 1) / 2)
                for name in of_it["control"]
            ]
            panel.plot(of_it["share"], places, sign, color=colour, label=method, clip_on=False)
        name_rows(panel, controls[title])
        panel.set_xlim(0, 1)
        panel.grid(axis="x", color="#dddddd")
        panel.set_title(f"{title}: {table[table['maps'] == title]['ok'].max()} maps", loc="left")
        panel.spines[["top", "right", "left"]].set_visible(False)
    panels.flat[-1].set_xlabel("share of maps significant at a false discovery rate of 5 %")
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(methods), frameon=False)
    return figure


def provenance(run: harness.Run) -> dict[str, Any]:
    """A run's settings and sessions, without the folder and the log of the machine it ran on."""
    sessions = run.sessions()
    for invocation in (session["invocation"] for session in sessions):
        invocation.pop("folder", None)
        command = invocation["command"]
        if "--log" in command:
            at = command.index("--log")
            del command[at : at + 2]
    found: dict[str, Any] = _without_folders({"settings": run.settings(), "sessions": sessions})
    return found


def save_provenance(run: harness.Run, path: Path) -> None:
    """Write a run's provenance as PATH-provenance.json, for a path without its ending."""
    beside = path.with_name(f"{path.name}-provenance.json")
    beside.write_text(json.dumps(provenance(run), indent=1) + "\n")


def _without_folders(found: Any) -> Any:
    """The same values, with the last part of each absolute path."""
    if isinstance(found, dict):
        return {name: _without_folders(each) for name, each in found.items()}
    if isinstance(found, list):
        return [_without_folders(each) for each in found]
    if isinstance(found, str) and Path(found).is_absolute():
        return Path(found).name
    return found


def main() -> None:
    """Read the runs and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("runs", nargs="+", metavar="TITLE=RUN")
    arguments = parser.parse_args()
    runs = {
        title: harness.open_run(folder)
        for title, _, folder in (each.rpartition("=") for each in arguments.runs)
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    table = shares(runs)
    table.to_csv(arguments.out / "significant.csv", index=False, float_format="%.4g")
    save(draw(table), arguments.out / "significant")
    of_runs = {title: provenance(run) for title, run in runs.items()}
    (arguments.out / "provenance.json").write_text(json.dumps(of_runs, indent=1) + "\n")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
