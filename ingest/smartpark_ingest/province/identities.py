"""Who a source says it is, and which parks, sub-parks and enterprises it has; fields that we do not know are left."""

from typing import Any
from uuid import UUID

from smartpark_storage.aggregates import Identities
from smartpark_storage.aggregates.sources import IDENTITY_COLUMNS

from smartpark_ingest.province.client import SourceRefusedError


def identities_of(told: Any) -> tuple[UUID, Identities]:
    """Instance and parks in the answer of ``/aggregates/identities``.

    A newer source may tell more of a park than we keep, which is no reason to stop pulling; less is.
    """
    try:
        lists = {
            name: [{column: row[column] for column in columns} for row in told[name]]
            for name, columns in IDENTITY_COLUMNS.items()
        }
        return UUID(told["instance"]), Identities(**lists)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceRefusedError(f"what the source says of its parks is not as agreed: {error!r}") from error
