"""`python -m bot audit export | verify | show`: the record as a file, checked, or of a session."""

from bot.ops.audit.commands import add_audit_options, audit

__all__ = ["add_audit_options", "audit"]
