from __future__ import annotations

from django.urls import path

from atelier.web.views import settings

urlpatterns = [
    path("settings", settings.profile, name="settings"),
    path("settings/browsing", settings.browsing, name="settings_browsing"),
    path("settings/tokens", settings.tokens, name="settings_tokens"),
    path("settings/tokens/<str:token_id>/revoke", settings.revoke_token, name="revoke_token"),
    path("settings/security", settings.security, name="settings_security"),
]
