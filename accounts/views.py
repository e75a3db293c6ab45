"""Signing in and out, and choosing passwords."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import logout, views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy

from accounts.forms import ChangePasswordForm, ChoosePasswordForm, SignInForm
from accounts.lockout import unlock
from accounts.models import User
from accounts.session_limits import start


class SignIn(views.LoginView):
    """Whoever is signed in already goes on; `next` leads nowhere but into this site."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_redirect_url(self, request: HttpRequest | None = None) -> str:
        """`next`, but for the front page, which nobody chose: there all begin where they belong."""
        address = super().get_redirect_url()
        return "" if address == "/" else address

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """A new session, whose time begins now."""
        response = super().form_valid(form)
        start(self.request.session)
        return response


class SignOut(views.LogoutView):
    """By POST alone, so that no link or picture on another page signs anybody out."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        """End the session and come back to the sign-in page."""
        response = super().post(request, *args, **kwargs)
        messages.success(request, "You are signed out.")
        return response


class ChangePassword(views.PasswordChangeView):
    """The new password ends every other session of the user."""

    template_name = "accounts/change_password.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("accounts:change_password")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        """Change it and say so."""
        response = super().form_valid(form)
        messages.success(
            self.request, "Your password is changed. Other devices have been signed out."
        )
        return response


class SetPassword(views.PasswordResetConfirmView):
    """Where a link from an administrator leads; it works once and for a limited time."""

    template_name = "accounts/set_password.html"
    form_class = ChoosePasswordForm
    success_url = reverse_lazy("accounts:sign_in")

    def form_valid(self, form: SetPasswordForm[User]) -> HttpResponse:
        """Keep the password; forget failed attempts with the forgotten one."""
        response = super().form_valid(form)
        unlock(user=form.user, by=form.user)
        # Whoever was signed in here makes room, or the sign-in page would not be shown.
        logout(self.request)
        messages.success(self.request, "Your password is set. Sign in with it now.")
        return response
