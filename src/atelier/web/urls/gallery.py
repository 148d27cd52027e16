from __future__ import annotations

from django.urls import path

from atelier.web.views import images, posts, talk

urlpatterns = [
    path("images", images.index, name="images"),
    path("images/<int:image_id>", images.detail, name="image"),
    path("posts/new", posts.new, name="post_new"),
    path("posts/<int:post_id>", posts.detail, name="post"),
    path("posts/<int:post_id>/delete", posts.delete, name="post_delete"),
    path("react", talk.react, name="react"),
    path("comments", talk.comment, name="comment"),
    path("comments/<str:comment_id>/delete", talk.delete_comment, name="comment_delete"),
]
