"""What an agent's `advanced` settings say of time: whatever stands there, the agent can be made."""

import pytest

from rymi_server.runtime.session.manners import Manners, manners_of

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
