"""The documentation site: `nox -s site` builds it, and a warning fails.

Sources lie in the whole repository, so that links between pages work here and in a clone alike.
"""

import os
import sys
from pathlib import Path

import harness

sys.path.insert(0, str(Path(__file__).parent))
os.environ["OMP_NUM_THREADS"] = "1"

project = "attention-harness"
author = "the authors of attention-harness"
version = release = harness.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "harness_site.extension",
]
root_doc = "docs/index"
include_patterns = [
    "docs/**",
    "results/README.md",
    "results/*/README.md",
    "results/*/report.md",
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "RELEASING.md",
    "changelog.d/README.md",
]
exclude_patterns = [
    ".*",
    "docs/examples/**",
    # The gallery's notebooks are for download; its pages are made from the scripts.
    "docs/gallery/*.ipynb",
    "docs/site_root",
    "docs/static",
    "site",
]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 5
# Files of the repository are linked as downloads, and headings of a page may skip a level.
suppress_warnings = ["myst.header"]

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_typehints = "none"
# What single backquotes of docstrings are.
default_role = "code"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "docs/examples",
    "gallery_dirs": "docs/gallery",
    "filename_pattern": r"\.py$",
    "image_scrapers": "harness_site.figures.returned_figure",
    "ignore_repr_types": "Figure",
    "download_all_examples": False,
    "show_signature": False,
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 0,
    "show_memory": False,
    "write_computation_times": False,
}

html_theme = "furo"
html_title = "attention-harness"
html_extra_path = ["site_root"]
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
