"""Which passwords are refused, and that none is kept."""

from __future__ import annotations

import pytest

from environments import WeakPassword, passwords


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 201,
        "1234567890",
        "0987654321",
        "aaaaaaaaaaaa",
        "abababababab",
        "azertyuiop",
        "qwertyuiop",
        "motdepasse2026!",
        "Password123",
        "p4ssw0rd1234",
        "M0t.d3.P4sse",
        "passwordpassword",
        "jupyterhub2026",
        "lea.dupont",
        "Lea.Dupont42",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        passwords.check_password(password, "lea.dupont")
    assert all(problem.sentence for problem in refused.value.problems)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "une phrase à moi",
        "k7fm-2qxa-vd3p",
        "tR0ub4dor&3x",
        "lea.dupont aime le vélo",
    ],
)
def test_what_is_one_s_own_is_accepted(password: str) -> None:
    passwords.check_password(password, "lea.dupont")


def test_a_password_is_known_again_and_not_kept() -> None:
    kept = passwords.hash_password("correct horse battery")
    assert "correct" not in kept
    assert passwords.matches("correct horse battery", kept)
    assert not passwords.matches("Correct horse battery", kept)


def test_nobody_has_no_password() -> None:
    assert not passwords.matches("", None)
    assert not passwords.matches("correct horse battery", None)
    assert not passwords.matches("correct horse battery", "not a hash")


def test_a_one_time_password_is_new_each_time_and_good_enough() -> None:
    made = {passwords.one_time() for _ in range(100)}
    assert len(made) == 100
    for password in made:
        passwords.check_password(password, "student")
    assert passwords.matches(password, passwords.hash_one_time(password))


def test_the_stamp_changes_with_the_password_even_when_it_is_the_same_one_again() -> None:
    first, second = passwords.hash_password("correct horse"), passwords.hash_password("correct horse")
    assert passwords.stamp(first) == passwords.stamp(first) != passwords.stamp(second)
