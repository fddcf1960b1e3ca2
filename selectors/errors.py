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


class BudgetExceedsGroups(BudgetExceedsPool):
    """More images were asked for than the groups (patients, studies) allow."""

    def __init__(self, requested: int, available: int, per_group: int) -> None:
        super().__init__(requested, available)
        self.per_group = per_group
        self.args = (
            f"{requested} requested, {available} available with at most {per_group} of a group: "
            f"lower the budget to at most {available} or allow more of a group",
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


class InvalidRules(SelectionError):
    """The rules about groups and near duplicates do not suit the pool."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"invalid rules: {reason}; give one whole number a row for the groups, at least 1 of a group, "
            f"and a cosine above 0 and up to 1"
        )


class MissingSignal(SelectionError):
    """A selector needs to know more of the rows than their embeddings."""

    def __init__(self, name: str, signal: str, mend: str) -> None:
        self.name = name
        self.signal = signal
        super().__init__(f"the selector {name!r} needs {mend}")


class InvalidSignal(SelectionError):
    """What is known of the rows beside their embeddings does not suit the pool."""

    def __init__(self, signal: str, reason: str, wanted: str) -> None:
        self.signal = signal
        self.reason = reason
        super().__init__(f"invalid {signal.replace('_', ' ')}: {reason}; give {wanted}")


class BrokenSelector(SelectionError):
    """A selector broke its promise: a fault of the selector's author, not of the caller."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"the selector {name!r} returned a wrong result ({reason}): report it to its author")
