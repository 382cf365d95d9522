"""What schemathesis is told beyond the document: a check of our own, loaded by its command as a module of hooks.

That something is as described, and is refused all the same, is allowed where a rule says so that no schema can
express (two dates in the wrong order, a reference to what there is not). Then the problem carries no `code`: a code
names what the description says, and what is as described has none.
"""

import schemathesis
from schemathesis import Case, CheckContext, Response


class CalledMalformedError(schemathesis.core.failures.Failure):
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
