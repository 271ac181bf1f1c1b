"""The llm check against every scripted provider over real HTTP: well, and in each kind of trouble."""

from datetime import timedelta

import pytest

from bot.checks.judging.exceptions import ERROR_CLASSES
from bot.core.model import Fault, Outcome
from bot.sandbox.vendor.broken_contract import CONTRACT_WORDS
from bot.sandbox.vendor.scenario import MODEL_WORDS
from bot.system.clock import ScaledClock
from tests.checks.llm.llm_stage import DIALECTS, START, on_stage

# word -> the class of error that each provider's own shape comes to; one text where all agree.
TROUBLES: dict[str, str | dict[str, str]] = {
    "bad_key": "auth",
    "401": "auth",
    "retired": "not_found",
    "429": "rate_limited",
    "500": "http_5xx",
    "503": {"openai": "overloaded", "*": "http_5xx"},
    "504": "gateway",
    "529": "overloaded",
    "spend_limit": {"bedrock": "rate_limited", "*": "spend_limit"},
    "capacity": {"azure": "capacity", "bedrock": "capacity", "*": "overloaded"},
    "overloaded_stream": {"bedrock": "model_error", "*": "overloaded"},
    "truncated": "stream_truncated",
    "empty_answer": "empty_answer",
    "wrong_answer": "wrong_answer",
    "html": "html_instead",
    "challenge": "challenge",
    "wrong_json": "unexpected_shape",
    "reset": "reset",
    "refuse": "connect_refused",
}


@pytest.mark.parametrize("word", TROUBLES)
async def test_trouble_gets_its_class_when_a_provider_tells_it_its_own_way(word: str) -> None:
    """Each provider says it differently; the class is the same, and so is whose fault it is."""
    wanted, found = TROUBLES[word], {}
    async with on_stage(word) as stage:
        for dialect in DIALECTS:
            sample = await stage.look(dialect, answer="pong")
            found[dialect] = sample.error
            row = ERROR_CLASSES[sample.error or ""]
            assert (row.outcome, row.fault) == (sample.outcome, sample.fault)
            assert ("inference", dialect) == (sample.evidence["rung"], sample.component.split(".")[0])
    usual = {name: wanted if isinstance(wanted, str) else wanted.get(name, wanted["*"]) for name in DIALECTS}
    assert usual == found


def test_every_model_word_is_tried_when_the_table_runs() -> None:
    """The words of scenarios and the table do not drift apart; the two that are about time have tests of their own, and
    those that break what a fallback promises are for rehearsals (`test_rehearsal.py`)."""
    assert set() == {*MODEL_WORDS} - {*TROUBLES, *CONTRACT_WORDS, "slow_token", "pings"}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_answer_is_well_when_the_model_gives_it(dialect: str) -> None:
    """The stream is whole, the expected words are there, and the sample shows what came and how fast."""
    async with on_stage() as stage:
        sample = await stage.look(dialect, answer="PONG", max_tokens=32)
    assert (Outcome.OK, None, Fault.NONE) == (sample.outcome, sample.error, sample.fault)
    assert sample.reason.startswith("answered after ")
    assert {"connect", "first_byte", "first_token", "total"} <= set(sample.phases_ms)
    assert sample.phases_ms["first_byte"] <= sample.phases_ms["first_token"] <= sample.phases_ms["total"]
    assert "2 out" in sample.evidence["tokens"]
    assert dialect == "gemini" or sample.evidence["request_id"].startswith("req_sim_")


async def test_azure_evidence_has_its_own_ids_when_it_answers() -> None:
    """Azure's support asks for apim-request-id and the region."""
    async with on_stage() as stage:
        sample = await stage.look("azure")
    assert ("req_sim_000001", "Simulated East") == (sample.evidence["request_id"], sample.evidence["region"])
    assert "12" == sample.evidence["processing_ms"]


@pytest.mark.parametrize(
    ("word", "error"), [("ok", None), ("overloaded_stream", "overloaded"), ("truncated", "stream_truncated")]
)
async def test_responses_are_read_when_the_check_names_that_interface(word: str, error: str | None) -> None:
    """OpenAI's newer interface has other events and another end mark."""
    async with on_stage(word) as stage:
        sample = await stage.look("openai", api="responses", answer="pong")
        azure = await stage.look("azure", api="responses", answer="pong")
    assert (error, error) == (sample.error, azure.error)


