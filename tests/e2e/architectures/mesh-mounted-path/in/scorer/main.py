from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route


async def score(request):
    body = await request.json()
    return JSONResponse({"n": len(body)})


app = Starlette(routes=[Mount("/v1", routes=[Route("/score", score, methods=["POST"])])])
