"""What a tenant may ask of this installation."""

from rymi_server.quotas.plans import Plan, Plans


class TestPlans:
    def test_that_are_not_there_any_more_are_the_default_one(self) -> None:
        plans = Plans({"free": Plan(concurrent_calls=1), "go": Plan(concurrent_calls=10)}, default="free")
        assert [plans.of(name).concurrent_calls for name in ("go", "plus")] == [10, 1]
