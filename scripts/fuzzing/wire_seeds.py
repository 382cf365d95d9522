"""Messages of an edge as they should be: what the wire's payloads are bent from."""

from smartpark.clock import utc_now_us
from smartpark.measurands import Measurand
from smartpark.wire import (
    MISSING,
    Ack,
    Birth,
    BirthPoint,
    Command,
    DeadLetter,
    Death,
    JsonBatch,
    JsonReading,
    SourceStatus,
    Status,
    double_bits,
    pack_columns,
    pack_data,
    pack_json,
)

BOOT = 1_790_000_000_000_000
_POINTS = tuple(
    BirthPoint(alias=number, point=f"park/W{number}/voltage", measurand=Measurand.VOLTAGE, exponent=exponent)
    for number, exponent in ((1, -1), (2, None), (3, 2))
)


def wire_seeds(edge: str) -> dict[str, list[bytes]]:
    """Payloads by leaf."""
    now = utc_now_us()
    rows = [(1, 0, now, 2301), (2, 0, now, double_bits(230.1)), (3, 0x809B_0000, now, MISSING)]
    many = [(1 + n % 3, 0, now - n * 1_000_000, 2300 + n if n % 3 != 1 else double_bits(n / 7)) for n in range(120)]
    birth = Birth(edge=edge, boot=BOOT, session=now, software="fuzz 1", points=_POINTS)
    status = Status(
        edge=edge, boot=BOOT, session=now, time=now, spool_readings=1, spool_bytes=2, spool_limit_bytes=3,
        oldest_pending=now, hours_left=1.5, sources=(SourceStatus(name="m", connected=True, last_reading=now),),
    )  # fmt: skip
    written = JsonBatch(
        boot=BOOT,
        sequence=1,
        readings=(
            JsonReading(point="park/W1/voltage", time="2026-11-22T08:15:00+08:00", value="230.10"),
            JsonReading(point="park/W2/voltage", time="2026-11-22T08:15:00Z", value=230.1, status=0),
            JsonReading(point="park/W3/voltage", time="2026-11-22T08:15:00Z", value=None, status=0x809B_0000),
        ),
    )
    dead = DeadLetter(
        boot=BOOT, sequence=9, floor=1, time=now, source="m", topic="t", reason="unmapped: x", payload_base64="e30="
    )
    return {
        "birth": [pack_json(birth)],
        "data": [
            pack_data(pack_columns(rows), boot=BOOT, sequence=1, floor=1),
            pack_data(pack_columns(rows[:1]), boot=BOOT, sequence=2, floor=1, history=True),
            pack_data(pack_columns(many), boot=BOOT, sequence=3, floor=1, deflate=True),
            pack_data(b"", boot=BOOT, sequence=4, floor=1),
        ],
        "status": [pack_json(status)],
        "death": [pack_json(Death(edge=edge, boot=BOOT, session=now))],
        "json": [pack_json(written)],
        "dead": [pack_json(dead)],
        "other": [b"?"],
    }


def edge_seeds(boot: int) -> dict[str, list[bytes]]:
    """What an edge hears, by leaf."""
    return {"ack": [pack_json(Ack.of(boot, [1, 2, 3, 7]))], "command": [pack_json(Command(rebirth=True))]}
