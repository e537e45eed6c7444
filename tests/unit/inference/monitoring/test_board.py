"""The memory that a gateway's processes share."""

from __future__ import annotations

import os
import runpy
import signal
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from inference.monitoring.board import TEXT_BYTES, Board
from workers.settings import ROOT


def test_seats_are_given_out_one_by_one_and_again_when_they_are_left() -> None:
    board = Board(2)
    assert [board.take_seat(), board.take_seat(), board.take_seat()] == [0, 1, None]

    board.leave(0)

    assert board.take_seat() == 0


def test_what_is_written_at_a_seat_is_read_there() -> None:
    board = Board(3)
    for seat, texts in ((0, [b"one"]), (2, [b"first", b"second", b"the last is longer"])):
        for text in texts:
            board.write(seat, text)

    assert [text for _, text in board.read_all()] == [b"one", b"", b"the last is longer"]


def test_what_was_written_stays_when_the_seat_is_left() -> None:
    board = Board(1)
    board.take_seat()
    board.write(0, b"counts")

    board.leave(0)

    assert board.read_all() == [(False, b"counts")]


def test_a_text_that_is_too_long_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    board = Board(2)
    board.write(0, b"before")
    board.write(0, b"x" * (TEXT_BYTES + 1))

    assert [text for _, text in board.read_all()] == [b"before", b""]
    assert "more than a seat holds" in caplog.text


def test_a_text_as_long_as_may_be_stays_at_its_seat() -> None:
    board = Board(3)
    for seat, letter in enumerate((b"a", b"b", b"c")):
        for _ in range(2):
            board.write(seat, letter * TEXT_BYTES)

    assert [text for _, text in board.read_all()] == [letter * TEXT_BYTES for letter in (b"a", b"b", b"c")]


def test_a_reader_never_sees_half_of_a_text() -> None:
    board = Board(1)
    texts = [bytes([65 + number]) * (1000 * number + 1) for number in range(20)]
    board.write(0, texts[0])
    end = monotonic() + 0.5

    def write_on() -> None:
        number = 0
        while monotonic() < end:
            number += 1
            board.write(0, texts[number % len(texts)])
            sleep(0.0001)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_on)
        while monotonic() < end:
            assert board.read(0) in texts
        writing.result()


def test_a_process_that_is_killed_leaves_what_it_wrote() -> None:
    board = Board(1)
    child = os.fork()
    if not child:
        board.write(0, b"of a child")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)

    assert board.read(0) == b"of a child"


def test_of_a_seat_that_was_given_out_is_told_when_the_new_one_has_written() -> None:
    board = Board(1)
    board.take_seat()
    board.write(0, b"of the one before")
    board.leave(0)

    board.take_seat()

    assert board.read_all() == [(False, b"of the one before")]
    board.write(0, b"of the new one")
    assert board.read_all() == [(True, b"of the new one")]


# Under gunicorn, whose first process this stands for, nothing has imported the settings.
@pytest.mark.filterwarnings("ignore:'gateway_site.settings' found in sys.modules:RuntimeWarning")
def test_a_gunicorn_that_reads_its_configuration_again_keeps_its_board() -> None:
    boards = [runpy.run_path(str(ROOT / "gateway_site" / "gunicorn.py"))["board"] for _ in range(2)]

    assert boards[0] is boards[1]
