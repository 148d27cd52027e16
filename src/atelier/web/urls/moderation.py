from __future__ import annotations

from django.urls import path

from atelier.web.views import likeness, moderation, notifications

urlpatterns = [
    path("report", moderation.report, name="report"),
    path("cases/<str:case_id>", moderation.case, name="case"),
    path("cases/<str:case_id>/again", moderation.again, name="case_again"),
    path("moderate", moderation.queue, name="moderate"),
    path("moderate/log", moderation.log, name="moderate_log"),
    path("moderate/<slug:kind>/<str:target_id>", moderation.one, name="moderate_one"),
    path("moderate/<slug:kind>/<str:target_id>/act", moderation.act, name="moderate_act"),
    path("notifications", notifications.notifications, name="notifications"),
    path("notifications/read", notifications.read, name="notifications_read"),
    path(
        "notifications/<str:notification_id>/follow",
        notifications.follow,
        name="notification_follow",
    ),
    path("likeness", likeness.likeness, name="likeness"),
    path("terms", likeness.terms, name="terms"),
]
