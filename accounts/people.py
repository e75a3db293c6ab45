"""Accounts of people and programs: adding them, and letting them choose a password."""

from __future__ import annotations

import pghistory
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.access import access_changed
from accounts.audit import deed
from accounts.models import Organisation, User
from accounts.refusals import Refused


@transaction.atomic
def add_user(
    *,
    username: str,
    first_name: str = "",
    last_name: str = "",
    email: str = "",
    organisation: Organisation | None = None,
    password: str | None = None,
    by: User | None,
) -> User:
    """Add an account. Without a password nobody can sign in until one is chosen by a link.

    Raises Refused, with every reason, for a name that is taken (capitals make no difference) or
    cannot be one, or another field that cannot be.
    """
    user = User(
        username=User.normalize_username(username.strip()),
        first_name=first_name.strip(),
        last_name=last_name.strip(),
        email=User.objects.normalize_email(email.strip()),
        organisation=organisation,
    )
    user.set_password(password)
    _refuse_wrong(user)
    with pghistory.context(**deed("add_user", by)):
        user.save()
    return user


@transaction.atomic
def describe_user(
    *,
    user: User,
    first_name: str,
    last_name: str,
    email: str,
    organisation: Organisation | None,
    by: User | None,
) -> None:
    """Correct what is known of an account. Raises Refused as `add_user`."""
    user.first_name = first_name.strip()
    user.last_name = last_name.strip()
    user.email = User.objects.normalize_email(email.strip())
    user.organisation = organisation
    _refuse_wrong(user)
    with pghistory.context(**deed("describe_user", by)):
        user.save(update_fields=["first_name", "last_name", "email", "organisation"])
    access_changed()


def _refuse_wrong(user: User) -> None:
    if User.objects.filter(username__iexact=user.username).exclude(pk=user.pk).exists():
        raise Refused(f"Somebody is called {user.username} already; choose another username.")
    for text in (user.username, user.first_name, user.last_name, user.email):
        if not text.isprintable():
            raise Refused("A name holds a line break or control character; write it on one line.")
    try:
        user.clean_fields()
    except ValidationError as error:
        told = [f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
        raise Refused(" ".join(told)) from None


@transaction.atomic
def activate(*, user: User, by: User | None) -> None:
    """Let a deactivated account sign in again, with the roles it had."""
    with pghistory.context(**deed("activate", by)):
        user.is_active = True
        user.save(update_fields=["is_active"])
    access_changed()


@transaction.atomic
def reset_password(*, user: User, by: User | None) -> str:
    """Make the old password useless and give the path of a page where a new one is chosen.

    Signs the user out everywhere. The path works once, for `settings.PASSWORD_RESET_TIMEOUT`;
    whoever has it becomes the user, so it goes to them alone. Links given before stop working.
    Raises Refused for a deactivated account.
    """
    # The link depends on when the user last signed in: a stale row would make a dead one.
    user.refresh_from_db(from_queryset=User.objects.select_for_update(no_key=True))
    if not user.is_active:
        raise Refused(f"{user} is deactivated; activate the account first.")
    with pghistory.context(**deed("reset_password", by)):
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return reverse(
        "accounts:set_password",
        kwargs={
            "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
        },
    )
