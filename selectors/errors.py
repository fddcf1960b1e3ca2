"""Named errors of the selectors: each carries the values that matter and says the mend."""

from collections.abc import Sequence


class SelectionError(ValueError):
    """Base of everything a selection can refuse."""


class InvalidBudget(SelectionError):
    """The budget is not a whole number of at least 1."""

    def __init__(self, budget: object) -> None:
        self.budget = budget
        super().__init__(f"the budget is {budget!r}; give a whole number of at least 1")


class BudgetExceedsPool(SelectionError):
    """More images were asked for than the pool holds without a label."""

    def __init__(self, requested: int, available: int) -> None:
        self.requested = requested
        self.available = available
        super().__init__(
            f"{requested} requested, {available} available: lower the budget to at most {available} or add images"
        )


class UnknownSelector(SelectionError):
    """No selector of that name is registered."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(f"there is no selector {name!r}; choose one of: {', '.join(self.known)}")


class InvalidEmbeddings(SelectionError):
    """The embeddings are not a finite (n, d) matrix."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"invalid embeddings: {reason}; give a finite matrix of shape (n, d)")


class InvalidLabelledRows(SelectionError):
    """The labelled rows are not whole numbers within the matrix."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"invalid labelled rows: {reason}; give row numbers of the embeddings")


class BrokenSelector(SelectionError):
    """A selector broke its promise: a fault of the selector's author, not of the caller."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"the selector {name!r} returned a wrong result ({reason}): report it to its author")
