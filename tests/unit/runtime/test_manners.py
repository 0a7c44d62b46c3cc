"""What an agent's settings say of time, whatever stands there; and how long it is quiet, on a clock that is told."""

import pytest

from rymi_server.runtime.session.manners import Manners, Quiet, manners_of

A_DAY_S = 86_400


def manners(**advanced: object) -> Manners:
    return manners_of({"advanced": advanced}, "")


class TestManners:
    @pytest.mark.parametrize(("said", "longest_s"), [(600, 600), (0, None), (-1, 3_600), ("600", 3_600), (True, 3_600)])
    def test_have_a_call_last_as_long_as_is_said(self, said: object, longest_s: float | None) -> None:
        assert manners(maxCallDuration=said).longest_s == longest_s

    def test_are_patient_without_end_where_a_number_is_too_large_for_a_float(self) -> None:
        patient = manners(maxCallDuration=10**400, silencePromptDelay=10**400, postSilenceHangup=10**400)
        waits = (patient.longest_s, patient.prompts_after_s, patient.hangs_up_after_s)
        assert all(wait is not None and wait > A_DAY_S for wait in waits)


def quiet() -> Quiet:
    return Quiet(Manners(prompts_after_s=10.0, hangs_up_after_s=30.0))


class TestQuiet:
    def test_leads_to_a_hang_up_when_it_has_lasted_for_so_long(self) -> None:
        silence = quiet()
        silence.begins(100.0)
        assert [silence.hang_up_due(now) for now in (129.9, 130.0)] == [False, True]

    def test_does_not_count_what_the_agent_says(self) -> None:
        silence = quiet()
        silence.begins(100.0)
        silence.broken(101.0)
        silence.begins(500.0)
        assert [silence.hang_up_due(now) for now in (500.0, 528.9, 529.0)] == [False, False, True]

    def test_goes_on_counting_after_a_prompt(self) -> None:
        silence = quiet()
        for begins, prompt in ((100.0, 110.0), (115.0, 125.0)):
            silence.begins(begins)
            assert silence.prompt_due(prompt)
            silence.broken(prompt)
        silence.begins(130.0)
        assert not silence.prompt_due(139.9)
        assert [silence.hang_up_due(now) for now in (139.9, 140.0)] == [False, True]

    def test_begins_anew_when_a_person_is_heard(self) -> None:
        silence = quiet()
        silence.begins(100.0)
        silence.broken(129.0)
        silence.answered()
        silence.begins(140.0)
        assert not silence.hang_up_due(169.9)

    def test_is_none_while_somebody_speaks(self) -> None:
        silence = quiet()
        silence.begins(100.0)
        silence.broken(200.0)
        assert not silence.hang_up_due(300.0)
