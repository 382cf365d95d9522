"""DataValues as readings: codes raw, absence kept, whose clock it is said."""

from datetime import UTC, datetime

import pytest
from asyncua import ua
from smartpark.clock import to_us
from smartpark.status import BAD_NO_DATA, BAD_SENSOR_FAILURE
from smartpark.wire import MISSING
from smartpark_edge.opcua_client import UnknownNodeError, node_id
from smartpark_edge.opcua_values import TimeOf, compile_point, describe, overflowed, reading_of, time_of
from smartpark_edge.settings import OpcUaPoint

AT = datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=UTC)
NODE = compile_point(OpcUaPoint(node="ns=2;s=x", point="p/s/so2_concentration", resolution="0.1"))
ARRIVAL = 99


def value(content, status=0, *, source=AT, server=None):
    return ua.DataValue(ua.Variant(content), ua.StatusCode(ua.UInt32(status)), source, server)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (value(12.34), (0, 123)),
        (value(12), (0, 120)),
        (value(5.0, BAD_SENSOR_FAILURE), (BAD_SENSOR_FAILURE, 50)),
        (value(None, BAD_SENSOR_FAILURE), (BAD_SENSOR_FAILURE, MISSING)),
        (value(None), (BAD_NO_DATA, MISSING)),
        (ua.DataValue(None, ua.StatusCode(ua.UInt32(BAD_SENSOR_FAILURE)), AT), (BAD_SENSOR_FAILURE, MISSING)),
        (value(float("nan"), BAD_SENSOR_FAILURE), (BAD_SENSOR_FAILURE, MISSING)),
    ],
)
def test_a_data_value_becomes_a_reading_with_its_raw_code(data, expected):
    reading = reading_of(NODE, data, ARRIVAL)
    assert (reading.status, reading.value) == expected
    assert reading.time == to_us(AT)


@pytest.mark.parametrize("content", [True, "12", [1.0, 2.0], float("nan"), float("inf")])
def test_what_is_no_number_is_a_trouble_and_can_be_described(content):
    data = value(content)
    assert reading_of(NODE, data, ARRIVAL).reason == "malformed"
    assert b"ns=2;s=x" in describe(NODE, data)


def test_the_source_s_clock_counts_then_the_server_s_then_the_arrival():
    naive = AT.replace(tzinfo=None)
    assert time_of(value(1.0, source=naive), ARRIVAL) == (to_us(AT), TimeOf.SOURCE)
    assert time_of(value(1.0, source=None, server=AT), ARRIVAL) == (to_us(AT), TimeOf.SERVER)
    assert time_of(value(1.0, source=None), ARRIVAL) == (ARRIVAL, TimeOf.ARRIVAL)


@pytest.mark.parametrize(("status", "expected"), [(0x480, True), (0x80, False), (0x400, False), (0x8000_0480, True)])
def test_the_overflow_bit_counts_only_with_its_info_type(status, expected):
    assert overflowed(status) is expected


def test_a_namespace_is_looked_up_by_its_uri_in_each_session():
    assert node_id("nsu=urn:x;s=a;b=c", ["http://opcfoundation.org/UA/", "urn:x"]) == ua.NodeId("a;b=c", 1)
    with pytest.raises(UnknownNodeError, match="no namespace 'urn:y'"):
        node_id("nsu=urn:y;s=a", ["urn:x"])
    with pytest.raises(UnknownNodeError, match="not a node address"):
        node_id("nonsense", [])
