"""The results of a run: one SQLite file, and a folder of maps."""

from harness.store.opening import open_for_reading as open_for_reading
from harness.store.opening import open_for_writing as open_for_writing
from harness.store.schema import FILE_NAME as FILE_NAME
from harness.store.tables import Store as Store
from harness.store.tables import none_for_nan as none_for_nan
