"""``manage.py djust_inspector``: revoke a token, or switch the agent off and on, while the server runs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from djust_inspector import access, control, options


class Command(BaseCommand):
    """Writes the control file, which every process of this project honours within seconds."""

    help = "Revokes a token of the djust inspector, or switches its agent off and on, while the server runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="do", required=True)
        revoke = commands.add_parser("revoke", help="refuse a token from now on, and end what is attached with it")
        revoke.add_argument("name", help="the token's name in DJUST_INSPECTOR['tokens']")
        commands.add_parser("off", help="end every attachment and record nothing")
        commands.add_parser("on", help="undo off")
        commands.add_parser("status", help="say which tokens there are and what holds for each")

    def handle(self, *args: Any, **given: Any) -> None:
        do = given["do"]
        try:
            if do == "revoke":
                self._revoke(given["name"])
            elif do in ("off", "on"):
                control.change(off=do == "off")
                self.stdout.write(f"The agent is {do}")
            else:
                self._status()
        except (OSError, ValueError, KeyError) as error:
            hint = "make it writable, or set DJUST_INSPECTOR['control_file'] to a place that is"
            raise CommandError(f"The control file {control.path()} cannot be used ({error}): {hint}") from error

    def _revoke(self, name: str) -> None:
        found = [grant for grant in access.grants() if grant.name == name]
        if not found:
            names = ", ".join(sorted(grant.name for grant in access.grants())) or "none"
            raise CommandError(f"There is no token named {name} in the settings; there are: {names}")
        for grant in found:
            control.change(revoke=(name, grant.digest))
        self.stdout.write(f"{name} is revoked: it is refused, and what is attached with it ends within seconds")

    def _status(self) -> None:
        self.stdout.write(f"Control file: {control.path()}")
        self.stdout.write("The agent is " + ("off" if control.current().off or not options.current().enabled else "on"))
        for grant in access.grants():
            wrong = access.fault(grant)
            state = "valid" if wrong is None else wrong[0]
            self.stdout.write(f"{grant.name}: {state}, {'may write' if grant.writes else 'read-only'}")
        for problem in options.current().problems:
            self.stdout.write(f"Not understood: {problem}")
