"""The judge's refusals. Each says what was found, by which rule, and what one can do."""

from __future__ import annotations

from atelier.core.errors import DomainError


class Refused(DomainError):
    """Refused by a rule; the code on the instance says which."""

    code = "refused"
    title = "This is refused here"
    status = 403


class LikenessConsentRequired(Refused):
    """A real person's likeness, without that person's consent."""

    code = "likeness_consent_required"
    title = "A real person has not agreed to this"


class SexualLikeness(Refused):
    """Anything sexual of a real person: refused always, whoever agrees."""

    code = "sexual_likeness"
    title = "Sexual content of a real person is refused always"


class MinorContent(Refused):
    """Anything sexual with a sign of a minor."""

    code = "minor_content"
    title = "Sexual content with a minor is refused always"


class PhotorealSexual(Refused):
    """A photograph-like sexual picture that this site's generator did not make."""

    code = "photoreal_sexual"
    title = "That picture is refused here"


class Quarantined(Refused):
    """Weights that nobody has examined yet."""

    code = "quarantined"
    title = "Not examined yet"


class BlockedThing(Refused):
    """Something that was taken down, or came from something that was."""

    code = "blocked"
    title = "This was taken down"


class Stopped(Refused):
    """The operator stopped this capability for everybody."""

    code = "stopped"
    title = "Stopped for now"


class NoStanding(Refused):
    """The account is suspended or gone."""

    code = "suspended"
    title = "Your account cannot do this"


class ChecksUnavailable(Refused):
    """Evidence is missing, so the answer is no."""

    code = "checks_unavailable"
    title = "This cannot be checked right now"


BY_CODE: dict[str, type[Refused]] = {
    error.code: error
    for error in (
        LikenessConsentRequired,
        SexualLikeness,
        MinorContent,
        PhotorealSexual,
        Quarantined,
        BlockedThing,
        Stopped,
        NoStanding,
        ChecksUnavailable,
    )
}
