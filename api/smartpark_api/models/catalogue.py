"""Parks, devices and points, as the catalogue has them."""

from typing import Annotated

from pydantic import Field

from smartpark_api.models.base import Answer, Instant, MissingReason, Quality


class ParkSummary(Answer):
    """A park in a list."""

    code: Annotated[str, Field(examples=["minhou-demo"])]
    name: Annotated[str, Field(description="Name in Chinese.", examples=["闽侯示范园区"])]
    name_en: Annotated[str, Field(description="Name in English.", examples=["Minhou demonstration park"])]
    region: Annotated[str, Field(description="GB/T 2260 region code.", examples=["350121"])]
    terrain: Annotated[str, Field(description="`coastal` or `mountain`.", examples=["coastal"])]
    peer_class: Annotated[int, Field(description="Class of the provincial evaluation, 1 to 4.", examples=[2])]
    area_mu: Annotated[float, Field(description="Industrial land. [mu]", examples=[5400.0])]
    time_zone: Annotated[str, Field(description="Zone of its accounting days.", examples=["Asia/Shanghai"])]
    contract_demand_kw: Annotated[float | None, Field(description="Contract demand. [kW]", examples=[20000.0])]
    devices: Annotated[int, Field(description="Devices in service.", examples=[24])]
    points: Annotated[int, Field(description="Points in service.", examples=[151])]


class DeviceOut(Answer):
    """A meter, an air station or a stack."""

    code: Annotated[str, Field(examples=["T01"])]
    name: Annotated[str, Field(examples=["一号进线"])]
    name_en: Annotated[str, Field(examples=["Incomer 1"])]
    kind: Annotated[str, Field(description="`meter`, `station` or `stack`.", examples=["meter"])]
    carrier: Annotated[str, Field(description="What flows through it.", examples=["electricity"])]
    role: Annotated[str, Field(description="How it counts in the energy balance.", examples=["boundary"])]
    parent: Annotated[str | None, Field(description="Meter upstream that measures this one's flow too.")]
    enterprise: Annotated[str | None, Field(description="Code of the tenant it belongs to.")]
    internal_transfer: Annotated[bool, Field(description="Left out of the park's sum.", examples=[False])]


class ParkDetail(ParkSummary):
    """A park with its devices."""

    device: Annotated[list[DeviceOut], Field(description="Devices in service, by code.")]


class ParkList(Answer):
    """Every park of this instance."""

    parks: list[ParkSummary]


class PointOut(Answer):
    """One measured quantity of a device."""

    key: Annotated[str, Field(description="`park/device/point`.", examples=["minhou-demo/T01/active_power"])]
    device: Annotated[str, Field(examples=["T01"])]
    code: Annotated[str, Field(examples=["active_power"])]
    measurand: Annotated[str, Field(examples=["active_power"])]
    kind: Annotated[str, Field(description="`gauge` or `counter`.", examples=["gauge"])]
    unit: Annotated[str, Field(examples=["kW"])]
    carrier: Annotated[str, Field(examples=["electricity"])]
    resolution_exponent: Annotated[
        int | None, Field(description="Steps of ten to this power; null: a double.", examples=[-1])
    ]
    multiplier: Annotated[
        float, Field(description="From the device's value to the primary side (CT x PT).", examples=[80.0])
    ]


class PointList(Answer):
    """Points of a park."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    points: list[PointOut]


class LatestValue(Answer):
    """The newest reading of a point, on the primary side."""

    point: Annotated[str, Field(examples=["minhou-demo/T01/active_power"])]
    measurand: Annotated[str, Field(examples=["active_power"])]
    unit: Annotated[str, Field(examples=["kW"])]
    value: Annotated[float | None, Field(description="Null: not known, see `reason`.", examples=[4321.5])]
    time: Annotated[Instant | None, Field(description="Source time of the reading.")]
    age_s: Annotated[float | None, Field(description="Seconds since then.", examples=[1.4])]
    quality: Annotated[Quality | None, Field(description="Severity of the status code.")]
    status: Annotated[
        int | None, Field(description="OPC UA status code as the device gave it, 0 to 2**32-1.", examples=[0])
    ]
    reason: Annotated[MissingReason | None, Field(description="Set exactly when the value is null.")] = None


class LatestList(Answer):
    """Newest readings of a park."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    as_of: Instant
    latest: list[LatestValue]
