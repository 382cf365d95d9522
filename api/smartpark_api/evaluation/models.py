"""Business figures as the API takes and gives them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from smartpark.business_figures import FigureKind

from smartpark_api.models.base import Answer, Instant


class FigureIn(BaseModel):
    """One figure; its park is that of the address."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    entity: Annotated[str, Field(description="`park`, `sub_park/CODE` or `enterprise/CODE`.")] = "park"
    kind: Annotated[str, Field(description="Closed list, in docs/methods/business-figures.md.", examples=["tax"])]
    product: Annotated[str, Field(description="Of product_output only.")] = ""
    period: Annotated[str, Field(description="A month, a quarter or a year.", examples=["2026-05", "2026Q2", "2026"])]
    value: Annotated[float | None, Field(description="Null: an earlier figure is withdrawn.", examples=[1234.5])]
    unit: Annotated[str, Field(description="That of the kind, the default; a product has its own.")] = ""
    price_basis: Annotated[
        str, Field(description="`current` or `constant-2025`, for kinds with prices.", examples=["current"])
    ] = ""
    is_estimated: Annotated[bool, Field(description="Whether it is an estimate.")] = False
    source_document: Annotated[str, Field(description="What it was taken from.", examples=["monthly return B204-1"])]
    note: Annotated[str, Field(description="Anything else.")] = ""


class FiguresIn(BaseModel):
    """Figures that one person answers for; all are recorded, or none."""

    model_config = ConfigDict(extra="forbid")

    entered_by: Annotated[str, Field(description="Who enters them; kept with each revision.", examples=["Chen"])]
    figures: Annotated[list[FigureIn], Field(min_length=1, max_length=5000)]


class FiguresRecorded(Answer):
    """What recording did; the ratios follow within seconds."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    added: Annotated[int, Field(description="Figures that were not there.")]
    corrected: Annotated[int, Field(description="New revisions; the old ones stay on record.")]
    withdrawn: Annotated[int, Field(description="Revisions that take a figure back.")]
    unchanged: Annotated[int, Field(description="On record already.")]


class FigureOut(Answer):
    """A figure on record."""

    entity: str
    kind: FigureKind
    product: str
    period: Annotated[str, Field(examples=["2026-05"])]
    value: Annotated[float | None, Field(description="Null: it was withdrawn.")]
    unit: str
    price_basis: str
    is_estimated: bool
    source_document: str
    entered_by: str
    note: str
    revision: Annotated[int, Field(description="Counts up with each correction.")]
    recorded_at: Instant
    superseded_at: Annotated[Instant | None, Field(description="Null: it stands.")] = None


class FigureList(Answer):
    """Figures of a park by period."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    figures: list[FigureOut]
