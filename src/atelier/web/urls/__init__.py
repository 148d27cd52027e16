"""Addresses of the pages, one module an area; a new area's module is found by itself."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = []
for _module in sorted(module.name for module in iter_modules(__path__)):
    urlpatterns += import_module(f"{__name__}.{_module}").urlpatterns
urlpatterns.append(path("accounts/", include("allauth.urls")))
