import pytest
from scipy import stats

from harness.metrics.distributions import chi_squared_tail, student_reach


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 20, 99])
@pytest.mark.parametrize("value", [0.0, 1e-6, 0.5, 3.0, 40.0, 300.0])
def test_the_tail_of_chi_squared_is_that_of_scipy(degrees: int, value: float) -> None:
    expected = stats.chi2.sf(value, degrees)

    assert chi_squared_tail(degrees, value) == pytest.approx(expected, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("outside", [0.01, 0.05, 0.5])
@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 8, 15, 16, 59, 1000, 9999])
def test_the_reach_of_students_t_is_the_quantile_of_scipy(degrees: int, outside: float) -> None:
    expected = stats.t.ppf(1 - outside / 2, degrees)

    assert student_reach(degrees, outside) == pytest.approx(expected, rel=1e-12)
