from __future__ import annotations

from django.urls import path

from atelier.web.views import mail

urlpatterns = [
    path("mail", mail.outbox, name="mail"),
    path("mail/<str:mail_id>", mail.message, name="mail_message"),
]
