"""The one place that says how many threads numerical libraries take."""

# One in every host, whatever the number of workers: the order of additions, and with it the
# last digit, depends on it; and more threads than cores are many times slower.
SINGLE = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
    ),
    "1",
)