@pytest.mark.parametrize(
    ("rung", "told"),
    [
        ("free", dict.fromkeys(DIALECTS, "the list of models came")),
        (
            "tokens",
            {"anthropic": "8 tokens counted", "gemini": "8 tokens counted"}
            | dict.fromkeys(("openai", "azure", "bedrock"), "the list of models came"),
        ),
    ],
)
async def test_lower_rungs_make_their_own_calls_when_asked_to(rung: str, told: dict[str, str]) -> None:
    """A count of tokens where there is one, else the list of models, and the evidence says which."""
    async with on_stage() as stage:
        samples = {dialect: await stage.look(dialect, rung=rung) for dialect in DIALECTS}
        paths = {request.path for request in stage.vendors.requests}
    assert told == {dialect: sample.reason.split(" after ")[0] for dialect, sample in samples.items()}
    wants = {"anthropic": rung, "openai": "free"}
    assert wants == {dialect: samples[dialect].evidence["rung"].split(" ")[0] for dialect in wants}
    assert not {path for path in paths if "completions" in path or path.endswith(("messages", "converse-stream"))}


@pytest.mark.parametrize("word", ["capacity", "overloaded_stream", "spend_limit"])
async def test_free_call_is_well_when_only_inference_fails(word: str) -> None:
    """That is why the free rung alone is no proof of health."""
    async with on_stage(word) as stage:
        assert [None] * 5 == [(await stage.look(dialect, rung="free")).error for dialect in DIALECTS]


@pytest.mark.parametrize(("word", "error"), [("wrong_json", "unexpected_shape"), ("html", "html_instead"), ("bad_key", "auth")])
async def test_free_call_fails_when_the_list_is_none(word: str, error: str) -> None:
    """A list of models must look like one, or the reason is kept."""
    async with on_stage(word) as stage:
        samples = [await stage.look(dialect, rung="free") for dialect in DIALECTS]
    assert [error] * 5 == [sample.error for sample in samples]
    assert all(sample.evidence["excerpt"] for sample in samples)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_first_token_is_measured_in_domain_time_when_it_is_slow(dialect: str) -> None:
    """The head comes at once and the words later: a hundred times as fast, 20 s of domain time are 200 ms."""
    clock = ScaledClock(100, START)
    async with on_stage("slow_token 20s", clock=clock) as stage:
        sample = await stage.look(
            dialect, deadline=timedelta(seconds=300), under=timedelta(seconds=250), first_token_under=timedelta(seconds=8)
        )
    assert (Outcome.SLOW, Fault.THEIRS) == (sample.outcome, sample.fault)
    assert ", the first token expected under 8 s" in sample.reason
    # A scripted Gemini has nothing to say before its first words; the others have had their head for long by then.
    assert sample.phases_ms["first_token"] >= 19_800  # timers run by whole milliseconds, a hundred times as fast here
    assert sample.phases_ms["first_byte"] < sample.phases_ms["first_token"] <= sample.phases_ms["total"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_deadline_ends_the_look_when_a_stream_only_pings(dialect: str) -> None:
    """What keeps a connection open is no answer, and no time-out between two bytes ever fires."""
    async with on_stage("pings") as stage:
        sample = await stage.look(dialect, deadline=timedelta(seconds=0.3))
    assert ("body_timeout", "first_token") == (sample.error, sample.evidence["waited_for"])
    assert sample.phases_ms["total"] < 1_000


async def test_nothing_is_tried_again_when_a_look_fails() -> None:
    """A retry would hide what the check is there to see."""
    async with on_stage("529") as stage:
        for dialect in DIALECTS:
            await stage.look(dialect)
        asked = [request.provider for request in stage.vendors.requests]
    assert sorted(DIALECTS) == sorted(asked)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_hang_is_a_deadline_when_nothing_ever_comes(dialect: str) -> None:
    """Connected, asked, and not a byte in return."""
    async with on_stage("hang") as stage:
        sample = await stage.look(dialect, deadline=timedelta(seconds=0.3))
    assert ("deadline", "first_byte") == (sample.error, sample.evidence["waited_for"])
