"""The results of a run: one SQLite file, and a folder of maps."""

from harness.store.opening import (
    check_folder,
    network_file_system,
    open_for_reading,
    open_for_writing,
)
from harness.store.schema import FIGURES, FILE_NAME, LARGEST_MAP, MAPS_FOLDER, PARTIAL
from harness.store.selections import (
    Accepted,
    Group,
    accepted,
    count_observed,
    failed_selections,
    groups,
    perturbed_cells,
    replace_selections,
    replace_stabilities,
)
from harness.store.tables import Store, none_for_nan

__all__ = [
    "FIGURES",
    "FILE_NAME",
    "LARGEST_MAP",
    "MAPS_FOLDER",
    "PARTIAL",
    "Accepted",
    "Group",
    "Store",
    "accepted",
    "check_folder",
    "count_observed",
    "failed_selections",
    "groups",
    "network_file_system",
    "none_for_nan",
    "open_for_reading",
    "open_for_writing",
    "perturbed_cells",
    "replace_selections",
    "replace_stabilities",
]
