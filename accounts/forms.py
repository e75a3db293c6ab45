"""The forms with which people sign in and choose passwords, in the NHS.UK frontend's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import (
    AuthenticationForm,
    PasswordChangeForm,
    SetPasswordForm,
)
from django.utils.translation import gettext_lazy as _

from accounts.models import User

if TYPE_CHECKING:
    SetPassword = SetPasswordForm[User]  # generic for the type checker alone
else:
    SetPassword = SetPasswordForm

WRONG = _("The username or the password is not right. Capital letters count.")


def dress(form: forms.BaseForm) -> None:
    """Give every field of the form the class that NHS.UK frontend knows its widget by."""
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, forms.CheckboxSelectMultiple | forms.CheckboxInput):
            widget.attrs["class"] = "nhsuk-checkboxes__input"
        elif isinstance(widget, forms.Select):
            widget.attrs["class"] = "nhsuk-select"
        else:
            widget.attrs["class"] = "nhsuk-input nhsuk-input--width-20"


class SignInForm(AuthenticationForm):
    """One answer to a wrong name, a wrong password and a deactivated account alike, so that
    nobody learns who has an account."""

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def clean_username(self) -> str:
        """A name longer than any account's is wrong like another; nothing could note it."""
        name: str = self.cleaned_data["username"]
        longest = User._meta.get_field("username").max_length
        if longest is not None and len(name) > longest:
            raise self.get_invalid_login_error()
        return name


class ChangePasswordForm(PasswordChangeForm):
    """The old password and twice the new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class ChoosePasswordForm(SetPassword):
    """Twice the new password, by somebody who came by a link."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)
