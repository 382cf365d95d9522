"""How the platform itself fares: agents, dead letters, readiness."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from smartpark_api.models.base import Answer, Instant


class AgentState(StrEnum):
    """Whether an edge agent can be heard."""

    ONLINE = "online"
    OFFLINE = "offline"
    NEVER_HEARD = "never_heard"


class SourceOut(Answer):
    """One source of an agent: a broker, an OPC UA server."""

    name: Annotated[str, Field(examples=["meters"])]
    connected: Annotated[bool, Field(examples=[True])]
    last_reading: Annotated[Instant | None, Field(description="Source time of its newest reading.")]
    readings: Annotated[int, Field(description="Readings since the agent started.", examples=[120345])]
    problems: Annotated[int, Field(description="Messages it could not use since then.", examples=[0])]
    detail: Annotated[str, Field(description="What the agent says about it.")]


class AgentOut(Answer):
    """An edge agent and its spool."""

    code: Annotated[str, Field(examples=["edge-a"])]
    state: Annotated[AgentState, Field(examples=["online"])]
    last_heard: Annotated[Instant | None, Field(description="Newest status message.")]
    lag_s: Annotated[
        float | None,
        Field(description="Age of the oldest reading the database has not confirmed; null: unknown.", examples=[0.8]),
    ]
    backlog_readings: Annotated[int | None, Field(description="Readings waiting in the spool.", examples=[12])]
    spool_bytes: Annotated[int | None, Field(description="Size of the spool. [B]", examples=[65536])]
    spool_limit_bytes: Annotated[int | None, Field(description="Limit of the spool. [B]", examples=[268435456])]
    hours_left: Annotated[
        float | None,
        Field(description="Until the spool is full if nothing were confirmed; null: no rate yet.", examples=[410.0]),
    ]
    dropped_readings: Annotated[int | None, Field(description="Lost to a full spool, by policy.", examples=[0])]
    alarms: Annotated[
        list[str],
        Field(description="What somebody should look at, in the agent's own words.", examples=[["spool: disk full"]]),
    ]
    sources: list[SourceOut]


class AgentList(Answer):
    """Every edge agent that is known."""

    as_of: Instant
    edges: list[AgentOut]


class DeadLetterCount(Answer):
    """Dead letters of one reason."""

    reason: Annotated[str, Field(examples=["unknown_point"])]
    total: Annotated[int, Field(description="Kept and not replayed.", examples=[3])]
    last_24_h: Annotated[int, Field(description="Of these, received in the last 24 hours.", examples=[1])]
    newest: Annotated[Instant | None, Field(description="When the newest was received.")]


class DeadLetterSummary(Answer):
    """What the platform could not understand, kept with its raw bytes until it is replayed or dismissed."""

    as_of: Instant
    total: Annotated[int, Field(examples=[3])]
    last_24_h: Annotated[int, Field(examples=[1])]
    reasons: list[DeadLetterCount]


class Health(Answer):
    """The process answers."""

    status: Annotated[str, Field(examples=["ok"])] = "ok"


class Readiness(Answer):
    """The database answers, too."""

    status: Annotated[str, Field(examples=["ready"])] = "ready"
    database: Annotated[
        str,
        Field(description="Which database is in use.", examples=["TimescaleDB 2.28.3 on PostgreSQL 15.18"]),
    ]
