"""docs/wire.md says what the code does: its bytes decode to its words, its JSON parses, its tables are the code's."""

import re
from pathlib import Path

import pytest
from smartpark.wire import (
    HEADER_SIZE,
    MAX_READINGS,
    Ack,
    Birth,
    Command,
    DeadLetter,
    Death,
    Flag,
    JsonBatch,
    Status,
    double_bits,
    pack_columns,
    pack_data,
    unpack_data,
    unpack_json,
)

TEXT = (Path(__file__).parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
KINDS = {
    "birth": Birth,
    "ack": Ack,
    "command": Command,
    "death": Death,
    "status": Status,
    "dead": DeadLetter,
    "json": JsonBatch,
}


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def example_bytes() -> bytes:
    (dump,) = fences("hex")
    return b"".join(bytes.fromhex(re.match(r"(?:[0-9a-f]{2} ?)+", line)[0]) for line in dump.splitlines())


def test_the_hex_example_is_what_the_code_writes():
    start = 1_795_305_600_000_000
    rows = [
        (1, 0, start, 2301),
        (2, 0, start, 12_345_678),
        (3, 0, start, double_bits(12.5)),
        (1, 0x809B_0000, start + 1_000_000, -(2**63)),
    ]
    assert example_bytes() == pack_data(pack_columns(rows), boot=1_795_300_000_000_000, sequence=42, floor=40)


def test_the_status_shows_an_alarm_and_needs_none():
    (example,) = fences("json status")
    assert "damaged" in unpack_json(example.encode(), Status).alarms[0]
    plain = re.sub(r'"alarms": \[.*?\],', "", example)
    assert unpack_json(plain.encode(), Status).alarms == ()


def test_the_words_beside_the_bytes_are_true():
    (dump,) = fences("hex")
    message = unpack_data(example_bytes())
    for words in (
        f"{message.columns.count} readings",
        f"boot {message.boot}",
        f"sequence {message.sequence}",
        f"floor {message.floor}:",
    ):
        assert words in dump
    assert message.flags == Flag(0)
    told = [int(n) for n in re.findall(r"\b(\d{16})\n", dump)]
    times = [int.from_bytes(message.columns.time[i : i + 8], "little") for i in range(0, 32, 8)]
    assert told == [message.boot, *times]


@pytest.mark.parametrize("leaf", sorted(KINDS))
def test_the_json_examples_parse(leaf):
    (example,) = fences(f"json {leaf}")
    unpack_json(example.encode(), KINDS[leaf])


def test_the_numbers_of_the_text_are_those_of_the_code():
    assert f"A header of {HEADER_SIZE} bytes" in TEXT
    assert f"at most {MAX_READINGS:,}" in TEXT
