from __future__ import annotations

from django.urls import path

from atelier.web.views import people

urlpatterns = [
    path("u/<str:name>", people.profile, name="profile"),
    path("u/<str:name>/follow", people.follow, name="follow"),
    path("u/<str:name>/unfollow", people.unfollow, name="unfollow"),
    path("u/<str:name>/tip", people.tip, name="tip"),
]
