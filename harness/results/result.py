"""The base class of a run's results: tables as text and HTML, frames, figures and iteration."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from harness.errors import WrongValueError, hint, refuse_unknown
from harness.plugin.arguments import checked
from harness.plugin.requirement import FIGURES

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

T = TypeVar("T")
# What a figure is drawn for: a column or a page of a journal.
Width = Literal["column", "page"]


class Result(ABC, Generic[T]):
    """A result of a run: a sequence of values, which is also a table and figures.

    A notebook shows it as HTML, `print` as text. `result[0]` is a value; `result["name"]`, or a
    list of names, gives columns of `to_frame()`.
    """

    @abstractmethod
    def _items(self) -> Sequence[T]:
        """The values that iteration gives."""

    @abstractmethod
    def _show(self, console: "Console") -> None:
        """Print the tables."""

    @abstractmethod
    def _drawings(self, width: float) -> Iterable[tuple[str, "Figure"]]:
        """The figures by name, at most `width` inches wide; the first is the main one.

        They are drawn when they are asked for.
        """

    @abstractmethod
    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with plain columns; missing numbers are NaN."""

    @checked
    def plot(self, name: str | None = None, *, width: Width = "page") -> "Figure":
        """Draw a figure with matplotlib.

        Parameters
        ----------
        name
            The name of the figure; by default the main one.
        width
            That of a column or of a page of a journal.

        Returns
        -------
        matplotlib.figure.Figure
            Made without pyplot; `savefig` writes it to a file.

        Raises
        ------
        HarnessError
            If there is no figure of that name; the message lists the names.
        """
        FIGURES.check(f"{type(self).__name__}.plot")
        from harness.views.figures.style import WIDTHS

        known = []
        for each, figure in self._drawings(WIDTHS[width]):
            if name in (None, each):
                return figure
            known.append(each)
        if name is None:
            raise WrongValueError(f"{type(self).__name__}: there is nothing to draw")
        raise WrongValueError(f"there is no figure {name!r}{hint(name, known)}")

    def __iter__(self) -> Iterator[T]:
        return iter(self._items())

    def __len__(self) -> int:
        return len(self._items())

    @overload
    def __getitem__(self, key: int) -> T: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[T]: ...
    @overload
    def __getitem__(self, key: str) -> "pandas.Series[Any]": ...
    @overload
    def __getitem__(self, key: list[str]) -> "pandas.DataFrame": ...
    def __getitem__(self, key: int | slice | str | list[str]) -> Any:
        if not isinstance(key, str | list):
            return self._items()[key]
        frame = self.to_frame()
        named = [key] if isinstance(key, str) else key
        refuse_unknown("there is no column", named, list(map(str, frame.columns)), "there are")
        return frame[key]

    def __repr__(self) -> str:
        from harness.views.page import as_text

        return as_text(self._show)

    def _repr_html_(self) -> str:
        from harness.views.page import as_html

        return as_html(self._show)
