"""One attempt to reach the broker: whoever asks for it knows when to try again."""

from __future__ import annotations

from kombu import Connection
from kombu.exceptions import OperationalError


def connect(connection: Connection) -> None:
    """Open a connection, or fail at once. Kombu by itself would try once more, two seconds later.

    Raises:
        ConnectionError: the broker does not accept it.
    """
    try:
        connection.ensure_connection(max_retries=0)
    except OperationalError as error:
        raise ConnectionError(str(error)) from error
