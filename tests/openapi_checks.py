"""What schemathesis is told beyond the document: checks of our own, loaded by its command as a module of hooks.

That something is as described, and is refused all the same, is allowed where a rule says so that no schema can
express (two dates in the wrong order, a reference to what there is not). Then the problem carries no `code`: a code
names what the description says, and what is as described has none.

A run with a key may do everything, so it might shut itself out, and then everything would be refused and nothing be
tried. What would do that is sent about another program.
"""

import os
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import Failure

OWN = "SMARTPARK_TEST_OPENAPI_OWN"
"""Variable with the program's own name, key and grant."""
_OTHERS = {"client": "somebodyelse", "key": "somebodyelse", "grant": "9"}
"""Well formed, and nothing of that name."""


class CalledMalformedError(Failure):
    """What the document allows was answered as if it did not."""


@schemathesis.check
def what_is_described_is_not_called_malformed(ctx: CheckContext, response: Response, case: Case) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    codes = {one.get("code") for one in response.json().get("errors", ())} - {None}
    if codes:
        raise CalledMalformedError(
            operation=case.operation.label,
            title="As described, and called malformed",
            message=f"{sorted(codes)}: {response.json()['detail']}",
        )


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Do nothing to the program that asks."""
    if case.path.endswith("/stream"):
        # What goes on for a quarter of an hour is as described from its first line on.
        asked = dict(case.query or {})
        is_right = case.meta is None or case.meta.generation.mode.is_positive
        case.query = asked | {"seconds": "0"} if is_right or "seconds" not in asked else asked
    own = os.environ.get(OWN, "").split()
    if case.method != "GET" and case.path.startswith("/api/v1/access/"):
        for name, value in dict(case.path_parameters or {}).items():
            if str(value) in own:
                case.path_parameters[name] = _OTHERS[name]
