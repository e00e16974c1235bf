"""Operations of Django Ninja: who may call them, where they are, and what they take."""

from __future__ import annotations

from tests.support.source_estate import assessed_files, lines_of

URLS = """
from django.urls import include, path
from shop.api import api
urlpatterns = [path("v1/", api.urls)]
"""
ROOT = """
from django.urls import include, path
urlpatterns = [path("shop/", include("shop.urls"))]
"""
AUTH = """
from ninja.security import HttpBearer, APIKeyHeader, django_auth
import jwt

class Checked(HttpBearer):
    def authenticate(self, request, token):
        return Key.objects.filter(token=token).first()

class Pretended(HttpBearer):
    def authenticate(self, request, token):
        return token

def by_address(request):
    if request.META["REMOTE_ADDR"] == "10.0.0.1":
        return "us"
"""
API = """
from ninja import File, NinjaAPI, Router, Schema
from ninja.files import UploadedFile
from shop.auth import Checked, Pretended, by_address, django_auth
from shop.more import router as more
api = NinjaAPI(auth=Checked())
inner = Router()
open_ = Router(auth=None)
class In(Schema):
    text: str

@api.post("/a")
def a(request, data: In):
    return run(data.text)

@api.post("/b", auth=None)
def b(request, data: In):
    return run(data.text)

@api.get("/c/{item}", auth=Pretended())
def c(request, item: int):
    return find(item)

@api.api_operation(["POST", "PUT"], "/d", auth=[django_auth, by_address])
def d(request, file: UploadedFile = File(...)):
    return run(file)

@api.delete("/e/{item}", auth=[django_auth, Pretended()])
def e(request, item: int):
    return find(item)

@open_.post("/f")
def f(request, file: UploadedFile = File(...)):
    return run(file)

@inner.post("/g")
def g(request, data: In):
    return run(data.text)

api.add_router("/open", open_)
open_.add_router("/inner", inner)
api.add_router("/more/", more, auth=None)
api.add_router("/texts", "shop.texts.router")
"""
MORE = """
from ninja import Router
router = Router()

@router.get("/h/{x}")
def h(request, x: str):
    return eval(x)
"""
TEXTS = MORE.replace("/h/", "/i/").replace("def h", "def i").replace("eval", "find")
FILES = {
    "manage.py": "import shop.urls\n",
    "root/urls.py": ROOT,
    "shop/urls.py": URLS,
    "shop/auth.py": AUTH,
    "shop/api.py": API,
    "shop/more.py": MORE,
    "shop/texts.py": TEXTS,
}


def test_who_may_call_what_where() -> None:
    found = {
        (method, one.path): (one.authenticated, one.body, one.limited, one.asks)
        for one in assessed_files(FILES).estates.source.routes
        if one.framework == "Django Ninja"
        for method in one.methods
    }
    assert found == {
        ("POST", "/shop/v1/a"): (True, True, True, ""),
        ("POST", "/shop/v1/b"): (False, True, True, ""),
        ("GET", "/shop/v1/c/{item}"): (False, False, True, "HttpBearer"),
        ("POST", "/shop/v1/d"): (True, True, False, ""),
        ("PUT", "/shop/v1/d"): (True, True, False, ""),
        ("DELETE", "/shop/v1/e/{item}"): (False, False, True, "HttpBearer"),
        ("POST", "/shop/v1/open/f"): (False, True, False, ""),
        ("POST", "/shop/v1/open/inner/g"): (False, True, True, ""),
        ("GET", "/shop/v1/more/h/{x}"): (False, False, True, ""),
        ("GET", "/shop/v1/texts/i/{x}"): (True, False, True, ""),
    }


def test_what_is_sent_is_followed() -> None:
    assert ("shop/more.py", 6) in lines_of(assessed_files(FILES), "source-code-injection")


def test_what_all_of_django_asks_for_holds_here() -> None:
    settings = "INSTALLED_APPS = []\nMIDDLEWARE = ['django.contrib.auth.middleware.LoginRequiredMiddleware']\n"
    routes = assessed_files({**FILES, "root/settings.py": settings}).estates.source.routes
    assert all(one.authenticated for one in routes)
