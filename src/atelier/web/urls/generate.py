"""Addresses of Generate."""

from __future__ import annotations

from django.urls import path

from atelier.web.views import generate as views

urlpatterns = [
    path("generate", views.generate, name="generate"),
    path("generate/price", views.price, name="generate_price"),
    path("generations", views.history, name="generations"),
    path("generations/<str:generation_id>", views.generation, name="generation"),
    path("generations/<str:generation_id>/card", views.card, name="generation_card"),
    path("generations/<str:generation_id>/cancel", views.cancel, name="generation_cancel"),
]
