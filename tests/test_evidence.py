"""What docs/evidence.md says of the table's numbers is what they are."""

import re
from pathlib import Path

from support import REPOSITORY
from support.runs import small_run

PAGE = REPOSITORY / "docs" / "evidence.md"


def test_the_pages_script_recomputes_p_z_q_and_excess_from_a_runs_tables(
    planted: Path, tmp_path: Path
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (script,) = (block for block in blocks if "results/mine" in block)
    out = tmp_path / "mine"
    small_run(
        out,
        planted,
        controls="permuted-rows",
        clusterers="louvain,infomap",
        selectors="excess-modularity,stable-phase",
        nulls=21,
    )

    exec(compile(script.replace("results/mine", str(out)), "evidence.md", "exec"), {})
