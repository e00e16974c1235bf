"""Views of Django are for who has signed in, where anybody could."""

from __future__ import annotations

import pytest
from tests.support.patched import patched

SETTINGS = """\
INSTALLED_APPS = [
    "django.contrib.auth",
    "predictions",
]
MIDDLEWARE = ["django.contrib.auth.middleware.AuthenticationMiddleware"]
ALLOWED_HOSTS = ["models.acme.io"]
"""
URLS = """\
from django.urls import path

from predictions import views

urlpatterns = [path("predict/", views.{})]
"""
VIEWS = {
    "predict": """\
from django.http import JsonResponse


def predict(request):
    return JsonResponse(model(request.POST))
""",
    "Predict.as_view()": """\
from django.http import JsonResponse
from django.views import View


class Predict(View):
    def post(self, request):
        return JsonResponse(model(request.POST))
""",
    "Answer.as_view()": """\
from rest_framework.response import Response
from rest_framework.views import APIView


class Answer(APIView):
    \"\"\"Answers.\"\"\"

    def post(self, request):
        return Response(model(request.data))
""",
    "Opened.as_view()": """\
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView


class Opened(APIView):
    permission_classes = [AllowAny]

    def post(self, request):
        return Response(model(request.data))
""",
    "answer": """\
from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view(["POST"])
def answer(request):
    return Response(model(request.data))
""",
}


@pytest.mark.parametrize("view", VIEWS)
def test_views_of_django_answer_who_has_signed_in(view: str) -> None:
    files = {
        "service/settings.py": SETTINGS,
        "service/urls.py": URLS.format(view),
        "predictions/views.py": VIEWS[view],
    }
    done = patched(files, "web-no-authentication")
    done.check("web-no-authentication")
    without = patched(files | {"service/settings.py": "INSTALLED_APPS = []\n"}, "web-no-authentication")
    assert without.patches == ()  # nobody could sign in


REST = """\
from rest_framework import viewsets
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.response import Response


class Models(viewsets.ModelViewSet):
    queryset = everything()


@api_view(["POST"])
@permission_classes([AllowAny])
def answer(request):
    return Response(model(request.data))
"""


def test_sets_of_views_and_functions_of_the_rest_framework_are_for_who_has_signed_in() -> None:
    urls = (
        "from django.urls import path\nfrom rest_framework import routers\n\nfrom predictions import views\n\n"
        'router = routers.DefaultRouter()\nrouter.register("models", views.Models)\n'
        'urlpatterns = [path("answer/", views.answer)]\n'
    )
    files = {"service/settings.py": SETTINGS, "service/urls.py": urls, "predictions/views.py": REST}
    done = patched(files, "web-no-authentication")
    done.check("web-no-authentication")
    new = done.files["predictions/views.py"]
    assert "    permission_classes = [IsAuthenticated]\n    queryset = everything()\n" in new
    assert "@permission_classes([IsAuthenticated])\ndef answer" in new
    assert new.count("import IsAuthenticated") == 1


@pytest.mark.parametrize("view", [
    VIEWS["Answer.as_view()"].replace("    def post", "    authentication_classes = []\n\n    def post").replace("Answer(", "predict("),
    VIEWS["Predict.as_view()"].replace("    def post", "    async def post").replace("Predict(", "predict("),
])  # fmt: skip
def test_classes_that_nobody_signs_in_to_are_left(view: str) -> None:
    urls = URLS.format("predict.as_view()")
    files = {"service/settings.py": SETTINGS, "service/urls.py": urls, "predictions/views.py": view}
    done = patched(files, "web-no-authentication")
    assert "web-no-authentication" in {finding.rule for finding in done.before}
    assert done.patches == ()


@pytest.mark.parametrize("view", [
    VIEWS["predict"].replace("def predict", "async def predict"),
    VIEWS["predict"].replace("def predict", "@csrf_exempt\ndef predict"),
])  # fmt: skip
def test_views_that_nobody_signs_in_to_are_left(view: str) -> None:
    files = {"service/settings.py": SETTINGS, "service/urls.py": URLS.format("predict"), "predictions/views.py": view}
    done = patched(files, "web-no-authentication")
    assert "web-no-authentication" in {finding.rule for finding in done.before}
    assert done.patches == ()
