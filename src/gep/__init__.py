"""Gross Ecosystem Product accounts: from rasters, county polygons and tables to county tables.

>>> import gep
>>> sorted(name for name, method in gep.services if method == "rusle")
['soil_retention']
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gep.arrays import services
    from gep.engine import Account, Report
    from gep.errors import GepError
    from gep.factors import preparations
    from gep.quantities import from_quantities
    from gep.result import Result
    from gep.together import run_together

    __version__: str

__all__ = [
    "Account",
    "GepError",
    "Report",
    "Result",
    "__version__",
    "from_quantities",
    "open",
    "preparations",
    "run_together",
    "services",
]

_ROOMS = {
    "Account": "gep.engine",
    "Report": "gep.engine",
    "Result": "gep.result",
    "GepError": "gep.errors",
    "from_quantities": "gep.quantities",
    "run_together": "gep.together",
}


class _Package(ModuleType):
    """The package, where `services` and `preparations` are mappings even after their rooms load."""

    @property
    def services(self) -> Any:
        """Every service by (name, method)."""
        from gep.arrays import services

        return services

    @services.setter
    def services(self, _: object) -> None:
        """Python would bind the folder of that name here when it is first imported."""

    @property
    def preparations(self) -> Any:
        """Every preparation of a raster by (raster, method)."""
        from gep.factors import preparations

        return preparations

    @preparations.setter
    def preparations(self, _: object) -> None:
        """As for services."""


sys.modules[__name__].__class__ = _Package


def open(path: Any) -> "Account":  # noqa: A001
    """Open the account a gep.toml defines; nothing is read but that file.

    Parameters
    ----------
    path : str or Path
        The gep.toml; the files it names are found from its folder.

    Returns
    -------
    Account
        With `check()` and `run()`.

    Raises
    ------
    GepError
        If the file is not there, not TOML, or says something unknown.
    """
    from gep.collector import resting

    with resting():
        from gep.engine import Account

        return Account(path)


def __getattr__(name: str) -> Any:
    """Import a room when something of it is first asked for (PEP 562)."""
    import importlib
    import importlib.metadata

    if name == "__version__":
        return importlib.metadata.version("gep")
    if name in _ROOMS:
        return getattr(importlib.import_module(_ROOMS[name]), name)
    raise AttributeError(f"module 'gep' has no attribute {name!r}")
