"""The schema of a run's SQLite file. ARCHITECTURE.md says what each table is for."""

from dataclasses import fields

from harness.plugin.profile import Point

FILE_NAME = "run.sqlite"
LOCK_NAME = "run.lock"
MAPS_FOLDER = "maps"
# The suffix of a map's file while it is written.
PARTIAL = ".partial"
SCHEMA_VERSION = 8
# "ahrn", in the header of the SQLite file.
APPLICATION_ID = 0x6168726E
# Labels are stored as 16-bit integers.
LABEL = "<i2"
LARGEST_MAP = 2**15 - 1

SCHEMA = """
CREATE TABLE settings (value TEXT NOT NULL);
CREATE TABLE sessions (session INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE images (
    image_set TEXT NOT NULL, image TEXT NOT NULL, digest TEXT NOT NULL,
    height INTEGER NOT NULL, width INTEGER NOT NULL, channels INTEGER NOT NULL,
    label INTEGER, reason TEXT NOT NULL,
    PRIMARY KEY (image_set, image)
);
CREATE TABLE planned (
    position INTEGER PRIMARY KEY, cell TEXT NOT NULL, map TEXT NOT NULL,
    image_set TEXT NOT NULL, image TEXT NOT NULL, extractor TEXT NOT NULL,
    layer INTEGER NOT NULL, head INTEGER NOT NULL,
    role TEXT NOT NULL, control TEXT NOT NULL, draw INTEGER NOT NULL, observed TEXT NOT NULL,
    graph TEXT NOT NULL, clusterer TEXT NOT NULL, repeat INTEGER NOT NULL, seed INTEGER NOT NULL,
    point INTEGER
);
CREATE INDEX planned_by_cell ON planned (cell);
CREATE INDEX planned_by_observed ON planned (observed);
CREATE INDEX planned_by_map ON planned (map);
CREATE TABLE maps (
    map TEXT PRIMARY KEY, digest TEXT NOT NULL, nodes INTEGER NOT NULL,
    grid TEXT, truth TEXT, region TEXT,
    reason TEXT NOT NULL, detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE cells (
    cell TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    seconds REAL NOT NULL, peak_memory INTEGER, nodes INTEGER NOT NULL, labels BLOB NOT NULL
);
CREATE TABLE points (
    cell TEXT NOT NULL, point INTEGER NOT NULL, level REAL NOT NULL, threshold REAL NOT NULL,
    density REAL NOT NULL, modularity REAL, modularity_full REAL, z_modularity REAL,
    n_clusters INTEGER NOT NULL, coverage REAL NOT NULL, largest_component_fraction REAL NOT NULL,
    isolated_fraction REAL NOT NULL, jaccard_previous REAL, seconds REAL NOT NULL,
    diagnostics TEXT NOT NULL, warnings TEXT NOT NULL,
    PRIMARY KEY (cell, point)
) WITHOUT ROWID;
CREATE TABLE selections (
    cell TEXT NOT NULL, selector TEXT NOT NULL, candidate INTEGER, statistic REAL,
    accepted INTEGER NOT NULL, plateau_first INTEGER, plateau_last INTEGER,
    status TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (cell, selector)
) WITHOUT ROWID;
CREATE TABLE tests (
    cell TEXT NOT NULL, selector TEXT NOT NULL, control TEXT NOT NULL, statistic REAL,
    null_statistics BLOB NOT NULL, null_candidates BLOB NOT NULL, null_mean REAL, null_std REAL,
    z REAL, p REAL NOT NULL, q REAL NOT NULL, bias REAL, single_bias REAL,
    PRIMARY KEY (cell, selector, control)
) WITHOUT ROWID;
CREATE TABLE stabilities (
    cell TEXT NOT NULL, selector TEXT NOT NULL, kind TEXT NOT NULL,
    n_compared INTEGER NOT NULL, jaccard REAL,
    weakest_cluster INTEGER NOT NULL, weakest_size INTEGER NOT NULL, weakest_jaccard REAL,
    PRIMARY KEY (cell, selector, kind)
) WITHOUT ROWID;
CREATE TABLE scores (
    score TEXT PRIMARY KEY, higher_is_better INTEGER NOT NULL,
    lowest REAL NOT NULL, highest REAL NOT NULL, version INTEGER NOT NULL, code TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE scored_points (
    cell TEXT NOT NULL, point INTEGER NOT NULL, score TEXT NOT NULL,
    figure REAL, reason TEXT NOT NULL,
    PRIMARY KEY (cell, point, score)
) WITHOUT ROWID;
"""
# The tables that hold what selectors selected, and what follows from it.
SELECTED = ("selections", "tests", "stabilities")
# The tables that hold what depends on a cell's labels.
OF_LABELS = ("points", "scored_points")
# The fields of a Point that are single numbers, each a column of `points`.
FIGURES = tuple(
    each.name for each in fields(Point) if each.name not in ("labels", "diagnostics", "warnings")
)
