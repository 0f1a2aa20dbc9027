from hypothesis import given
from hypothesis import strategies as st

from pipeline.core.prompting import repair_request
from pipeline.domain.chat import ChatMessage, ChatReply, ChatRequest
from pipeline.domain.labels import Language

REQUEST = ChatRequest(
    step="place",
    prompt="script/place.v1",
    prompt_sha256="",
    messages=(
        ChatMessage(role="system", content="rules"),
        ChatMessage(role="user", content="<dialogue>\n{}\n</dialogue>\n"),
    ),
    input="{}",
    response_schema="{}",
    seed=1,
    temperature=0.8,
    top_p=0.9,
    max_completion_tokens=100,
)


def reply_of(content: str) -> ChatReply:
    return ChatReply(
        model="m",
        content=content,
        finish_reason="stop",
        prompt_tokens=0,
        cached_tokens=0,
        completion_tokens=0,
        frames=(),
    )


def repair(content: str, finding: str = "not JSON", language: Language = Language.EN) -> ChatRequest:
    return repair_request(REQUEST, reply_of(content), finding, language, 2)


def test_a_repair_is_a_request_of_its_own_with_the_same_head() -> None:
    repaired = repair('{"quote": 1}')
    assert repaired.fingerprint() != REQUEST.fingerprint()
    assert [message.role for message in repaired.messages] == ["system", "user"]
    assert repaired.messages[0] == REQUEST.messages[0]
    assert repaired.messages[1].content.startswith(REQUEST.messages[1].content.rstrip())
    assert (repaired.seed, repaired.input, repaired.response_schema) == (2, "{}", "{}")


def test_a_repair_quotes_the_finding_and_the_reply_in_the_language_of_the_dialogue() -> None:
    for language, words in ((Language.EN, "What was wrong:"), (Language.ZH, "问题是：")):
        said = repair("half of it", "cut off after 3 tokens", language).messages[-1].content
        assert words in said
        assert "cut off after 3 tokens" in said
        assert "half of it" in said


@given(st.text(), st.text())
def test_whatever_a_model_said_it_comes_back_as_data(content: str, finding: str) -> None:
    said = repair(content, finding).messages[-1].content
    added = said.removeprefix("<dialogue>\n{}\n</dialogue>")
    assert not set("<>[]{}|&`") & set(added)


def test_a_reply_that_ran_away_is_quoted_in_part() -> None:
    assert len(repair("word " * 10_000).messages[-1].content) < 2000
