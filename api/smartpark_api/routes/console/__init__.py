"""Pages of the console. Whatever is included here writes only what a form of ours sends."""

from fastapi import APIRouter, Depends

from smartpark_api.console.forms import only_our_forms
from smartpark_api.routes.console import (
    access,
    access_log,
    access_programs,
    alert,
    alert_rules,
    alert_silences,
    alerts,
    applicant,
    board,
    home,
    kpis,
    login,
    me,
    people,
    platform,
    request,
    request_documents,
    request_form,
)

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_our_forms)])
_ACCESS = (login, me, access_programs, access_log, access)
# As below: an alert is named by a number, which no other address is.
_ALERTS = (alerts, alert_silences, alert_rules, platform, alert)
# Addresses that name a request come last: /requests/{code} would take any of the others for a code.
for _module in (home, *_ACCESS, *_ALERTS, board, kpis, people, applicant, request_form, request, request_documents):
    router.include_router(_module.router)
