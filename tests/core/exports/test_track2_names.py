import pytest

from pipeline.core.exports.manifest import Layout
from pipeline.core.exports.track2_names import TRACK2_NAMES, directory_of, evaluation_root, names_of
from pipeline.domain.labels import Language
from pipeline.domain.scene import Scene

TABLE = [
    (Scene.FOLLOW_UP_QUESTION, "Follow-up Questions", "Follow-up Questions", "Follow-up_Questions", "ask"),
    (
        Scene.NEGATION_OR_DISSATISFACTION,
        "Negation or Dissatisfaction",
        "Negation or Dissatisfaction",
        "Negation_or_Dissatisfaction",
        "deny",
    ),
    (Scene.REPETITION_REQUEST, "Repetition Requests", "Repetition Requests", "Repetition_Requests", "repeat"),
    (Scene.TOPIC_SWITCHING, "Topic Switching", "Topic Switching", "Topic_Switching", "shift"),
    (
        Scene.SILENCE_OR_TERMINATION,
        "Silence or Termination",
        "Silence or Termination",
        "Silence_or_Termination",
        "wait",
    ),
    (
        Scene.USER_BACKCHANNEL,
        "User Real-time Backchannels",
        "User Real-time Backchannels",
        "User_Real-time_Backchannels",
        "backchannel",
    ),
    (Scene.PAUSE_HANDLING, "Pause Handling", "Pause Handling", "Pause_Handling", "pause"),
    (
        Scene.THIRD_PARTY_BEFORE,
        "Third-party Speech",
        "Third-party Speech_before",
        "Third-party_Speech_before",
        "others_talk_to_user_before",
    ),
    (
        Scene.THIRD_PARTY_AFTER,
        "Third-party Speech",
        "Third-party Speech_after",
        "Third-party_Speech_after",
        "others_talk_to_user_after",
    ),
    (
        Scene.DIRECTED_AT_OTHERS,
        "Speech Directed at Others",
        "Speech Directed at Others",
        "Speech_Directe_at_Others",
        "talk_to_others",
    ),
]


@pytest.mark.parametrize(
    ("scene", "train", "dev", "evaluation", "test"), TABLE, ids=[row[0] for row in TABLE]
)
def test_a_scene_has_its_official_names(
    scene: Scene, train: str, dev: str, evaluation: str, test: str
) -> None:
    def path(language: Language, layout: Layout) -> str:
        return directory_of(scene, language, layout)

    assert path(Language.EN, Layout.TRAIN) == f"HD-Track2/HD-Track2-train/HD-Track2-train-en/{train}"
    assert path(Language.ZH, Layout.DEV) == f"HD-Track2/HD-Track2-dev/HD-Track2-dev-zh/{dev}"
    assert path(Language.ZH, Layout.TEST) == f"test/cn_test_nondev/{test}"
    assert path(Language.EN, Layout.TEST) == f"test/en_test_nondev/{test}"
    assert names_of(scene).evaluation == evaluation


def test_every_scene_has_one_row() -> None:
    assert [row.scene for row in TRACK2_NAMES] == list(Scene)


def test_languages_and_layouts_are_evaluated_apart() -> None:
    roots = {evaluation_root(language, layout) for language in Language for layout in Layout}
    assert len(roots) == 6
    assert evaluation_root(Language.EN, Layout.DEV) == "evaluation/dev-en/dev"
