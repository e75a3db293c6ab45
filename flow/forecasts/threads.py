"""Keeps learning and predicting to one thread.

A worker shares its machine with the web and the database. The threads of scikit-learn's boosting
wait for each other by spinning, so that on a busy machine two take many times as long as one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """While it is held, boosting uses one thread."""
    limit: AbstractContextManager[object] = _controller().limit(limits=1, user_api="openmp")
    return limit
