"""Pages of the console. Whatever is included here writes only what a form of ours sends."""

from fastapi import APIRouter, Depends

from smartpark_api.console.forms import only_our_forms
from smartpark_api.routes.console import people

router = APIRouter(include_in_schema=False, dependencies=[Depends(only_our_forms)])
for _module in (people,):
    router.include_router(_module.router)
