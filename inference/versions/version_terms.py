"""What came with a version's upload, read back to be shown."""

from __future__ import annotations

from inference.models import Version
from inference.versions.stored_files import whole_file
from workers.messages.terms import Terms


def terms_of(version: Version) -> Terms | None:
    """Its terms; None when it has none, or they have been deleted with it."""
    content = whole_file(version.terms_id) if version.terms_id else None
    return None if content is None else Terms.from_bytes(content)
