"""The results of a run: one SQLite file, and a folder of maps."""

from harness.store.opening import check_folder as check_folder
from harness.store.opening import network_file_system as network_file_system
from harness.store.opening import open_for_reading as open_for_reading
from harness.store.opening import open_for_writing as open_for_writing
from harness.store.schema import FIGURES as FIGURES
from harness.store.schema import FILE_NAME as FILE_NAME
from harness.store.schema import MAPS_FOLDER as MAPS_FOLDER
from harness.store.selections import Accepted as Accepted
from harness.store.selections import Group as Group
from harness.store.selections import accepted as accepted
from harness.store.selections import count_observed as count_observed
from harness.store.selections import failed_selections as failed_selections
from harness.store.selections import groups as groups
from harness.store.selections import perturbed_cells as perturbed_cells
from harness.store.selections import replace_selections as replace_selections
from harness.store.selections import replace_stabilities as replace_stabilities
from harness.store.tables import Store as Store
from harness.store.tables import none_for_nan as none_for_nan
